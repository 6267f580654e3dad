// The walferry command is killed again and again, in every phase, and loses
// nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

constexpr int kKills = 20;

// On the target, once the ledger is there: whoever writes to one of its tables
// waits for a lock of ours, from the row on that makes the table `rows` long.
constexpr char kHold[] = R"sql(
  CREATE SCHEMA hold;
  CREATE FUNCTION hold.wait() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE rows bigint;
    BEGIN
      EXECUTE format('SELECT count(*) FROM %s', TG_RELID::regclass) INTO rows;
      IF rows >= TG_ARGV[0]::bigint THEN
        PERFORM pg_advisory_xact_lock_shared(1);
      END IF;
      RETURN NEW;
    END $$;
)sql";

// The phase that the last event tells of.
std::string LastPhase(const std::string& events) {
  constexpr absl::string_view kKey = "\"phase\":\"";
  const size_t at = events.rfind(std::string(kKey));
  if (at == std::string::npos) return "";
  const size_t begin = at + kKey.size();
  return events.substr(begin, events.find('"', begin) - begin);
}

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start());
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start());
    ASSERT_OK(source_->Exec("CREATE DATABASE app"));
    ASSERT_OK(target_->Exec("CREATE DATABASE app"));
    absl::StatusOr<TempDir> directory = TempDir::Create();
    ASSERT_OK(directory);
    directory_.emplace(*std::move(directory));
  }

  void Load(int accounts) {
    ASSERT_OK(source_->Exec(WriterSchemaSql(accounts), "app"));
  }

  std::string Events(absl::string_view run) const {
    return absl::StrCat(directory_->path(), "/events-", run);
  }
  std::string Log(absl::string_view run) const {
    return absl::StrCat(directory_->path(), "/log-", run);
  }

  absl::StatusOr<ChildProcess> StartMigrate(
      absl::string_view run, const std::string& cutover = "auto") const {
    return ChildProcess::Start(
        {.command = {WalferryBinary(),  "migrate",
                     "--mode",          "online",
                     "--name",          "killed",
                     "--cutover",       cutover,
                     "--split-size",    "1MiB",
                     "--jobs",          "2",
                     "--poll-interval", "100ms",
                     "--source",        source_->ConnInfo("app"),
                     "--target",        target_->ConnInfo("app"),
                     "--events",        Events(run)},
         .stdout_path = Log(run),
         .stderr_path = Log(run)});
  }

  void ExpectTheLastRunToMoveEverything() {
    ASSERT_OK_AND_ASSIGN(ChildProcess last, StartMigrate("last"));
    ASSERT_THAT(last.Wait(absl::Minutes(2)), IsOkAndHolds(0))
        << ReadFile(Log("last"));
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"),
                         {.excluded_schemas = {"walferry", "hold"}});
    EXPECT_THAT(source_->QueryValue(
                    "SELECT (SELECT count(*) FROM pg_replication_slots) + "
                    "(SELECT count(*) FROM pg_publication)",
                    "app"),
                IsOkAndHolds("0"));
  }

  // The ranges that are copied of a table with a key, with the time of it.
  std::set<std::string> Ranges() const {
    std::set<std::string> ranges;
    const auto any = target_->QueryValue(
        "SELECT to_regclass('walferry.copy_range') IS NOT NULL", "app");
    EXPECT_OK(any);
    if (any.value_or("") != "t") return ranges;
    const absl::StatusOr<SqlRows> rows = target_->Query(
        "SELECT format('%s-%s: %s rows at %s', first_block, end_block, rows, "
        "done_at) FROM walferry.copy_range WHERE table_name = 'accounts'",
        "app");
    EXPECT_OK(rows);
    if (!rows.ok()) return ranges;
    for (const SqlRow& row : *rows) ranges.insert(row.front().value_or(""));
    return ranges;
  }

  // A range that vanished and came back has another time.
  void ExpectRangesKept() {
    const std::set<std::string> now = Ranges();
    EXPECT_TRUE(std::includes(now.begin(), now.end(), seen_ranges_.begin(),
                              seen_ranges_.end()))
        << "before: " << ::testing::PrintToString(seen_ranges_)
        << "\nnow: " << ::testing::PrintToString(now);
    seen_ranges_ = now;
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
  std::optional<TempDir> directory_;
  std::set<std::string> seen_ranges_;
};

