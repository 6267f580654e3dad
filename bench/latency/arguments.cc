#include "bench/latency/arguments.h"

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "bench/option_pairs.h"
#include "protocol/status.h"

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
    arguments.walferry_args = Words(value);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<LatencyArguments> ParseLatencyArguments(int argc, char** argv) {
  LatencyArguments arguments;
  RETURN_IF_ERROR(ParseOptionPairs(
      argc, argv, [&](absl::string_view name, absl::string_view value) {
        return ParseOption(name, value, arguments);
      }));
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
