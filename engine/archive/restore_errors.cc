#include "engine/archive/restore_errors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace walferry {
namespace {

constexpr absl::string_view kFromEntry = "pg_restore: from TOC entry ";
constexpr absl::string_view kError = "pg_restore: error: ";
constexpr absl::string_view kStatement = "Command was: ";
constexpr absl::string_view kServerError = "ERROR:  ";

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

// The server's message where the program put something in front of it that
// says no more.
absl::string_view WithoutPreface(absl::string_view message) {
  absl::ConsumePrefix(&message, "could not execute query: ");
  absl::ConsumePrefix(&message, kServerError);
  return message;
}

// psql:/path/archive.sql:12: ERROR:  message
bool ReadPsqlError(absl::string_view line, RestoreError& error) {
  const size_t at = line.find(absl::StrCat(": ", kServerError));
  if (!absl::StartsWith(line, "psql:") || at == absl::string_view::npos) {
    return false;
  }
  const absl::string_view place = line.substr(0, at);
  error.object = absl::StrCat("line ", place.substr(place.rfind(':') + 1));
  error.message = std::string(line.substr(at + 2 + kServerError.size()));
  return true;
}

// Clients from 17 on set it for their own session, and go on where the server
// is older and has none. So do we.
bool IsHarmless(const RestoreError& error) {
  return error.message ==
         "unrecognized configuration parameter \"transaction_timeout\"";
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

void RestoreErrorReader::Finish() {
  lines_.Finish([this](absl::string_view line) { TakeLine(line); });
  EndError();
}

void RestoreErrorReader::TakeLine(absl::string_view line) {
  if (absl::ConsumePrefix(&line, kFromEntry)) {
    EndError();
    object_ = ObjectOf(line);
  } else if (absl::ConsumePrefix(&line, kError)) {
    EndError();
    in_error_ = true;
    error_ = {object_, std::string(WithoutPreface(line))};
  } else if (RestoreError of_psql; ReadPsqlError(line, of_psql)) {
    EndError();
    in_error_ = true;
    error_ = std::move(of_psql);
  } else if (absl::ConsumePrefix(&line, kStatement)) {
    if (in_error_ && error_.object.empty()) error_.object = BeginningOf(line);
    EndError();
    in_statement_ = true;
  } else if (in_error_ && !in_statement_ && IsAddition(line)) {
    absl::ConsumePrefix(&line, "pg_restore: ");
    absl::StrAppend(&error_.message, "; ", line);
  } else if (absl::StartsWith(line, "pg_restore: ")) {
    EndError();
  }
}

void RestoreErrorReader::EndError() {
  in_statement_ = false;
  if (!std::exchange(in_error_, false) || IsHarmless(error_)) return;
  ++count_;
  if (on_error_) on_error_(error_);
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

std::vector<RestoreErrorKind> RestoreErrorReader::Kinds() const {
  std::vector<RestoreErrorKind> kinds = kinds_;
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const RestoreErrorKind& a, const RestoreErrorKind& b) {
                     return a.count > b.count;
                   });
  return kinds;
}

}  // namespace walferry
