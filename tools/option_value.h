#ifndef TOOLS_OPTION_VALUE_H_
#define TOOLS_OPTION_VALUE_H_

// One option's value: from text, checked against its row in the table, and
// back to text.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/lsn.h"
#include "tools/option_table.h"

namespace walferry {

struct ByteSize {
  uint64_t bytes = 0;
  friend bool operator==(const ByteSize&, const ByteSize&) = default;
};

// kString, kName, kChoice | kList | kFlag | kInteger | kSize | kDuration |
// kLsn ("" is nullopt).
using OptionValue =
    std::variant<std::string, std::vector<std::string>, bool, int64_t, ByteSize,
                 absl::Duration, std::optional<Lsn>>;

// `texts`: the elements of a list, or else exactly one text. kInvalidArgument
// reads on from the option's name, as in "must be a whole number from 1 to
// 256, not "x"", and may carry a hint; it does not repeat a secret value.
absl::StatusOr<OptionValue> ParseOptionValue(
    const OptionSpec& spec, const std::vector<std::string>& texts);

// The value that holds where nobody sets the option.
OptionValue DefaultValue(const OptionSpec& spec);

// Elements of a list as flags and environment write it: divided by commas,
// empty ones left out.
std::vector<std::string> SplitListText(absl::string_view text);

// As ParseOptionValue reads it; a list's elements joined by commas. Secrets
// are not taken out here.
std::string ToText(const OptionValue& value);

// "manual", "auto" of "manual|auto".
std::vector<std::string> ChoicesOf(absl::string_view choices);

// "a whole number from 1 to 256", for errors and help.
std::string Expectation(const OptionSpec& spec);

}  // namespace walferry

#endif  // TOOLS_OPTION_VALUE_H_
