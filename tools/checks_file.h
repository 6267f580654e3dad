#ifndef TOOLS_CHECKS_FILE_H_
#define TOOLS_CHECKS_FILE_H_

// A drill's own queries, from TOML:
//
//   [[check]]
//   name = "orders of the last day"
//   sql = "SELECT count(*) FROM orders WHERE at > '2026-11-21'"
//   min = 1000
//
// with `expect` (a text, number or boolean), perhaps with `tolerance` (a
// number, or "5%" of what is expected), or with `min`, `max` or both.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/archive/sql_check.h"

namespace walferry {

// kInvalidArgument, with file and line: no TOML, or not as above.
absl::StatusOr<std::vector<SqlCheck>> ParseChecks(absl::string_view text,
                                                  absl::string_view file_name);

absl::StatusOr<std::vector<SqlCheck>> ReadChecksFile(const std::string& path);

}  // namespace walferry

#endif  // TOOLS_CHECKS_FILE_H_
