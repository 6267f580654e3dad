// A stream that is applied over several sessions: what a reader of the target
// sees are states of the source, whatever happens to the sessions meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

// One client moves money between two tables, and numbers what it does.
constexpr char kBankSql[] =
    "CREATE TABLE savings (id int PRIMARY KEY, balance int NOT NULL);"
    "CREATE TABLE current (id int PRIMARY KEY, balance int NOT NULL);"
    "CREATE TABLE journal (n int PRIMARY KEY);";
constexpr char kBankRows[] =
    "INSERT INTO savings SELECT i, 100 FROM generate_series(1, 500) i;"
    "INSERT INTO current SELECT i, 100 FROM generate_series(1, 500) i;";

// What holds between two transactions of the source, and nowhere else. "t|N":
// N transfers are there.
constexpr char kInvariantSql[] =
    "SELECT (coalesce((SELECT sum(balance) FROM savings), 0)"
    " + coalesce((SELECT sum(balance) FROM current), 0) IN (0, 100000)"
    " AND (SELECT count(*) = coalesce(max(n), 0) FROM journal))::text"
    " || '|' || (SELECT count(*) FROM journal)";

constexpr char kIsAhead[] = "state = 'idle in transaction'";

class ApplyJobsTest : public AppTest,
                      public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam()}, {.bin_dir = GetParam()});
    if (HasFatalFailure()) return;
    CreateApp();
    // Without the table that has no key: it would be a wall in every batch.
    // The transactions that need it are rolled back.
    const std::string schema =
        absl::StrCat(kBankSql, WriterSchemaSql(500), "; DROP TABLE notes");
    ASSERT_OK(OnSource(schema));
    ASSERT_OK(OnTarget(schema));
    ASSERT_OK(OnSource("CREATE PUBLICATION pub FOR ALL TABLES"));
    ASSERT_OK(
        OnSource("SELECT pg_create_logical_replication_slot('slot', "
                 "'pgoutput')"));
    ASSERT_OK(OnSource(kBankRows));
  }

  FollowOptions Options() const {
    FollowOptions options;
    options.endpoints = Both();
    options.slot = "slot";
    options.publications = {"pub"};
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    options.stream.apply_jobs = 4;
    // Many batches, also of few transactions, and transactions of several.
    options.stream.batch_bytes = 8 << 10;
    return options;
  }

  std::string ApplySessions(absl::string_view condition = "true") const {
    return TargetValue(
               absl::StrCat("SELECT count(*) FROM pg_stat_activity WHERE "
                            "application_name = 'walferry test: apply' AND ",
                            condition))
        .value_or("?");
  }

  // Commits of the target wait for the standby `name`; "": for none.
  absl::Status SetStandby(absl::string_view name) {
    RETURN_IF_ERROR(target_->Exec(absl::StrCat(
        "ALTER SYSTEM SET synchronous_standby_names = '", name, "'")));
    return target_->Exec("SELECT pg_reload_conf()");
  }
};

class Bank {
 public:
  Bank(std::string conninfo, uint64_t seed)
      : thread_([this, conninfo = std::move(conninfo), seed] {
          Move(conninfo, seed);
        }) {}
  ~Bank() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int done() const { return done_; }

 private:
  void Move(const std::string& conninfo, uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](int most) {
      return std::uniform_int_distribution<int>(1, most)(random);
    };
    auto connection = SqlConnection::Open(conninfo);
    ASSERT_OK(connection.status());
    while (!stopping_) {
      const int amount = pick(20);
      // Some are larger than a batch.
      const int rows = pick(200) == 1 ? 300 : pick(3);
      ASSERT_OK(connection->Exec(
          absl::StrCat("BEGIN; UPDATE savings SET balance = balance - ", amount,
                       " WHERE id <= ", rows, "; INSERT INTO journal VALUES (",
                       done_ + 1, "); UPDATE current SET balance = balance + ",
                       amount, " WHERE id > 500 - ", rows, "; COMMIT")));
      ++done_;
    }
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<int> done_ = 0;
  std::thread thread_;
};

// Looks at the target again and again.
class Reader {
 public:
  explicit Reader(std::string conninfo)
      : thread_([this, conninfo = std::move(conninfo)] { Look(conninfo); }) {}
  ~Reader() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int seen() const { return seen_; }
  int looks() const { return looks_; }

