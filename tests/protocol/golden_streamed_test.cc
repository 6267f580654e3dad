// What servers sent of transactions that had not ended yet.

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pgoutput.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/golden_file.h"
#include "tests/testing/message_text.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAreArray;

// Collects streamed transactions as a subscriber must, in the plainest way.
class Spool {
 public:
  void Take(const Message& message) {
    const std::string text = texts_.TextOf(message);
    if (const auto* start = std::get_if<StreamStart>(&message)) {
      top_xid_ = start->xid;
    } else if (std::holds_alternative<StreamStop>(message)) {
      top_xid_ = 0;
    } else if (const auto* abort = std::get_if<StreamAbort>(&message)) {
      CutBack(abort->xid, abort->subxid);
    } else if (const auto* commit = std::get_if<StreamCommit>(&message)) {
      committed_.push_back("commit");
      for (const auto& [xid, change] : open_[commit->xid]) {
        committed_.push_back(change);
      }
    } else if (std::holds_alternative<Commit>(message)) {
      // Up to version 14 empty transactions come too.
      if (!plain_.empty()) committed_.push_back("commit");
      committed_.insert(committed_.end(), plain_.begin(), plain_.end());
      plain_.clear();
    } else if (!text.empty() && top_xid_ == 0) {
      plain_.push_back(text);
    } else if (!text.empty()) {
      open_[top_xid_].push_back({XidOf(message), text});
    }
  }

  const std::vector<std::string>& committed() const { return committed_; }

 private:
  struct Change {
    uint32_t xid;
    std::string text;
  };

  static uint32_t XidOf(const Message& message) {
    return std::visit(
        [](const auto& m) -> uint32_t {
          if constexpr (requires { m.xid; }) return m.xid;
          return 0;
        },
        message);
  }

  void CutBack(uint32_t xid, uint32_t subxid) {
    std::vector<Change>& changes = open_[xid];
    for (size_t index = 0; index < changes.size(); ++index) {
      if (changes[index].xid != subxid && subxid != xid) continue;
      changes.resize(index);
      return;
    }
  }

  ChangeTexts texts_;
  uint32_t top_xid_ = 0;
  std::map<uint32_t, std::vector<Change>> open_;
  std::vector<std::string> plain_;
  std::vector<std::string> committed_;
};

class GoldenStreamed : public ::testing::TestWithParam<GoldenFile> {};

TEST_P(GoldenStreamed, CommitsTheScenariosChanges) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  Spool spool;
  for (const Message& message : messages) spool.Take(message);
  EXPECT_THAT(spool.committed(),
              ElementsAreArray({
                  "commit",
                  "Insert t N(t'5', t'plain', n)",
                  "commit",
                  "Insert t N(t'2', t'b', t'b')",
                  "Update t K(t'2', n, n) N(t'20', t'b', t'b')",
                  "Delete t K(t'20', n, n)",
                  "Insert other N(t'6')",
                  "Update other O(t'6') N(t'7')",
                  "Delete other O(t'7')",
                  "commit",
                  "Insert t N(t'1', t'a', t'a')",
                  "Update t N(t'1', t'a2', t'a')",
                  "LogicalMessage transactional prefix=pfx content='in "
                  "stream'",
                  "Insert t N(t'8', t'a8', n)",
                  "commit",
                  "Truncate (other)",
                  "commit",
                  "Insert t N(t'10', t'from elsewhere', n)",
                  "commit",
                  "Insert t N(t'11', t'plain again', n)",
              }));
}

TEST_P(GoldenStreamed, SaysWhenItAbortedOnlyIfAppliedInParallel) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  int aborts = 0;
  for (const Message& message : messages) {
    const auto* abort = std::get_if<StreamAbort>(&message);
    if (abort == nullptr) continue;
    ++aborts;
    EXPECT_EQ(abort->abort_lsn.valid(), GetParam().parallel_streaming());
    EXPECT_EQ(abort->abort_time != 0, GetParam().parallel_streaming());
  }
  EXPECT_GE(aborts, 2);
}

// None where they cannot be read, which a test of its own notices.
std::vector<GoldenFile> FilesOf(const std::set<std::string>& scenarios) {
  absl::StatusOr<std::vector<GoldenFile>> files =
      ReadGoldenFiles(TestsDirectory() + "/golden", scenarios);
  return files.ok() ? *std::move(files) : std::vector<GoldenFile>();
}

std::string NameOf(const ::testing::TestParamInfo<GoldenFile>& test) {
  return test.param.Name();
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenStreamed,
                         ::testing::ValuesIn(FilesOf({"streamed", "parallel",
                                                      "immediate"})),
                         NameOf);

}  // namespace
}  // namespace walferry
