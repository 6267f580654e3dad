#ifndef ENGINE_ARCHIVE_SQL_CHECK_H_
#define ENGINE_ARCHIVE_SQL_CHECK_H_

// A question of the operator's own about a restored database, and what the
// answer must be.

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// The query gives one row of one column. Either `expect` is set, perhaps with
// a tolerance, or one or both bounds are.
struct SqlCheck {
  std::string name;
  std::string sql;
  // As PostgreSQL prints it. Numbers are compared as numbers, anything else as
  // text.
  std::optional<std::string> expect;
  // How far a number may be from `expect`, ...
  std::optional<double> tolerance;
  // ... in percent of it rather than absolutely.
  bool tolerance_in_percent = false;
  std::optional<double> minimum;
  std::optional<double> maximum;

  friend bool operator==(const SqlCheck&, const SqlCheck&) = default;
};

// What the answer must be: "12, give or take 5%", "at least 3 and at most 9".
std::string ExpectationText(const SqlCheck& check);

bool Satisfies(const SqlCheck& check, absl::string_view answer);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_SQL_CHECK_H_
