#include "engine/stream/capture_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

class CaptureFile : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    path_ = directory_->path() + "/capture";
  }
  void Write(const std::vector<std::string>& frames) {
    ASSERT_OK_AND_ASSIGN(CaptureWriter writer, CaptureWriter::Create(path_));
    for (const std::string& frame : frames) ASSERT_OK(writer.Add(frame));
    ASSERT_OK(writer.Finish());
  }
  void Replace(const std::string& content) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }

  std::optional<TempDir> directory_;
  std::string path_;
};

TEST_F(CaptureFile, GivesTheFramesBack) {
  const std::vector<std::string> frames = {
      "first", "", std::string(300000, 'x'), std::string("\0\n", 2)};
  Write(frames);
  ASSERT_OK_AND_ASSIGN(const Capture capture, Capture::Read(path_));
  ASSERT_EQ(capture.frames().size(), frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(std::string(capture.frames()[i]), frames[i]) << i;
  }
}

TEST_F(CaptureFile, RefusesEveryCutAndNeverGivesDamagedFrames) {
  Write({"one", "two", "three"});
  const std::string whole = ReadFile(path_);
  for (size_t size = 0; size < whole.size(); ++size) {
    Replace(whole.substr(0, size));
    EXPECT_EQ(Capture::Read(path_).status().code(), absl::StatusCode::kDataLoss)
        << "cut to " << size << " of " << whole.size() << " bytes";
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    Replace(damaged);
    const auto capture = Capture::Read(path_);
    // A bit of the header may say nothing about the content.
    if (!capture.ok()) continue;
    EXPECT_THAT(capture->frames(),
                ::testing::ElementsAre("one", "two", "three"))
        << "byte " << i;
  }
}

TEST_F(CaptureFile, SaysWhyItCannotBeRead) {
  EXPECT_THAT(Capture::Read(path_).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "capture " + path_ +
                           ": cannot be read: No such file or directory"));
}

TEST_F(CaptureFile, IsNeverWrittenOver) {
  Write({"one"});
  const absl::Status status = CaptureWriter::Create(path_).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAlreadyExists,
                               "capture " + path_ + ": File exists"));
  EXPECT_EQ(HintOf(status),
            "a record is never written over: name another file, or remove "
            "this one first");
}

}  // namespace
}  // namespace walferry
