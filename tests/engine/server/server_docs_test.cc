#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "engine/server/create_database.h"
#include "engine/server/globals_plan.h"
#include "engine/server/server_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/read_file.h"

namespace walferry {
namespace {

std::filesystem::path Root() {
  return std::filesystem::path(TestsDirectory()).parent_path();
}

std::vector<std::string> Matches(const std::string& text,
                                 const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end;
       match != end; ++match) {
    found.push_back((*match)[1]);
  }
  return found;
}

std::vector<std::string> AllIds() {
  std::vector<std::string> ids;
  for (const auto list :
       {GlobalsFindingIds(), DatabaseFindingIds(), ServerFindingIds()}) {
    for (const absl::string_view id : list) ids.emplace_back(id);
  }
  return ids;
}

TEST(ServerDocs, ListEveryFinding) {
  EXPECT_THAT(Matches(ReadFile(Root() / "docs" / "servers.md"),
                      R"re(\n\| `([a-z-]+)` \|)re"),
              ::testing::ContainerEq(AllIds()));
}

TEST(ServerFindings, HaveIdsThatAreListed) {
  std::vector<std::string> in_code;
  for (const auto& entry :
       std::filesystem::directory_iterator(Root() / "engine" / "server")) {
    if (entry.path().extension() != ".cc") continue;
    for (std::string& id :
         Matches(ReadFile(entry.path()),
                 R"re(findings_?\.\w+\(\s*\{\s*"([a-z-]+)")re")) {
      in_code.push_back(std::move(id));
    }
  }
  std::vector<std::string> listed = AllIds();
  absl::c_sort(in_code);
  in_code.erase(std::unique(in_code.begin(), in_code.end()), in_code.end());
  absl::c_sort(listed);
  EXPECT_THAT(in_code, ::testing::ContainerEq(listed));
}

}  // namespace
}  // namespace walferry
