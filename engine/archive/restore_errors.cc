#include "engine/archive/restore_errors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace walferry {
namespace {

constexpr absl::string_view kPgRestore = "pg_restore: ";
constexpr absl::string_view kPsql = "psql:";
constexpr absl::string_view kWarning = "warning: ";
constexpr absl::string_view kIgnored = "warning: errors ignored on restore: ";
constexpr absl::string_view kStatement = "Command was: ";
constexpr absl::string_view kStatementOfPsql = "STATEMENT:  ";
constexpr size_t kSqlState = 5;

bool IsDigit(char byte) {
  return absl::ascii_isdigit(static_cast<unsigned char>(byte));
}

// "TABLE t postgres" of "215; 1259 16385 TABLE t postgres".
std::string ObjectOf(absl::string_view entry) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(entry, absl::MaxSplits(' ', 3));
  return std::string(
      absl::StripTrailingAsciiWhitespace(words.size() == 4 ? words[3] : entry));
}

// What can be told of a statement in a line.
std::string BeginningOf(absl::string_view statement) {
  constexpr size_t kLongest = 100;
  if (statement.size() > kLongest) {
    return absl::StrCat(statement.substr(0, kLongest), "...");
  }
  while (!statement.empty() && absl::StrContains("; (", statement.back())) {
    statement.remove_suffix(1);
  }
  return std::string(statement);
}

// "role bob ..." of "FEHLER:  role bob ...": two spaces are behind a severity
// only.
absl::string_view WithoutSeverity(absl::string_view message) {
  const size_t end = message.find(":  ");
  const bool is_word =
      end != absl::string_view::npos && end > 0 &&
      message.substr(0, end).find_first_of(" \"'") == absl::string_view::npos;
  return is_word ? message.substr(end + 3) : message;
}

// The server's message where the program put something in front of it that
// says no more.
absl::string_view WithoutPreface(absl::string_view message) {
  if (!absl::ConsumePrefix(&message, "could not execute query: ")) {
    return message;
  }
  return WithoutSeverity(message);
}

// Takes "/path/archive.sql:12: " away and returns "12", or "" where no such
// place stands.
absl::string_view ConsumePlace(absl::string_view& line) {
  for (size_t colon = line.find(':'); colon != absl::string_view::npos;
       colon = line.find(':', colon + 1)) {
    size_t end = colon + 1;
    while (end < line.size() && IsDigit(line[end])) ++end;
    if (end == colon + 1 || !absl::StartsWith(line.substr(end), ": ")) continue;
    const absl::string_view number = line.substr(colon + 1, end - colon - 1);
    line.remove_prefix(end + 2);
    return number;
  }
  absl::ConsumePrefix(&line, " ");
  return "";
}

// Takes "FEHLER:  42704: " away and returns "42704", or "" where it is not so.
absl::string_view ConsumeSqlState(absl::string_view& message) {
  const absl::string_view rest = WithoutSeverity(message);
  if (rest.size() == message.size() || rest.size() < kSqlState + 2 ||
      rest.substr(kSqlState, 2) != ": ") {
    return "";
  }
  const absl::string_view state = rest.substr(0, kSqlState);
  const bool is_state = std::all_of(state.begin(), state.end(), [](char byte) {
    return IsDigit(byte) || (byte >= 'A' && byte <= 'Z');
  });
  if (!is_state) return "";
  message = rest.substr(kSqlState + 2);
  return state;
}

bool IsNotice(absl::string_view sqlstate) {
  return absl::StartsWith(sqlstate, "00");
}

bool IsWarning(absl::string_view sqlstate) {
  return absl::StartsWith(sqlstate, "01");
}

// Clients from 17 on make this setting for their own session, and go on where
// the server is older and has none. So do we.
bool IsHarmless(absl::string_view statement) {
  absl::ConsumeSuffix(&statement, ";");
  return statement == "SET transaction_timeout = 0";
}

// What a server or libpq adds to a message, on lines of their own.
bool IsAddition(absl::string_view line) {
  return absl::StartsWith(line, "DETAIL:  ") ||
         absl::StartsWith(line, "HINT:  ") ||
         absl::StartsWith(line, "CONTEXT:  ") ||
         absl::StartsWith(line, "pg_restore: detail: ") ||
         absl::StartsWith(line, "pg_restore: hint: ");
}

}  // namespace

std::string RestoreError::Text() const {
  return object.empty() ? message : absl::StrCat(object, ": ", message);
}

std::string RestoreErrorKind::Text() const {
  return count == 1 ? first.Text()
                    : absl::StrCat(shape, ", first of ", first.object);
}

std::string ShapeOf(absl::string_view message) {
  // The detail says what is special about one case.
  message = message.substr(0, message.find("; "));
  std::string shape;
  for (size_t at = 0; at < message.size(); ++at) {
    if (message[at] == '"') {
      const size_t end = message.find('"', at + 1);
      if (end == absl::string_view::npos) {
        absl::StrAppend(&shape, message.substr(at));
        break;
      }
      shape += "\"...\"";
      at = end;
    } else if (IsDigit(message[at])) {
      while (at + 1 < message.size() && IsDigit(message[at + 1])) ++at;
      shape += 'N';
    } else {
      shape += message[at];
    }
  }
  return shape;
}

