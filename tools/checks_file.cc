#include "tools/checks_file.h"

#include <charconv>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "protocol/status.h"
#include "tools/near_name.h"
#include "tools/toml_file.h"

namespace walferry {
namespace {

const std::vector<absl::string_view>& KnownKeys() {
  static const auto* const kKeys = new std::vector<absl::string_view>{
      "name", "sql", "expect", "tolerance", "min", "max"};
  return *kKeys;
}

// The shortest text that is that number.
std::string NumberText(double number) {
  char digits[32];
  const std::to_chars_result end =
      std::to_chars(digits, digits + sizeof digits, number);
  return std::string(digits, end.ptr);
}

// As PostgreSQL prints such a value.
std::optional<std::string> ValueText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) {
    return absl::StrCat(number->get());
  }
  if (const auto* number = node.as_floating_point()) {
    return NumberText(number->get());
  }
  if (const auto* flag = node.as_boolean()) return flag->get() ? "t" : "f";
  return std::nullopt;
}

std::optional<double> NumberOf(const toml::node& node) {
  if (const auto* number = node.as_integer()) {
    return static_cast<double>(number->get());
  }
  if (const auto* number = node.as_floating_point()) return number->get();
  return std::nullopt;
}

// Reads one [[check]].
class CheckReader {
 public:
  CheckReader(const toml::table& table, absl::string_view file_name)
      : table_(table), file_name_(file_name) {}

  absl::StatusOr<SqlCheck> Read() {
    for (const auto& [key, node] : table_) {
      RETURN_IF_ERROR(ReadKey({key.str().data(), key.str().size()}, node));
    }
    RETURN_IF_ERROR(CheckWhole());
    return std::move(check_);
  }

 private:
  absl::Status Bad(const toml::node& node, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(file_name_, ":", node.source().begin.line, ": ", what));
  }

  absl::Status ReadKey(absl::string_view key, const toml::node& node) {
    if (key == "name") return ReadText(node, "name", check_.name);
    if (key == "sql") return ReadText(node, "sql", check_.sql);
    if (key == "min") return ReadNumber(node, "min", check_.minimum);
    if (key == "max") return ReadNumber(node, "max", check_.maximum);
    if (key == "tolerance") return ReadTolerance(node);
    if (key == "expect") {
      check_.expect = ValueText(node);
      if (check_.expect.has_value()) return absl::OkStatus();
      return Bad(node, "expect must be a text, a number or a boolean");
    }
    absl::Status status =
        Bad(node, absl::StrCat("unknown key \"", key, "\" of a check"));
    const std::string near = NearestName(key, KnownKeys());
    if (near.empty()) return status;
    return WithHint(std::move(status),
                    absl::StrCat("did you mean ", near, "?"));
  }

  absl::Status ReadText(const toml::node& node, absl::string_view key,
                        std::string& text) const {
    const auto* found = node.as_string();
    if (found == nullptr || found->get().empty()) {
      return Bad(node, absl::StrCat(key, " must be a text"));
    }
    text = found->get();
    return absl::OkStatus();
  }

  absl::Status ReadNumber(const toml::node& node, absl::string_view key,
                          std::optional<double>& number) const {
    number = NumberOf(node);
    if (number.has_value()) return absl::OkStatus();
    return Bad(node, absl::StrCat(key, " must be a number"));
  }

  absl::Status ReadTolerance(const toml::node& node) {
    check_.tolerance = NumberOf(node);
    if (const auto* text = node.as_string()) {
      absl::string_view digits = text->get();
      double percent = 0;
      if (absl::ConsumeSuffix(&digits, "%") &&
          absl::SimpleAtod(digits, &percent)) {
        check_.tolerance = percent;
        check_.tolerance_in_percent = true;
      }
    }
    if (check_.tolerance.has_value() && *check_.tolerance >= 0) {
      return absl::OkStatus();
    }
    return Bad(node, "tolerance must be a number, or one with % as a text");
  }

  absl::Status CheckWhole() const {
    if (check_.name.empty()) return Bad(table_, "a check without a name");
    if (check_.sql.empty()) {
      return Bad(table_, absl::StrCat("check \"", check_.name, "\": no sql"));
    }
    const bool bounds =
        check_.minimum.has_value() || check_.maximum.has_value();
    if (check_.expect.has_value() == bounds) {
      return Bad(table_, absl::StrCat("check \"", check_.name,
                                      "\": either expect, or min and max"));
    }
    if (check_.tolerance.has_value() && !ExpectsANumber()) {
      return Bad(table_,
                 absl::StrCat("check \"", check_.name,
                              "\": a tolerance needs a number to expect"));
    }
    return absl::OkStatus();
  }

  bool ExpectsANumber() const {
    double ignored = 0;
    return check_.expect.has_value() &&
           absl::SimpleAtod(*check_.expect, &ignored);
  }

  const toml::table& table_;
  absl::string_view file_name_;
  SqlCheck check_;
};

}  // namespace

absl::StatusOr<std::vector<SqlCheck>> ParseChecks(absl::string_view text,
                                                  absl::string_view file_name) {
  ASSIGN_OR_RETURN(const toml::table table, ParseToml(text, file_name));
  std::vector<SqlCheck> checks;
  for (const auto& [key, node] : table) {
    const toml::array* array = node.as_array();
    if (key.str() != "check" || array == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(file_name, ":", key.source().begin.line,
                       ": only [[check]] may stand here"));
    }
    for (const toml::node& element : *array) {
      const toml::table* check = element.as_table();
      if (check == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat(file_name, ":", element.source().begin.line,
                         ": a check is a table: [[check]]"));
      }
      ASSIGN_OR_RETURN(SqlCheck read, CheckReader(*check, file_name).Read());
      checks.push_back(std::move(read));
    }
  }
  return checks;
}

absl::StatusOr<std::vector<SqlCheck>> ReadChecksFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSettingsFile(path));
  return ParseChecks(text, path);
}

}  // namespace walferry
