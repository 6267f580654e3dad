#include "tools/option_value.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "protocol/status.h"
#include "tools/near_name.h"

namespace walferry {
namespace {

struct SizeUnit {
  absl::string_view name;
  int shift;
};
constexpr SizeUnit kSizeUnits[] = {
    {"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}};

// "64MiB", also "64MB", "64M", "64 mib": powers of 1024 as in postgresql.conf.
std::optional<uint64_t> ParseSize(absl::string_view text) {
  const size_t digits =
      std::min(text.find_first_not_of("0123456789"), text.size());
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text.substr(0, digits), &number)) return std::nullopt;
  const std::string unit =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(digits)));
  if (unit.empty() || unit == "b") return number;
  for (const SizeUnit& known : kSizeUnits) {
    const std::string letter = absl::AsciiStrToLower(known.name.substr(0, 1));
    if (unit != letter && unit != letter + "b" && unit != letter + "ib") {
      continue;
    }
    if (number > std::numeric_limits<uint64_t>::max() >> known.shift) {
      return std::nullopt;
    }
    return number << known.shift;
  }
  return std::nullopt;
}

std::string SizeText(uint64_t bytes) {
  for (const SizeUnit& unit : kSizeUnits) {
    const uint64_t factor = uint64_t{1} << unit.shift;
    if (bytes >= factor && bytes % factor == 0) {
      return absl::StrCat(bytes / factor, unit.name);
    }
  }
  return absl::StrCat(bytes);
}

std::optional<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(std::string(text), &duration)) return std::nullopt;
  if (duration < absl::ZeroDuration()) return std::nullopt;
  if (duration == absl::InfiniteDuration()) return std::nullopt;
  return duration;
}

std::optional<bool> ParseBool(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (absl::string_view word : {"true", "on", "yes", "1"}) {
    if (lower == word) return true;
  }
  for (absl::string_view word : {"false", "off", "no", "0"}) {
    if (lower == word) return false;
  }
  return std::nullopt;
}

bool IsName(absl::string_view text, absl::string_view longest) {
  size_t limit = 0;
  if (!absl::SimpleAtoi(longest, &limit)) return false;
  const auto allowed = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '_';
  };
  return !text.empty() && text.size() <= limit &&
         std::all_of(text.begin(), text.end(), allowed);
}

// Whether `value` lies between the texts `minimum` and `maximum`, read by
// `parse`.
template <typename T, typename Parse>
bool InRange(const OptionSpec& spec, const T& value, Parse parse) {
  if (!spec.minimum.empty() && value < parse(spec.minimum)) return false;
  return spec.maximum.empty() || !(parse(spec.maximum) < value);
}

std::optional<int64_t> ParseInteger(absl::string_view text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

// The value of `text` if it is one of that type and within the bounds.
template <typename T, typename Parse>
std::optional<OptionValue> Bounded(const OptionSpec& spec,
                                   absl::string_view text, Parse parse) {
  const auto value = parse(text);
  if (!value.has_value() || !InRange(spec, value, parse)) return std::nullopt;
  return OptionValue(T{*value});
}

std::optional<OptionValue> ParseLsnText(absl::string_view text) {
  const absl::StatusOr<Lsn> lsn = Lsn::Parse(text);
  if (!lsn.ok()) return std::nullopt;
  return OptionValue(std::optional<Lsn>(*lsn));
}

std::optional<OptionValue> ParseScalar(const OptionSpec& spec,
                                       const std::string& text) {
  switch (spec.type) {
    case OptionType::kString:
      if (text.empty()) return std::nullopt;
      return OptionValue(text);
    case OptionType::kName:
      if (!IsName(text, spec.maximum)) return std::nullopt;
      return OptionValue(text);
    case OptionType::kFlag:
      if (std::optional<bool> flag = ParseBool(text)) return *flag;
      return std::nullopt;
    case OptionType::kInteger:
      return Bounded<int64_t>(spec, text, ParseInteger);
    case OptionType::kSize:
      return Bounded<ByteSize>(spec, text, ParseSize);
    case OptionType::kDuration:
      return Bounded<absl::Duration>(spec, text, ParseDuration);
    case OptionType::kLsn:
      return ParseLsnText(text);
    case OptionType::kChoice: {
      const std::vector<std::string> choices = ChoicesOf(spec.choices);
      if (!std::count(choices.begin(), choices.end(), text)) {
        return std::nullopt;
      }
      return OptionValue(text);
    }
    case OptionType::kList:
      break;  // Not a scalar.
  }
  return std::nullopt;
}

std::string Hint(const OptionSpec& spec, const std::string& text) {
  if (spec.type == OptionType::kChoice) {
    const std::vector<std::string> choices = ChoicesOf(spec.choices);
    const std::string near = NearestName(
        text, std::vector<absl::string_view>(choices.begin(), choices.end()));
    return near.empty() ? "" : absl::StrCat("did you mean ", near, "?");
  }
  if (spec.type == OptionType::kDuration && ParseInteger(text).has_value()) {
    return absl::StrCat("give a unit: ", text, "s is seconds, ", text,
                        "m minutes");
  }
  // A longer number was meant as bytes.
  if (spec.type == OptionType::kSize && text.size() < 7 &&
      ParseInteger(text).has_value()) {
    return absl::StrCat("without a unit it is bytes; did you mean ", text,
                        "MiB?");
  }
  return "";
}

std::string RangeText(const OptionSpec& spec) {
  if (!spec.minimum.empty() && !spec.maximum.empty()) {
    return absl::StrCat(" from ", spec.minimum, " to ", spec.maximum);
  }
  if (!spec.minimum.empty()) return absl::StrCat(" of at least ", spec.minimum);
  if (!spec.maximum.empty()) return absl::StrCat(" of at most ", spec.maximum);
  return "";
}

}  // namespace

