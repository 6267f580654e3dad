#include "bench/verify/arguments.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bench/option_pairs.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kWalferryArgs = "--method checksum";

// False: there is no such option, or not with this value.
bool ParseOption(absl::string_view name, absl::string_view value,
                 VerifyArguments& arguments) {
  if (name == "--scale") {
    return absl::SimpleAtod(value, &arguments.scale) && arguments.scale > 0;
  }
  if (name == "--repeat") {
    return absl::SimpleAtoi(value, &arguments.repeat) && arguments.repeat > 0;
  }
  if (name == "--jobs") {
    return absl::SimpleAtoi(value, &arguments.jobs) && arguments.jobs > 0;
  }
  if (name == "--walferry-args") {
    arguments.walferry_args = Words(value);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<VerifyArguments> ParseVerifyArguments(int argc, char** argv) {
  VerifyArguments arguments{.walferry_args = Words(kWalferryArgs)};
  RETURN_IF_ERROR(ParseOptionPairs(
      argc, argv, [&](absl::string_view name, absl::string_view value) {
        return ParseOption(name, value, arguments);
      }));
  return arguments;
}

std::string VerifyUsage() {
  return absl::StrCat(
      "usage: verify [OPTION VALUE]...\n"
      "  --scale NUMBER         of rows; 1\n"
      "  --repeat NUMBER        runs of both, in turns; 1\n"
      "  --jobs NUMBER          sessions of both on each side; 2\n"
      "  --walferry-args \"...\"  what follows walferry verify and its "
      "connections;\n"
      "                         ",
      kWalferryArgs, "\n");
}

}  // namespace walferry
