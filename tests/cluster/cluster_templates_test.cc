#include "tests/testing/cluster_templates.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

class ClusterTemplatesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir folder, TempDir::Create());
    folder_.emplace(std::move(folder));
    std::filesystem::create_directory(Path("kept"));
  }

  std::string Path(const std::string& name) const {
    return folder_->path() + "/" + name;
  }

  // What the copy holds says which run of initdb it comes from.
  absl::Status Make(ClusterTemplates& templates, const std::string& key,
                    const std::string& name) {
    return templates.Make(key, /*user=*/"", Path(name),
                          [this](const std::string& directory) {
                            std::filesystem::create_directory(directory);
                            std::ofstream(directory + "/id") << ++made_;
                            return chmod(directory.c_str(), 0700) == 0
                                       ? absl::OkStatus()
                                       : absl::InternalError("chmod");
                          });
  }

  std::string Id(const std::string& name) const {
    return ReadFile(Path(name + "/id"));
  }

  std::optional<TempDir> folder_;
  int made_ = 0;
};

TEST_F(ClusterTemplatesTest, AnotherProcessGetsCopiesInTheSameOrder) {
  ClusterTemplates first(Path("kept"));
  ASSERT_OK(Make(first, "C", "a"));
  ASSERT_OK(Make(first, "C", "b"));
  ClusterTemplates second(Path("kept"));
  ASSERT_OK(Make(second, "C", "c"));
  ASSERT_OK(Make(second, "C", "d"));
  EXPECT_EQ(made_, 2);
  EXPECT_EQ(Id("a"), "1");
  EXPECT_EQ(Id("b"), "2");
  EXPECT_EQ(Id("c"), "1");
  EXPECT_EQ(Id("d"), "2");
  struct stat state = {};
  ASSERT_EQ(stat(Path("c").c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0700u);
}

TEST_F(ClusterTemplatesTest, NoTwoOfAProcessAreOfOneTemplate) {
  std::vector<std::string> ids;
  for (int process = 0; process < 2; ++process) {
    ClusterTemplates templates(Path("kept"));
    ids.clear();
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      std::filesystem::remove_all(Path(name));
      ASSERT_OK(Make(templates, "C", name));
      ids.push_back(Id(name));
    }
  }
  EXPECT_THAT(ids, testing::ElementsAre("1", "2", "3", "6", "7"));
}

TEST_F(ClusterTemplatesTest, OtherArgumentsMakeAnotherTemplate) {
  ClusterTemplates templates(Path("kept"));
  ASSERT_OK(Make(templates, "C", "a"));
  ClusterTemplates other(Path("kept"));
  ASSERT_OK(Make(other, "LATIN1", "b"));
  EXPECT_EQ(Id("b"), "2");
}

TEST_F(ClusterTemplatesTest, WhatCouldNotBeMadeIsMadeAnew) {
  ClusterTemplates first(Path("kept"));
  EXPECT_THAT(first.Make("C", "", Path("a"),
                         [](const std::string& directory) {
                           std::filesystem::create_directory(directory);
                           return absl::InternalError("no space");
                         }),
              StatusIs(absl::StatusCode::kInternal, "no space"));
  ClusterTemplates second(Path("kept"));
  ASSERT_OK(Make(second, "C", "b"));
  EXPECT_EQ(Id("b"), "1");
}

TEST_F(ClusterTemplatesTest, WithoutAFolderNothingIsKept) {
  ClusterTemplates templates("");
  ASSERT_OK(Make(templates, "C", "a"));
  ClusterTemplates other("");
  ASSERT_OK(Make(other, "C", "b"));
  EXPECT_EQ(Id("b"), "2");
}

}  // namespace
}  // namespace walferry
