#include "bench/catchup/arguments.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bench/catchup/workload.h"
#include "bench/option_pairs.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::vector<std::string> WorkloadNames() {
  std::vector<std::string> names;
  for (const Workload& workload : Workloads(1)) names.push_back(workload.name);
  return names;
}

bool ParseWorkloads(absl::string_view value, Arguments& arguments) {
  arguments.workloads = absl::StrSplit(value, ',');
  const std::vector<std::string> known = WorkloadNames();
  return std::all_of(arguments.workloads.begin(), arguments.workloads.end(),
                     [&](const std::string& name) {
                       return std::count(known.begin(), known.end(), name) > 0;
                     });
}

bool ParseStreaming(absl::string_view value, Arguments& arguments) {
  if (value == "off") {
    arguments.stream.streaming = Streaming::kOff;
  } else if (value == "on") {
    arguments.stream.streaming = Streaming::kOn;
  } else if (value == "parallel") {
    arguments.stream.streaming = Streaming::kParallel;
  } else {
    return false;
  }
  return true;
}

bool ParseOnOff(absl::string_view value, bool& flag) {
  flag = value == "on";
  return value == "on" || value == "off";
}

// False: there is no such option, or not with this value.
bool ParseOption(absl::string_view name, absl::string_view value,
                 Arguments& arguments) {
  if (name == "--workloads") return ParseWorkloads(value, arguments);
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
    return ParseSkip(value, {{"native", &arguments.native},
                             {"walferry", &arguments.walferry}});
  }
  if (name == "--rtt") {
    return absl::ParseDuration(value, &arguments.round_trip) &&
           arguments.round_trip > absl::ZeroDuration();
  }
  if (name == "--target-indexes") {
    return absl::SimpleAtoi(value, &arguments.target_indexes) &&
           arguments.target_indexes >= 0;
  }
  if (name == "--protocol") {
    return absl::SimpleAtoi(value, &arguments.stream.protocol_version);
  }
  if (name == "--streaming") return ParseStreaming(value, arguments);
  if (name == "--binary") return ParseOnOff(value, arguments.stream.binary);
  if (name == "--walferry-args") {
    arguments.walferry_args = Words(value);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  RETURN_IF_ERROR(ParseOptionPairs(
      argc, argv, [&](absl::string_view name, absl::string_view value) {
        return ParseOption(name, value, arguments);
      }));
  if (!arguments.walferry && arguments.round_trip > absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--rtt needs walferry");
  }
  return arguments;
}

std::string Usage() {
  return absl::StrCat(
      "usage: catchup [OPTION VALUE]...\n"
      "  --workloads NAME,...   of ",
      absl::StrJoin(WorkloadNames(), ","),
      "; all\n"
      "  --scale NUMBER         of changes; 1\n"
      "  --repeat NUMBER        runs of each workload; 1\n"
      "  --json FILE            all figures\n"
      "  --skip NAME,...        of native,walferry\n"
      "  --rtt DURATION         walferry once more, with round trips to the "
      "target that take so long, e.g. 10ms\n"
      "  --target-indexes N     that many indexes more on each table of the "
      "target; 0\n"
      "  --protocol 1|2|3|4     of the floor's stream; 2\n"
      "  --streaming off|on|parallel\n"
      "                         transactions that are not over yet, for the "
      "floor and the subscription; on\n"
      "  --binary on|off        values in binary, for the floor and the "
      "subscription; off\n"
      "  --walferry-args \"...\"  arguments added to walferry follow\n");
}

}  // namespace walferry
