#include "bench/copy/arguments.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bench/option_pairs.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Nobody else analyzes the tables or compares them.
constexpr absl::string_view kWalferryArgs =
    "--mode offline --jobs 2 --index-jobs 2 --no-analyze --verify off";

// False: there is no such option, or not with this value.
bool ParseOption(absl::string_view name, absl::string_view value,
                 CopyArguments& arguments) {
  if (name == "--scale") {
    return absl::SimpleAtod(value, &arguments.scale) && arguments.scale > 0;
  }
  if (name == "--repeat") {
    return absl::SimpleAtoi(value, &arguments.repeat) && arguments.repeat > 0;
  }
  if (name == "--json") {
    arguments.json = std::string(value);
    return !value.empty();
  }
  if (name == "--skip") {
    return ParseSkip(value, {{"dump", &arguments.dump},
                             {"floor", &arguments.floor},
                             {"walferry", &arguments.walferry}});
  }
  if (name == "--walferry-args") {
    arguments.walferry_args = Words(value);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<CopyArguments> ParseCopyArguments(int argc, char** argv) {
  CopyArguments arguments{.walferry_args = Words(kWalferryArgs)};
  RETURN_IF_ERROR(ParseOptionPairs(
      argc, argv, [&](absl::string_view name, absl::string_view value) {
        return ParseOption(name, value, arguments);
      }));
  return arguments;
}

std::string CopyUsage() {
  return absl::StrCat(
      "usage: copy [OPTION VALUE]...\n"
      "  --scale NUMBER         of rows; 1\n"
      "  --repeat NUMBER        runs of everybody; 1\n"
      "  --json FILE            all figures\n"
      "  --skip NAME,...        of dump,floor,walferry\n"
      "  --walferry-args \"...\"  what follows walferry migrate and its "
      "connections;\n"
      "                         ",
      kWalferryArgs, "\n");
}

}  // namespace walferry
