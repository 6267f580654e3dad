#ifndef TOOLS_CHECKS_FILE_H_
#define TOOLS_CHECKS_FILE_H_

// Queries of the operator's own, from TOML:
//
//   [[check]]
//   name = "orders of the last day"
//   sql = "SELECT count(*) FROM orders WHERE at > '2026-11-21'"
//   min = 1000
//
// with `expect` (a text, number or boolean), perhaps with `tolerance` (a
// number, or "5%" of what is expected), or with `min`, `max` or both. Where the
// answers of two databases are compared, none of these need stand there, and a
// tolerance alone is how far they may be from each other.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/archive/sql_check.h"

namespace walferry {

// What an answer is held against.
enum class CheckUse {
  kExpected,  // What the file says.
  kCompared,  // The other side's.
};

// kInvalidArgument, with file and line: no TOML, or not as above.
absl::StatusOr<std::vector<SqlCheck>> ParseChecks(
    absl::string_view text, absl::string_view file_name,
    CheckUse use = CheckUse::kExpected);

absl::StatusOr<std::vector<SqlCheck>> ReadChecksFile(
    const std::string& path, CheckUse use = CheckUse::kExpected);

}  // namespace walferry

#endif  // TOOLS_CHECKS_FILE_H_
