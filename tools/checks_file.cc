#include "tools/checks_file.h"

#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
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

// A number as it stands in the file: toml++ rounds what has a fraction. `text`
// is the whole file.
std::string LiteralOf(const toml::value<double>& number,
                      absl::string_view text) {
  const toml::source_position begin = number.source().begin;
  for (toml::source_index line = 1; line < begin.line; ++line) {
    text.remove_prefix(text.find('\n') + 1);
  }
  std::string literal;
  // Columns are those of characters, and before a number there may be longer
  // ones: continuation bytes do not count.
  toml::source_index column = 0;
  for (const char byte : text) {
    if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80) ++column;
    if (column < begin.column || byte == '_') continue;
    if (!absl::StrContains("+-.0123456789eE", byte)) break;
    literal += byte;
  }
  return literal;
}

// Reads one [[check]].
class CheckReader {
 public:
  CheckReader(const toml::table& table, absl::string_view text,
              absl::string_view file_name, CheckUse use)
      : table_(table), text_(text), file_name_(file_name), use_(use) {}

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

  // As PostgreSQL prints such a value.
  std::optional<std::string> ValueText(const toml::node& node) const {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* flag = node.as_boolean()) return flag->get() ? "t" : "f";
    if (const auto* number = node.as_floating_point()) {
      if (std::isnan(number->get())) return "NaN";
      if (std::isinf(number->get())) {
        return number->get() < 0 ? "-Infinity" : "Infinity";
      }
    }
    return NumberText(node);
  }

  // A finite number.
  std::optional<std::string> NumberText(const toml::node& node) const {
    if (const auto* number = node.as_integer()) {
      return absl::StrCat(number->get());
    }
    const auto* number = node.as_floating_point();
    if (number == nullptr || !std::isfinite(number->get())) return std::nullopt;
    std::string literal = LiteralOf(*number, text_);
    if (!IsDecimal(literal)) return std::nullopt;
    return literal;
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
                          std::optional<std::string>& number) const {
    number = NumberText(node);
    if (number.has_value()) return absl::OkStatus();
    return Bad(node, absl::StrCat(key, " must be a number"));
  }

  absl::Status ReadTolerance(const toml::node& node) {
    check_.tolerance = NumberText(node);
    if (const auto* text = node.as_string()) {
      absl::string_view digits = text->get();
      if (absl::ConsumeSuffix(&digits, "%") && IsDecimal(digits)) {
        check_.tolerance = std::string(digits);
        check_.tolerance_in_percent = true;
      }
    }
    if (check_.tolerance.has_value() &&
        !absl::StartsWith(*check_.tolerance, "-")) {
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
    const bool needs_answer =
        use_ == CheckUse::kExpected && !check_.expect.has_value() && !bounds;
    if (needs_answer || (check_.expect.has_value() && bounds)) {
      return Bad(table_, absl::StrCat("check \"", check_.name,
                                      "\": either expect, or min and max"));
    }
    if (check_.tolerance.has_value() && !MayTolerate(bounds)) {
      return Bad(table_,
                 absl::StrCat("check \"", check_.name,
                              "\": a tolerance needs a number to expect"));
    }
    return absl::OkStatus();
  }

  bool MayTolerate(bool bounds) const {
    if (check_.expect.has_value()) return IsDecimal(*check_.expect);
    return use_ == CheckUse::kCompared && !bounds;
  }

  const toml::table& table_;
  absl::string_view text_;
  absl::string_view file_name_;
  CheckUse use_;
  SqlCheck check_;
};

}  // namespace

absl::StatusOr<std::vector<SqlCheck>> ParseChecks(absl::string_view text,
                                                  absl::string_view file_name,
                                                  CheckUse use) {
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
      ASSIGN_OR_RETURN(SqlCheck read,
                       CheckReader(*check, text, file_name, use).Read());
      checks.push_back(std::move(read));
    }
  }
  return checks;
}

absl::StatusOr<std::vector<SqlCheck>> ReadChecksFile(const std::string& path,
                                                     CheckUse use) {
  ASSIGN_OR_RETURN(const std::string text, ReadSettingsFile(path));
  return ParseChecks(text, path, use);
}

}  // namespace walferry
