#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "engine/check/check_ids.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/read_file.h"

namespace walferry {
namespace {

int Rank(const std::string& severity) {
  constexpr const char* kOrder[] = {"ok", "info", "warning", "acceptable",
                                    "blocking"};
  return static_cast<int>(
      std::find(std::begin(kOrder), std::end(kOrder), severity) -
      std::begin(kOrder));
}

// Each finding's id and the worst severity that the source code gives it.
std::map<std::string, std::string> InCode(const std::filesystem::path& folder) {
  const std::regex finding(R"re(findings\.(\w+)\(\s*\{\s*"([a-z-]+)")re");
  std::map<std::string, std::string> worst;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("check_", 0) != 0) continue;
    const std::string text = ReadFile(entry.path());
    for (std::sregex_iterator match(text.begin(), text.end(), finding), end;
         match != end; ++match) {
      std::string severity = (*match)[1];
      severity[0] = static_cast<char>(severity[0] - 'A' + 'a');
      std::string& so_far = worst[(*match)[2]];
      if (so_far.empty() || Rank(so_far) < Rank(severity)) so_far = severity;
    }
  }
  return worst;
}

std::map<std::string, std::string> InDocs(const std::filesystem::path& page) {
  const std::regex row(R"re(\n\| `([a-z-]+)` \| (\w+) \|)re");
  const std::string text = ReadFile(page);
  std::map<std::string, std::string> rows;
  for (std::sregex_iterator match(text.begin(), text.end(), row), end;
       match != end; ++match) {
    rows[(*match)[1]] = (*match)[2];
  }
  return rows;
}

std::filesystem::path Root() {
  return std::filesystem::path(TestsDirectory()).parent_path();
}

TEST(CheckDocs, ListEveryFindingWithItsWorstSeverity) {
  const std::map<std::string, std::string> in_code =
      InCode(Root() / "engine" / "check");
  EXPECT_GT(in_code.size(), 60u);
  EXPECT_THAT(InDocs(Root() / "docs" / "check.md"),
              ::testing::ContainerEq(in_code));
}

TEST(CheckDocs, EveryFindingMayBeAccepted) {
  std::vector<std::string> ids = {"schema-change"};
  for (const auto& [id, severity] : InCode(Root() / "engine" / "check")) {
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_THAT(AcceptIds(), ::testing::ElementsAreArray(ids));
}

}  // namespace
}  // namespace walferry
