// The walferry command is killed again and again, and loses nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

constexpr int kKills = 20;
constexpr int kAccounts = 60000;

std::string Content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start());
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start());
    ASSERT_OK(source_->Exec("CREATE DATABASE app"));
    ASSERT_OK(target_->Exec("CREATE DATABASE app"));
    ASSERT_OK(source_->Exec(WriterSchemaSql(kAccounts), "app"));
  }

  ChildOptions Command(const std::string& events,
                       const std::string& log) const {
    return {.command = {WALFERRY_BINARY,   "migrate",
                        "--mode",          "online",
                        "--name",          "killed",
                        "--cutover",       "auto",
                        "--split-size",    "1MiB",
                        "--jobs",          "2",
                        "--poll-interval", "100ms",
                        "--source",        source_->ConnInfo("app"),
                        "--target",        target_->ConnInfo("app"),
                        "--events",        events},
            .stdout_path = log,
            .stderr_path = log};
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
};

TEST_F(KillTest, TwentyKillsInAllPhasesLoseNothingAndCopyNothingTwice) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  Writers writers(source_->ConnInfo("app"), 2, seed);
  const std::vector<std::string> phases = {"check", "prepare", "schema", "copy",
                                           "copy",  "indexes", "follow"};
  for (int kill = 0; kill < kKills; ++kill) {
    const std::string events = absl::StrCat(directory.path(), "/events", kill);
    const std::string log = absl::StrCat(directory.path(), "/log", kill);
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry,
                         ChildProcess::Start(Command(events, log)));
    // In a phase if it still comes to that, and then at any moment.
    const std::string& phase = phases[random() % phases.size()];
    const std::string started = absl::StrCat("\"phase\":\"", phase, "\"");
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(Content(events), started) ||
             absl::StrContains(Content(events), "\"phase\":\"follow\"") ||
             walferry.Poll().has_value();
    })) << Content(log);
    ASSERT_FALSE(walferry.Poll().has_value()) << Content(log);
    const absl::Time until =
        absl::Now() + absl::Milliseconds(static_cast<int64_t>(random() % 400));
    WaitUntil([&] { return absl::Now() >= until; });
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
  }
  writers.Stop();
  const std::string log = directory.path() + "/last";
  ASSERT_OK_AND_ASSIGN(
      ChildProcess last,
      ChildProcess::Start(Command(directory.path() + "/events", log)));
  ASSERT_THAT(last.Wait(absl::Minutes(2)), IsOkAndHolds(0)) << Content(log);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  EXPECT_THAT(source_->QueryValue(
                  "SELECT (SELECT count(*) FROM pg_replication_slots) + "
                  "(SELECT count(*) FROM pg_publication)",
                  "app"),
              IsOkAndHolds("0"));
  // Every block was copied by one range.
  EXPECT_THAT(
      target_->QueryValue(
          "SELECT count(*) FROM walferry.copy_range a JOIN "
          "walferry.copy_range b USING (migration, schema_name, table_name) "
          "WHERE a.first_block < b.first_block AND (a.end_block > "
          "b.first_block OR a.end_block < 0)",
          "app"),
      IsOkAndHolds("0"));
  EXPECT_THAT(target_->QueryValue("SELECT count(*) > 1 FROM "
                                  "walferry.copy_range WHERE table_name = "
                                  "'accounts'",
                                  "app"),
              IsOkAndHolds("t"));
}

}  // namespace
}  // namespace walferry