// Kills at places where the process can be held, so that each is known to hit
// its phase.
class KillInPhaseTest : public KillTest {
 protected:
  void SetUp() override {
    KillTest::SetUp();
    if (HasFatalFailure()) return;
    Load(15000);
    ASSERT_OK_AND_ASSIGN(writer_, Open(*source_));
    ASSERT_OK_AND_ASSIGN(holder_, Open(*target_));
  }

  static absl::StatusOr<std::unique_ptr<SqlConnection>> Open(
      const PgServer& server) {
    absl::StatusOr<SqlConnection> connection =
        SqlConnection::Open(server.ConnInfo("app"));
    if (!connection.ok()) return connection.status();
    return std::make_unique<SqlConnection>(*std::move(connection));
  }

  // A run is started, killed once `arrived`, and was in `phase` then, both by
  // its own account and by the ledger's.
  void KillIn(const std::string& phase, const std::function<bool()>& arrived,
              const std::string& cutover = "auto") {
    SCOPED_TRACE(phase);
    const std::string run = absl::StrCat(++runs_);
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry, StartMigrate(run, cutover));
    ASSERT_TRUE(WaitUntil([&] {
      return (LastPhase(ReadFile(Events(run))) == phase && arrived()) ||
             walferry.Poll().has_value();
    })) << ReadFile(Log(run));
    ASSERT_FALSE(walferry.Poll().has_value()) << ReadFile(Log(run));
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
    EXPECT_EQ(LastPhase(ReadFile(Events(run))), phase);
    EXPECT_THAT(
        target_->QueryValue("SELECT phase FROM walferry.migration", "app"),
        IsOkAndHolds(phase));
    ExpectRangesKept();
  }

  // The same, held where it writes the row to a table of the ledger that comes
  // after `rows` others.
  void KillAtLedgerRow(const std::string& phase, const std::string& event,
                       int rows) {
    ASSERT_OK(holder_->Exec(absl::Substitute(
        "SELECT pg_advisory_lock(1); CREATE TRIGGER hold BEFORE $0 FOR EACH "
        "ROW EXECUTE FUNCTION hold.wait($1)",
        event, rows)));
    const std::string table = event.substr(event.find("walferry."));
    const std::string name = table.substr(0, table.find(' '));
    ASSERT_OK(holder_->Exec(
        absl::StrCat("ALTER TABLE ", name, " ENABLE ALWAYS TRIGGER hold")));
    KillIn(phase, [this] {
      return target_
                 ->QueryValue(
                     "SELECT count(*) > 0 FROM pg_locks WHERE locktype = "
                     "'advisory' AND NOT granted",
                     "app")
                 .value_or("") == "t";
    });
    // First nobody waits any more, then nobody is held.
    ASSERT_OK(holder_->Exec(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype "
        "= 'advisory' AND NOT granted"));
    ASSERT_OK(
        holder_->Exec(absl::StrCat("SELECT pg_advisory_unlock(1); DROP "
                                   "TRIGGER hold ON ",
                                   name)));
  }

  // Rows of all ages change between two runs.
  void Write() {
    ASSERT_OK(writer_->Exec(absl::Substitute(
        "UPDATE accounts SET balance = balance + 1 WHERE id % 50 = $0;"
        "UPDATE accounts SET id = id + 100000 WHERE id % 1000 = $0;"
        "DELETE FROM accounts WHERE id % 700 = $0;"
        "INSERT INTO accounts VALUES (200000 + $0, 'new$0', 0, NULL);"
        "INSERT INTO notes VALUES ('same 1', $0);"
        "DELETE FROM notes WHERE ctid = (SELECT max(ctid) FROM notes);"
        "SELECT nextval('tickets')",
        ++writes_)));
  }

  std::unique_ptr<SqlConnection> writer_;
  std::unique_ptr<SqlConnection> holder_;
  int runs_ = 0;
  int writes_ = 0;
};