void RestoreErrorReader::Add(absl::string_view piece) {
  lines_.Add(piece, [this](absl::string_view line) { TakeLine(line); });
}

RestoreErrorCounts RestoreErrorReader::Finish() {
  lines_.Finish([this](absl::string_view line) { TakeLine(line); });
  End();
  object_.clear();
  return std::exchange(counts_, {});
}

void RestoreErrorReader::TakeLine(absl::string_view line) {
  if (absl::ConsumePrefix(&line, kPsql)) {
    TakeOfPsql(line);
    return;
  }
  absl::string_view said = line;
  if (!absl::ConsumePrefix(&said, kPgRestore) || IsAddition(line)) {
    TakeOther(line);
  } else if (absl::ConsumePrefix(&said, "from TOC entry ")) {
    End();
    object_ = ObjectOf(said);
  } else if (absl::ConsumePrefix(&said, "error: ") ||
             absl::ConsumePrefix(&said, "fatal: ")) {
    Begin(Open::kError, {object_, std::string(WithoutPreface(said))});
  } else if (absl::ConsumePrefix(&said, kIgnored)) {
    End();
    in_other_text_ = true;
    if (int64_t ignored = 0; absl::SimpleAtoi(said, &ignored)) {
      counts_.ignored = ignored;
    }
  } else if (absl::ConsumePrefix(&said, kWarning)) {
    Begin(Open::kMaybeWarning, {"", std::string(said)});
  } else {
    End();
    in_other_text_ = true;
  }
}

void RestoreErrorReader::TakeOfPsql(absl::string_view line) {
  const absl::string_view number = ConsumePlace(line);
  int line_number = 0;
  const std::string place =
      absl::SimpleAtoi(number, &line_number)
          ? absl::StrCat("line ", line_number + skipped_lines_)
          : "";
  if (absl::ConsumePrefix(&line, kStatementOfPsql)) {
    BeginStatement(line);
  } else if (absl::ConsumePrefix(&line, kWarning)) {
    Begin(Open::kMaybeWarning, {place, std::string(line)});
  } else if (const absl::string_view state = ConsumeSqlState(line);
             IsNotice(state)) {
    Begin(Open::kMaybe, {place, std::string(line)});
  } else if (IsWarning(state)) {
    Begin(Open::kMaybeWarning, {place, std::string(line)});
  } else {
    absl::ConsumePrefix(&line, "error: ");
    Begin(Open::kError, {place, std::string(line)});
  }
}

void RestoreErrorReader::TakeOther(absl::string_view line) {
  if (in_other_text_) return;
  if (open_ == Open::kNothing) {
    // Nobody has begun this: a loader's complaint, say.
    const bool counts = program_ == Program::kPsql && !line.empty();
    if (counts) Begin(Open::kError, {"", std::string(line)});
  } else if (absl::ConsumePrefix(&line, kStatement)) {
    BeginStatement(line);
  } else if (IsAddition(line)) {
    absl::ConsumePrefix(&line, kPgRestore);
    absl::StrAppend(&error_.message, "; ", line);
  }
}

void RestoreErrorReader::BeginStatement(absl::string_view statement) {
  if (open_ == Open::kMaybe || open_ == Open::kMaybeWarning) {
    open_ = Open::kError;
  }
  if (error_.object.empty()) error_.object = BeginningOf(statement);
  End(statement);
  in_other_text_ = true;
}

void RestoreErrorReader::Begin(Open open, RestoreError error) {
  End();
  open_ = open;
  error_ = std::move(error);
}

void RestoreErrorReader::End(absl::string_view statement) {
  in_other_text_ = false;
  const Open ended = std::exchange(open_, Open::kNothing);
  if (ended == Open::kMaybeWarning && listener_.on_warning) {
    listener_.on_warning(error_.Text());
  }
  if (ended != Open::kError) return;
  ++counts_.read;
  if (IsHarmless(statement)) return;
  ++count_;
  if (listener_.on_error) listener_.on_error(error_);
  const std::string shape = ShapeOf(error_.message);
  const auto known = std::find_if(
      kinds_.begin(), kinds_.end(),
      [&](const RestoreErrorKind& kind) { return kind.shape == shape; });
  if (known != kinds_.end()) {
    ++known->count;
  } else {
    kinds_.push_back({shape, 1, error_});
  }
}

absl::Status CompareErrorCounts(const RestoreErrorCounts& counts, int exit_code,
                                int jobs) {
  // It ends with 0 only if it has ignored none.
  const int64_t ignored = counts.ignored.value_or(0);
  const bool agree =
      jobs > 1 ? ignored <= counts.read
               : ignored == counts.read || !counts.ignored.has_value();
  const bool silent = exit_code == 0 && jobs <= 1 && counts.read > 0;
  if (agree && !silent) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("pg_restore says that it went on after ", ignored,
                   ignored == 1 ? " error" : " errors", ", but ", counts.read,
                   " could be read of it"));
}

std::vector<RestoreErrorKind> RestoreErrorReader::Kinds() const {
  std::vector<RestoreErrorKind> kinds = kinds_;
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const RestoreErrorKind& a, const RestoreErrorKind& b) {
                     return a.count > b.count;
                   });
  return kinds;
}

}  // namespace walferry
