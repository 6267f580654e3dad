#include "tests/differential/seeds.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace walferry {

Seeds SeedsOfEnvironment() {
  const char* text = std::getenv("WALFERRY_TEST_SEEDS");
  if (text == nullptr || *text == '\0') return {};
  std::pair<std::string, std::string> range =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  if (range.second.empty()) range.second = range.first;
  Seeds seeds;
  if (!absl::SimpleAtoi(range.first, &seeds.first) ||
      !absl::SimpleAtoi(range.second, &seeds.last) ||
      seeds.last < seeds.first) {
    std::fprintf(stderr, "WALFERRY_TEST_SEEDS=%s: neither 17 nor 1-200\n",
                 text);
    std::exit(2);
  }
  return seeds;
}

}  // namespace walferry