TEST_F(KillInPhaseTest, OneKillInEachPhaseLosesNothingAndCopiesNothingTwice) {
  // The slot waits for transactions that are open.
  ASSERT_OK(writer_->Exec("BEGIN; INSERT INTO notes VALUES ('open', 1)"));
  KillIn("prepare", [this] {
    return source_
               ->QueryValue(
                   "SELECT count(*) > 0 FROM pg_stat_activity WHERE "
                   "backend_type = 'walsender' AND wait_event_type = 'Lock'")
               .value_or("") == "t";
  });
  ASSERT_OK(writer_->Exec("COMMIT"));
  Write();
  ASSERT_OK(holder_->Exec(kHold));
  KillAtLedgerRow("schema", "INSERT ON walferry.step", 0);
  Write();
  KillAtLedgerRow("copy", "INSERT ON walferry.copy_range", 3);
  EXPECT_GE(seen_ranges_.size(), 2u);
  Write();
  KillAtLedgerRow("copy", "INSERT ON walferry.copy_range", 8);
  EXPECT_GE(seen_ranges_.size(), 5u);
  Write();
  KillAtLedgerRow("indexes", "INSERT ON walferry.step", 2);
  Write();
  KillIn(
      "follow",
      [this] {
        return absl::StrContains(ReadFile(Events(absl::StrCat(runs_))),
                                 "\"caught_up\"");
      },
      "manual");
  ASSERT_OK(writer_->Exec("BEGIN"));
  Write();
  KillIn("cutover", [this] {
    return absl::StrContains(ReadFile(Events(absl::StrCat(runs_))),
                             "1 open transaction");
  });
  ASSERT_OK(writer_->Exec("COMMIT"));
  // Everything is done but for the report.
  KillAtLedgerRow("cutover", "UPDATE OF report ON walferry.migration", 0);
  Write();
  ExpectTheLastRunToMoveEverything();
  ExpectRangesKept();
}

TEST_F(KillTest, TwentyKillsInAllPhasesLoseNothingAndCopyNothingTwice) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  Load(60000);
  Writers writers(source_->ConnInfo("app"), 2, seed);
  const std::vector<std::string> phases = {"check", "prepare", "schema", "copy",
                                           "copy",  "indexes", "follow"};
  for (int kill = 0; kill < kKills; ++kill) {
    const std::string run = absl::StrCat(kill);
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry, StartMigrate(run));
    // In a phase if it still comes to that, and then at any moment.
    const std::string& phase = phases[random() % phases.size()];
    const std::string started = absl::StrCat("\"phase\":\"", phase, "\"");
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(ReadFile(Events(run)), started) ||
             absl::StrContains(ReadFile(Events(run)), "\"phase\":\"follow\"") ||
             walferry.Poll().has_value();
    })) << ReadFile(Log(run));
    ASSERT_FALSE(walferry.Poll().has_value()) << ReadFile(Log(run));
    const absl::Time until =
        absl::Now() + absl::Milliseconds(static_cast<int64_t>(random() % 400));
    WaitUntil([&] { return absl::Now() >= until; });
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
    ExpectRangesKept();
  }
  writers.Stop();
  ExpectTheLastRunToMoveEverything();
  ExpectRangesKept();
  // Every block was copied by one range.
  EXPECT_THAT(
      target_->QueryValue(
          "SELECT count(*) FROM walferry.copy_range a JOIN "
          "walferry.copy_range b USING (migration, schema_name, table_name) "
          "WHERE a.first_block < b.first_block AND (a.end_block > "
          "b.first_block OR a.end_block < 0)",
          "app"),
      IsOkAndHolds("0"));
  EXPECT_GT(seen_ranges_.size(), 1u);
}

}  // namespace
}  // namespace walferry
