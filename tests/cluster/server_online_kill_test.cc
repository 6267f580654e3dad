// The command that moves all databases online is killed in the copy and in
// follow, and the same command goes on.

#include <csignal>
#include <optional>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/cluster/server_online_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/read_file.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

class ServerOnlineKillTest : public ServerOnlineTest {
 protected:
  void SetUp() override {
    ServerOnlineTest::SetUp();
    absl::StatusOr<TempDir> directory = TempDir::Create();
    ASSERT_OK(directory);
    directory_.emplace(*std::move(directory));
  }

  std::string Log(const std::string& run) const {
    return absl::StrCat(directory_->path(), "/log-", run);
  }

  absl::StatusOr<ChildProcess> Move(const std::string& run,
                                    const std::string& cutover,
                                    const std::string& freeze = "none") const {
    return ChildProcess::Start(
        {.command = {WalferryBinary(), "migrate", "--all-databases", "--mode",
                     "online", "--name", "killed", "--poll-interval", "100ms",
                     "--cutover", cutover, "--freeze", freeze, "--source",
                     source_->ConnInfo(), "--target", target_->ConnInfo()},
         .stdout_path = Log(run),
         .stderr_path = Log(run)});
  }

  void KillWhenItSays(const std::string& run, const std::string& text) const {
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry, Move(run, "manual"));
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(ReadFile(Log(run)), text) || walferry.Poll();
    }));
    ASSERT_FALSE(walferry.Poll()) << ReadFile(Log(run));
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
  }

  std::optional<TempDir> directory_;
};

TEST_F(ServerOnlineKillTest, GoesOnAfterKillsInTheCopyAndInFollow) {
  auto writers = Write();
  KillWhenItSays("copy", "shop: copy: started");
  if (HasFatalFailure()) return;
  KillWhenItSays("follow", "3 databases have caught up: to cut over");
  if (HasFatalFailure()) return;
  writers.clear();
  ASSERT_OK_AND_ASSIGN(ChildProcess last, Move("last", "auto"));
  ASSERT_THAT(last.Wait(2 * kTestPatience), IsOkAndHolds(0))
      << ReadFile(Log("last"));
  EXPECT_THAT(ReadFile(Log("last")),
              ::testing::HasSubstr("killed: 3 of 3 databases done"));
  ExpectAllEqual();
  ExpectNothingLeftOnSource();
}

// A freeze is a setting of the source's databases, and none of the target's.
TEST_F(ServerOnlineKillTest, LeavesTheTargetWritableAfterAKillWhileFrozen) {
  Start({.settings = {{"max_prepared_transactions", "2"}}});
  if (HasFatalFailure()) return;
  {
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry,
                         Move("frozen", "manual", "read-only"));
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(ReadFile(Log("frozen")), "caught up: to cut") ||
             walferry.Poll();
    }));
    ASSERT_OK(source_->Exec(
        "BEGIN; UPDATE accounts SET balance = balance + 1 WHERE id = 1; "
        "PREPARE TRANSACTION 'open'",
        "shop"));
    walferry.Signal(SIGINT);
    ASSERT_TRUE(WaitUntil([&] {
      return absl::c_all_of(kNames, [&](const char* name) {
        return source_->QueryValue("SHOW default_transaction_read_only", name)
                   .value_or("") == "on";
      });
    })) << ReadFile(Log("frozen"));
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
  }
  ASSERT_OK_AND_ASSIGN(ChildProcess last, Move("last", "auto", "read-only"));
  EXPECT_TRUE(WaitUntil(
      [&] { return source_->Exec("COMMIT PREPARED 'open'", "shop").ok(); }));
  ASSERT_THAT(last.Wait(2 * kTestPatience), IsOkAndHolds(0))
      << ReadFile(Log("last"));
  for (const char* name : kNames) {
    EXPECT_THAT(target_->QueryValue("SHOW default_transaction_read_only", name),
                IsOkAndHolds("off"));
  }
  ExpectAllEqual();
  ExpectNothingLeftOnSource();
}

TEST_F(ServerOnlineKillTest, OneCtrlCCutsAllOver) {
  ASSERT_OK_AND_ASSIGN(ChildProcess walferry, Move("signal", "manual"));
  ASSERT_TRUE(WaitUntil([&] {
    return absl::StrContains(ReadFile(Log("signal")), "caught up: to cut") ||
           walferry.Poll();
  }));
  walferry.Signal(SIGINT);
  ASSERT_THAT(walferry.Wait(2 * kTestPatience), IsOkAndHolds(0))
      << ReadFile(Log("signal"));
  ExpectAllEqual();
  ExpectNothingLeftOnSource();
}

}  // namespace
}  // namespace walferry
