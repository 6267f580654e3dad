#ifndef ENGINE_ARCHIVE_SQL_CHECK_H_
#define ENGINE_ARCHIVE_SQL_CHECK_H_

// A question of the operator's own about a restored database, and what the
// answer must be.

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// The query gives one row of one column. Either `expect` is set, perhaps with
// a tolerance, or one or both bounds are. Numbers are texts, so that none is
// rounded (IsDecimal).
struct SqlCheck {
  std::string name;
  std::string sql;
  // As PostgreSQL prints it. Numbers are compared as numbers, anything else as
  // text.
  std::optional<std::string> expect;
  // How far a number may be from `expect`, ...
  std::optional<std::string> tolerance;
  // ... in percent of it rather than absolutely.
  bool tolerance_in_percent = false;
  std::optional<std::string> minimum;
  std::optional<std::string> maximum;

  friend bool operator==(const SqlCheck&, const SqlCheck&) = default;
};

// Whether it is a finite number as SQL and TOML write one: -12, 1.50, 2e-3.
bool IsDecimal(absl::string_view text);

// What the answer must be: "12, give or take 5%", "at least 3 and at most 9".
std::string ExpectationText(const SqlCheck& check);

// The condition in SQL for the answer to be so. Numbers are the server's
// numeric, which is exact. "false" and "true" where no number is to be
// compared: what is not finite equals itself only, is in no range, and beyond
// a bound only if it is an infinity.
std::string ConditionFor(const SqlCheck& check, absl::string_view answer);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_SQL_CHECK_H_