 private:
  void Look(const std::string& conninfo) {
    auto connection = SqlConnection::Open(conninfo);
    while (!stopping_) {
      if (!connection.ok() || PQstatus(connection->raw()) != CONNECTION_OK) {
        absl::SleepFor(absl::Milliseconds(20));
        connection = SqlConnection::Open(conninfo);
        continue;
      }
      const auto value = connection->QueryValue(kInvariantSql);
      if (!value.ok()) continue;
      ++looks_;
      const size_t bar = value->find('|');
      EXPECT_EQ(value->substr(0, bar), "true") << *value;
      const int now = std::stoi(value->substr(bar + 1));
      EXPECT_GE(now, seen_.load());
      seen_ = now;
    }
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<int> seen_ = 0;
  std::atomic<int> looks_ = 0;
  std::thread thread_;
};

TEST_P(ApplyJobsTest, ReadersSeeTheSourcesStatesWhateverHappensToTheSessions) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_EQ(ApplySessions(), "4");
  Reader reader(target_->ConnInfo("app"));
  Bank bank(source_->ConnInfo("app"), seed);
  Writers writers(source_->ConnInfo("app"), 3, seed);
  const auto goes_on = [&] {
    const int seen = reader.seen();
    return WaitUntil([&] { return reader.seen() > seen + 50 || run.ended(); });
  };
  ASSERT_TRUE(goes_on());
  // Delays some sessions and not others.
  for (const char* table : {"savings", "accounts", "journal", "current"}) {
    ASSERT_OK(OnTarget(absl::StrCat("BEGIN; LOCK TABLE ", table,
                                    " IN SHARE ROW EXCLUSIVE MODE; SELECT "
                                    "pg_sleep(0.3); COMMIT")));
    ASSERT_TRUE(goes_on());
  }
  // Ends one of them, then all.
  for (int round = 0; round < 3; ++round) {
    ASSERT_OK(
        OnTarget("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE application_name = 'walferry test: apply' ORDER BY "
                 "random() LIMIT 1"));
    ASSERT_TRUE(goes_on());
  }
  ASSERT_OK(target_->Kill9());
  ASSERT_OK(target_->Restart());
  ASSERT_TRUE(goes_on());
  bank.Stop();
  writers.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  reader.Stop();
  EXPECT_GT(reader.looks(), 0);
  EXPECT_THAT(TargetValue("SELECT count(*) FROM journal"),
              IsOkAndHolds(absl::StrCat(bank.done())));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"),
                       {.sequences = false});
}

// What is behind a conflict is ahead when it is met: the commits before it wait
// for a standby that is not there.
TEST_P(ApplyJobsTest, StopsAtAConflictWithNothingBehindItApplied) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  // That is near, and not there.
  ASSERT_TRUE(WaitUntil([this] {
    return TargetValue("SELECT count(*) FROM savings").value_or("") == "500";
  }));
  ASSERT_OK(OnTarget("DELETE FROM savings WHERE id = 77"));
  ASSERT_OK(SetStandby("nobody"));
  for (int step = 1; step <= 40; ++step) {
    ASSERT_OK(OnSource(absl::StrCat(
        "BEGIN; INSERT INTO journal VALUES (", step,
        "); UPDATE savings SET balance = 100 WHERE id = ", 57 + step,
        "; INSERT INTO orders (account, amount) SELECT 1, 1 FROM "
        "generate_series(1, 20); COMMIT")));
  }
  EXPECT_TRUE(WaitUntil([&] { return ApplySessions(kIsAhead) == "3"; }))
      << ApplySessions(kIsAhead);
  ASSERT_OK(SetStandby(""));
  EXPECT_EQ(run.Result().status().code(),
            absl::StatusCode::kFailedPrecondition);
  const std::vector<ConflictFound> conflicts =
      run.events().All<ConflictFound>();
  ASSERT_EQ(conflicts.size(), 1u);
  EXPECT_EQ(conflicts.front().conflict.key, "id=77");
  EXPECT_THAT(TargetValue("SELECT count(*) = max(n) AND max(n) < 20 FROM "
                          "journal"),
              IsOkAndHolds("t"));
  ASSERT_OK(OnTarget("INSERT INTO savings VALUES (77, 0)"));
  FollowOptions options = Options();
  options.until_lsn = Now();
  Control control;
  EventRecorder events;
  ASSERT_OK(RunFollow(options, control, events));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM journal"), IsOkAndHolds("40"));
  EXPECT_THAT(TargetValue("SELECT balance FROM savings WHERE id = 77"),
              IsOkAndHolds("100"));
}

TEST_P(ApplyJobsTest, LeavesNoOriginBehind) {
  FollowOptions options = Options();
  options.until_lsn = Now();
  Control control;
  EventRecorder events;
  ASSERT_OK(RunFollow(options, control, events));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_replication_origin"),
              IsOkAndHolds("4"));
  ASSERT_OK(RunCleanup({.endpoints = Both()}, control).status());
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_replication_origin"),
              IsOkAndHolds("0"));
}

TEST_P(ApplyJobsTest, GoesOnWithFewerSessionsWhereTheTargetHasNoMore) {
  ASSERT_OK(target_->Exec("ALTER SYSTEM SET max_replication_slots = 2"));
  if (target_->major_version() >= 18) {
    ASSERT_OK(
        target_->Exec("ALTER SYSTEM SET max_active_replication_origins = 2"));
  }
  ASSERT_OK(target_->Restart());
  FollowOptions options = Options();
  options.until_lsn = Now();
  Control control;
  EventRecorder events;
  ASSERT_OK(RunFollow(options, control, events));
  bool told = false;
  for (const Notice& notice : events.All<Notice>()) {
    if (notice.level != Notice::Level::kWarning) continue;
    EXPECT_EQ(notice.text,
              "changes are applied over 2 instead of 4 sessions: target: the "
              "target has no replication origin left");
    told = true;
  }
  EXPECT_TRUE(told);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"),
                       {.sequences = false});
}

INSTANTIATE_TEST_SUITE_P(Servers, ApplyJobsTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
