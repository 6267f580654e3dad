#include "engine/archive/sql_check.h"

#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

// Takes digits away; whether there were any.
bool ConsumeDigits(absl::string_view& text) {
  size_t end = 0;
  while (end < text.size() &&
         absl::ascii_isdigit(static_cast<unsigned char>(text[end]))) {
    ++end;
  }
  text.remove_prefix(end);
  return end > 0;
}

bool ConsumeOneOf(absl::string_view& text, absl::string_view bytes) {
  if (text.empty() || !absl::StrContains(bytes, text.front())) return false;
  text.remove_prefix(1);
  return true;
}

std::string Numeric(absl::string_view decimal) {
  return absl::StrCat(QuoteLiteral(decimal), "::numeric");
}

std::string Near(const SqlCheck& check, absl::string_view answer) {
  const std::string wanted = Numeric(*check.expect);
  const std::string distance =
      absl::StrCat("abs(", Numeric(answer), " - ", wanted, ")");
  const std::string room = Numeric(*check.tolerance);
  if (!check.tolerance_in_percent) return absl::StrCat(distance, " <= ", room);
  return absl::StrCat(distance, " * 100 <= abs(", wanted, ") * ", room);
}

const char* Truth(bool value) { return value ? "true" : "false"; }

}  // namespace

bool IsDecimal(absl::string_view text) {
  ConsumeOneOf(text, "+-");
  bool digits = ConsumeDigits(text);
  if (ConsumeOneOf(text, ".")) digits = ConsumeDigits(text) || digits;
  if (!digits) return false;
  if (!ConsumeOneOf(text, "eE")) return text.empty();
  ConsumeOneOf(text, "+-");
  return ConsumeDigits(text) && text.empty();
}

std::string ExpectationText(const SqlCheck& check) {
  if (check.expect.has_value()) {
    if (!check.tolerance.has_value()) return *check.expect;
    return absl::StrCat(*check.expect, ", give or take ", *check.tolerance,
                        check.tolerance_in_percent ? "%" : "");
  }
  std::vector<std::string> bounds;
  if (check.minimum.has_value()) {
    bounds.push_back(absl::StrCat("at least ", *check.minimum));
  }
  if (check.maximum.has_value()) {
    bounds.push_back(absl::StrCat("at most ", *check.maximum));
  }
  return absl::StrJoin(bounds, " and ");
}

std::string ConditionFor(const SqlCheck& check, absl::string_view answer) {
  if (check.expect.has_value()) {
    if (*check.expect == answer) return Truth(true);
    if (!IsDecimal(*check.expect) || !IsDecimal(answer)) return Truth(false);
    if (check.tolerance.has_value()) return Near(check, answer);
    return absl::StrCat(Numeric(answer), " = ", Numeric(*check.expect));
  }
  if (answer == "Infinity") return Truth(!check.maximum.has_value());
  if (answer == "-Infinity") return Truth(!check.minimum.has_value());
  if (!IsDecimal(answer)) return Truth(false);
  std::vector<std::string> bounds;
  if (check.minimum.has_value()) {
    bounds.push_back(
        absl::StrCat(Numeric(answer), " >= ", Numeric(*check.minimum)));
  }
  if (check.maximum.has_value()) {
    bounds.push_back(
        absl::StrCat(Numeric(answer), " <= ", Numeric(*check.maximum)));
  }
  return absl::StrJoin(bounds, " AND ");
}

}  // namespace walferry
