#include "engine/archive/file_marks.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

class FileMarksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    std::filesystem::create_directory(Path("a"));
    Write("a/toc", "one");
    Write("a/rows", "two");
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(directory_->path(), "/", name);
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
  }

  std::optional<TempDir> directory_;
};

TEST_F(FileMarksTest, AreTheSameUntilSomebodyWrites) {
  ASSERT_OK_AND_ASSIGN(const FileMarks marks, FileMarks::Of(Path("a")));
  ASSERT_OK_AND_ASSIGN(const FileMarks of_file, FileMarks::Of(Path("a/toc")));
  EXPECT_OK(marks.CheckUnchanged());
  EXPECT_OK(of_file.CheckUnchanged());
  Write("a/more", "three");
  std::filesystem::remove(Path("a/rows"));
  // As long as before, and of the same time: another file has its name.
  Write("new", "eno");
  std::filesystem::last_write_time(
      Path("new"), std::filesystem::last_write_time(Path("a/toc")));
  std::filesystem::rename(Path("new"), Path("a/toc"));
  EXPECT_THAT(
      marks.CheckUnchanged(),
      StatusIs(absl::StatusCode::kDataLoss,
               absl::StrCat("the archive was changed while it was "
                            "read: ",
                            Path("a/rows"), " is gone, ", Path("a/toc"),
                            " was changed, ", Path("a/more"), " is new")));
  EXPECT_THAT(of_file.CheckUnchanged(),
              StatusIs(absl::StatusCode::kDataLoss,
                       absl::StrCat("the archive was changed while it was "
                                    "read: ",
                                    Path("a/toc"), " was changed")));
}

TEST_F(FileMarksTest, SeeAChangeInPlace) {
  ASSERT_OK_AND_ASSIGN(const FileMarks marks, FileMarks::Of(Path("a/toc")));
  std::filesystem::last_write_time(
      Path("a/toc"), std::filesystem::last_write_time(Path("a/toc")) +
                         std::chrono::milliseconds(1));
  EXPECT_FALSE(marks.CheckUnchanged().ok());
  std::filesystem::remove(Path("a/toc"));
  EXPECT_EQ(marks.CheckUnchanged().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace walferry
