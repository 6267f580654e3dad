#include "bench/latency/arguments.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace walferry {
namespace {

// False: there is no such option, or not with this value.
bool ParseOption(absl::string_view name, absl::string_view value,
                 LatencyArguments& arguments) {
  if (name == "--of") {
    arguments.native = value == "native";
    return value == "native" || value == "walferry";
  }
  if (name == "--seconds") {
    return absl::SimpleAtoi(value, &arguments.seconds) && arguments.seconds > 0;
  }
  if (name == "--rate") {
    return absl::SimpleAtoi(value, &arguments.rate) && arguments.rate > 0;
  }
  if (name == "--json") {
    arguments.json = std::string(value);
    return !value.empty();
  }
  if (name == "--walferry-args") {
    arguments.walferry_args =
        absl::StrSplit(value, absl::ByAnyChar(" \n"), absl::SkipEmpty());
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<LatencyArguments> ParseLatencyArguments(int argc, char** argv) {
  LatencyArguments arguments;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) {
      return absl::InvalidArgumentError(absl::StrCat(argv[i], ": no value"));
    }
    if (!ParseOption(argv[i], argv[i + 1], arguments)) {
      return absl::InvalidArgumentError(
          absl::StrCat("not understood: ", argv[i], " ", argv[i + 1]));
    }
  }
  return arguments;
}

std::string LatencyUsage() {
  return "usage: latency [OPTION VALUE]...\n"
         "  --of walferry|native   who replicates; walferry\n"
         "  --seconds N            of writing; 60\n"
         "  --rate N               transactions per second; 500\n"
         "  --json FILE            all figures\n"
         "  --walferry-args \"...\"  arguments added to walferry follow\n";
}

}  // namespace walferry
