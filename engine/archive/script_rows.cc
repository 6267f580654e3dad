#include "engine/archive/script_rows.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace walferry {
namespace {

constexpr absl::string_view kRowsHeader = "-- Data for Name: ";
constexpr absl::string_view kHeader = "-- Name: ";
constexpr absl::string_view kOfTable = "; Type: TABLE DATA; ";
constexpr absl::string_view kCopy = "COPY ";
constexpr absl::string_view kCopyEnd = " FROM stdin;";
constexpr absl::string_view kInsert = "INSERT INTO ";
constexpr absl::string_view kLargeObject = "SELECT pg_catalog.lo_create('";

}  // namespace

absl::string_view TableOfCopy(absl::string_view statement) {
  absl::ConsumePrefix(&statement, kCopy);
  bool quoted = false;
  for (size_t at = 0; at < statement.size(); ++at) {
    // A doubled quote ends and begins: as if nothing had been.
    if (statement[at] == '"') quoted = !quoted;
    if (statement[at] == ' ' && !quoted) return statement.substr(0, at);
  }
  return statement;
}

void ScriptRowCounter::Add(absl::string_view piece) {
  lines_.Add(piece, [this](absl::string_view line) { TakeLine(line); });
}

ScriptRows ScriptRowCounter::Finish() {
  lines_.Finish([this](absl::string_view line) { TakeLine(line); });
  return std::move(rows_);
}

void ScriptRowCounter::TakeLine(absl::string_view line) {
  if (in_copy_) {
    if (line == "\\.") {
      in_copy_ = false;
    } else {
      ++rows_.tables[table_];
    }
  } else if (!statement_.empty()) {
    absl::StrAppend(&statement_, "\n", line);
    if (absl::EndsWith(line, kCopyEnd)) TakeCopy(statement_);
  } else if (absl::StartsWith(line, kRowsHeader) ||
             absl::StartsWith(line, kHeader)) {
    TakeHeader(line);
  } else if (absl::StartsWith(line, kLargeObject)) {
    ++rows_.large_objects;
  } else if (header_.empty()) {
    return;
  } else if (absl::StartsWith(line, kCopy)) {
    if (absl::EndsWith(line, kCopyEnd)) {
      TakeCopy(line);
    } else {
      statement_ = std::string(line);
    }
  } else if (absl::StartsWith(line, kInsert)) {
    rows_.uncounted.push_back(std::move(header_));
    header_.clear();
  }
}

void ScriptRowCounter::TakeHeader(absl::string_view line) {
  header_.clear();
  if (absl::ConsumePrefix(&line, kRowsHeader) &&
      absl::StrContains(line, kOfTable)) {
    header_ = std::string(line);
  }
}

void ScriptRowCounter::TakeCopy(absl::string_view statement) {
  table_ = std::string(TableOfCopy(statement));
  rows_.tables.try_emplace(table_, 0);
  statement_.clear();
  header_.clear();
  in_copy_ = true;
}

}  // namespace walferry
