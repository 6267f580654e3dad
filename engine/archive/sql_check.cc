#include "engine/archive/sql_check.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

std::optional<double> NumberOf(absl::string_view text) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !std::isfinite(number)) return {};
  return number;
}

bool Equals(absl::string_view wanted, absl::string_view answer) {
  if (wanted == answer) return true;
  // As doubles, large ones that differ would be equal.
  int64_t a = 0;
  int64_t b = 0;
  if (absl::SimpleAtoi(wanted, &a) && absl::SimpleAtoi(answer, &b)) {
    return a == b;
  }
  const std::optional<double> x = NumberOf(wanted);
  const std::optional<double> y = NumberOf(answer);
  return x.has_value() && y.has_value() && *x == *y;
}

bool IsNear(const SqlCheck& check, absl::string_view answer) {
  const std::optional<double> wanted = NumberOf(*check.expect);
  const std::optional<double> got = NumberOf(answer);
  if (!wanted.has_value() || !got.has_value()) return false;
  const double room = check.tolerance_in_percent
                          ? std::abs(*wanted) * *check.tolerance / 100
                          : *check.tolerance;
  return std::abs(*got - *wanted) <= room;
}

}  // namespace

std::string ExpectationText(const SqlCheck& check) {
  if (check.expect.has_value()) {
    if (!check.tolerance.has_value()) return *check.expect;
    return absl::StrCat(*check.expect, ", give or take ", *check.tolerance,
                        check.tolerance_in_percent ? "%" : "");
  }
  std::string text;
  if (check.minimum.has_value())
    text = absl::StrCat("at least ", *check.minimum);
  if (check.maximum.has_value()) {
    absl::StrAppend(&text, text.empty() ? "" : " and ", "at most ",
                    *check.maximum);
  }
  return text;
}

bool Satisfies(const SqlCheck& check, absl::string_view answer) {
  if (check.expect.has_value()) {
    return check.tolerance.has_value() ? IsNear(check, answer)
                                       : Equals(*check.expect, answer);
  }
  const std::optional<double> got = NumberOf(answer);
  return got.has_value() &&
         (!check.minimum.has_value() || *got >= *check.minimum) &&
         (!check.maximum.has_value() || *got <= *check.maximum);
}

}  // namespace walferry
