#include "bench/copy/arguments.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace walferry {
namespace {

// Nobody else analyzes the tables either.
constexpr absl::string_view kWalferryArgs =
    "--mode offline --jobs 2 --index-jobs 2 --no-analyze";

std::vector<std::string> Words(absl::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

bool ParseSkip(absl::string_view value, CopyArguments& arguments) {
  for (const absl::string_view name : absl::StrSplit(value, ',')) {
    if (name == "dump") {
      arguments.dump = false;
    } else if (name == "floor") {
      arguments.floor = false;
    } else if (name == "walferry") {
      arguments.walferry = false;
    } else {
      return false;
    }
  }
  return true;
}

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
  if (name == "--skip") return ParseSkip(value, arguments);
  if (name == "--walferry-args") {
    arguments.walferry_args = Words(value);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<CopyArguments> ParseCopyArguments(int argc, char** argv) {
  CopyArguments arguments{.walferry_args = Words(kWalferryArgs)};
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