absl::StatusOr<OptionValue> ParseOptionValue(
    const OptionSpec& spec, const std::vector<std::string>& texts) {
  if (spec.type == OptionType::kList) {
    if (std::count(texts.begin(), texts.end(), "")) {
      return absl::InvalidArgumentError("must not hold an empty element");
    }
    return OptionValue(texts);
  }
  if (texts.size() != 1) {
    return absl::InvalidArgumentError("must be given once");
  }
  const std::string& text = texts.front();
  if (std::optional<OptionValue> value = ParseScalar(spec, text)) {
    return *std::move(value);
  }
  std::string error = absl::StrCat("must be ", Expectation(spec));
  if (!spec.secret) absl::StrAppend(&error, ", not \"", text, "\"");
  const std::string hint = Hint(spec, text);
  absl::Status status = absl::InvalidArgumentError(error);
  return hint.empty() ? status : WithHint(status, hint);
}

OptionValue DefaultValue(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kList:
      return std::vector<std::string>();
    case OptionType::kLsn:
      return std::optional<Lsn>();
    case OptionType::kString:
    case OptionType::kName:
    case OptionType::kChoice:
      return std::string(spec.default_text);
    case OptionType::kFlag:
    case OptionType::kInteger:
    case OptionType::kSize:
    case OptionType::kDuration:
      break;
  }
  // The table's defaults parse: tests/tools/option_table_test.cc.
  return *ParseScalar(spec, std::string(spec.default_text));
}

std::vector<std::string> SplitListText(absl::string_view text) {
  std::vector<std::string> elements;
  for (absl::string_view element :
       absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    elements.emplace_back(absl::StripAsciiWhitespace(element));
  }
  return elements;
}

std::string ToText(const OptionValue& value) {
  struct Printer {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::vector<std::string>& list) const {
      return absl::StrJoin(list, ",");
    }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(int64_t number) const {
      return absl::StrCat(number);
    }
    std::string operator()(ByteSize size) const { return SizeText(size.bytes); }
    std::string operator()(absl::Duration duration) const {
      return absl::FormatDuration(duration);
    }
    std::string operator()(const std::optional<Lsn>& lsn) const {
      return lsn.has_value() ? lsn->ToString() : "";
    }
  };
  return std::visit(Printer(), value);
}

std::vector<std::string> ChoicesOf(absl::string_view choices) {
  return absl::StrSplit(choices, '|', absl::SkipEmpty());
}

std::string Expectation(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kString:
    case OptionType::kList:
      return "a text that is not empty";
    case OptionType::kName:
      return absl::StrCat("1 to ", spec.maximum,
                          " characters of a-z, 0-9 and _");
    case OptionType::kFlag:
      return "true or false";
    case OptionType::kInteger:
      return absl::StrCat("a whole number", RangeText(spec));
    case OptionType::kSize:
      return absl::StrCat("a size", RangeText(spec), " (such as 64MiB)");
    case OptionType::kDuration:
      return absl::StrCat("a duration", RangeText(spec), " (such as 30s)");
    case OptionType::kLsn:
      return "a log position (such as 16/B374D848)";
    case OptionType::kChoice:
      return absl::StrJoin(ChoicesOf(spec.choices), " or ");
  }
  return "";
}

}  // namespace walferry
