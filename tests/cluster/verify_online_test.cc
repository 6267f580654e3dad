// RunVerify with VerifyOptions::online, while the source is written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/ledger/verify_notes.h"
#include "engine/migration/migration.h"
#include "engine/stream/meeting_request.h"
#include "engine/verify/online_pair.h"
#include "tests/cluster/verify_online_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Transactions that are larger than a batch, with parts that are undone. Two at
// most are not on the target yet.
class LargeWriter {
 public:
  LargeWriter(const std::string& source, const std::string& target)
      : thread_([this, source, target] { Write(source, target); }) {}
  ~LargeWriter() {
    stopping_.store(true);
    thread_.join();
  }

 private:
  void Write(const std::string& source, const std::string& target) {
    absl::StatusOr<SqlConnection> writer = SqlConnection::Open(source);
    absl::StatusOr<SqlConnection> reader = SqlConnection::Open(target);
    if (!writer.ok() || !reader.ok()) return;
    for (int round = 1; !stopping_.load(); ++round) {
      const absl::Status written = writer->Exec(absl::StrCat(
          "BEGIN; INSERT INTO large SELECT i, repeat('x', 100) FROM "
          "generate_series(1, 3000) i ON CONFLICT (id) DO UPDATE SET body = "
          "'y' || left(large.body, 150); SAVEPOINT s; DELETE FROM large; "
          "ROLLBACK TO s; DELETE FROM large WHERE id % 3 = 0; INSERT INTO "
          "large VALUES (-",
          round, ", 'round'); COMMIT"));
      if (!written.ok()) return;
      if (round == 1) continue;
      WaitUntil([&] {
        return stopping_.load() ||
               reader->QueryValue(
                         absl::StrCat("SELECT count(*) FROM large WHERE id = -",
                                      round - 1))
                       .value_or("1") == "1";
      });
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class VerifyOnlineWritersTest : public VerifyOnlineTest {
 protected:
  void ExpectEqualAgainAndAgain(int apply_jobs) {
    MigrateOptions options = Migration();
    options.stream.apply_jobs = apply_jobs;
    ASSERT_NO_FATAL_FAILURE(Start(options));
    const uint64_t seed = static_cast<uint64_t>(absl::ToUnixNanos(absl::Now()));
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Writers writers(source_->ConnInfo("app"), 2, seed);
    const LargeWriter large(source_->ConnInfo("app"), target_->ConnInfo("app"));
    Lsn last;
    for (int i = 0; i < 5; ++i) {
      const int64_t before = writers.transactions();
      ASSERT_TRUE(
          WaitUntil([&] { return writers.transactions() > before + 50; }));
      ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(Online()));
      EXPECT_THAT(Differences(report), IsEmpty());
      EXPECT_FALSE(report.found_differences());
      EXPECT_FALSE(report.uncertain());
      ASSERT_TRUE(report.position.has_value());
      EXPECT_GT(*report.position, last);
      EXPECT_GT(report.applier_pause, absl::ZeroDuration());
      EXPECT_GE(Of(report, "accounts").source_rows, 1);
      last = *report.position;
    }
    EXPECT_FALSE(run_->ended()) << run_->Stop();
    EXPECT_TRUE(NobodyHolds());
  }
};

TEST_F(VerifyOnlineWritersTest, IsEqualWhileApplicationsWrite) {
  ExpectEqualAgainAndAgain(1);
}

TEST_F(VerifyOnlineWritersTest, IsEqualWhileSeveralSessionsApply) {
  ExpectEqualAgainAndAgain(4);
}

TEST_F(VerifyOnlineTest, FindsADamagedRowEachTime) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(OnTarget("UPDATE still SET v = 'w' WHERE id = 77"));
  Writers writers(source_->ConnInfo("app"), 2, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(OnlineDifferences(Online()),
                ElementsAre("public.still", "different id=77; v: v -> w"));
  }
  ASSERT_OK(
      OnTarget("SET session_replication_role = replica; DELETE FROM still "
               "WHERE id = 78; UPDATE still SET v = 'v' WHERE id = 77"));
  EXPECT_THAT(OnlineDifferences(Online()),
              ElementsAre("public.still", "missing id=78"));
}

// Of those who compare without it.
TEST_F(VerifyOnlineTest, IsHintedAtAsLongAsAMigrationGoesOn) {
  const std::string hint =
      "migration test has not come to its end: what it has still to bring "
      "counts as a difference; while it follows, --online --name test compares "
      "both sides at one position";
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(VerifyReport report, Verify(Options()));
  EXPECT_THAT(report.remarks, Contains(hint));
  EXPECT_THAT(events_.All<Notice>(),
              Contains(testing::Field("text", &Notice::text, hint)));
  run_->control().RequestCutover();
  ASSERT_OK(run_->Result());
  ASSERT_OK_AND_ASSIGN(report, Verify(Options()));
  EXPECT_THAT(report.remarks, Not(Contains(HasSubstr("come to its end"))));
}

TEST_F(VerifyOnlineTest, SaysWhatItDoesNotCompare) {
  ASSERT_OK(OnSource("SELECT nextval('tickets') FROM generate_series(1, 5)"));
  MigrateOptions options = Migration();
  options.scope.exclude_table_data = {"notes"};
  options.scope.exclude_tables = {"large"};
  ASSERT_NO_FATAL_FAILURE(Start(options));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(Online()));
  EXPECT_FALSE(report.found_differences());
  EXPECT_THAT(
      report.remarks,
      ElementsAre(
          "values of sequences are not compared: the cutover sets them",
          "that materialized views are not populated is not reported: the "
          "cutover fills them",
          "publications are not compared: the source has 1",
          "rows of unlogged tables are not compared, as the cutover brings "
          "them: public.cache",
          "rows are not compared, as they are out of scope: public.notes",
          "rows of materialized views are not compared: they are made of those "
          "of tables",
          "what the migration leaves out is not compared: it was begun with "
          "--exclude-table large --exclude-table-data notes"));
  std::vector<std::string> tables;
  for (const TableVerdict& table : report.tables) {
    tables.push_back(table.table.name);
  }
  EXPECT_THAT(tables, ElementsAre("accounts", "orders", "still", "tags"));
}

TEST_F(VerifyOnlineTest, TakesTablesWithinTheMigrationsScope) {
  MigrateOptions options = Migration();
  options.scope.tables = {"still", "tags"};
  ASSERT_NO_FATAL_FAILURE(Start(options));
  VerifyOptions asked = Online();
  asked.scope.exclude_tables = {"tags"};
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(asked));
  ASSERT_EQ(report.tables.size(), 1u);
  EXPECT_EQ(report.tables[0].table.name, "still");
  asked.scope.tables = {"st*"};
  EXPECT_THAT(
      Verify(asked).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "migration test was begun with --table still --table tags: "
               "--schema and --table cannot choose among that"));
}

TEST_F(VerifyOnlineTest, DoesNotMissTriggersThatComeAtTheCutover) {
  ASSERT_OK(target_->Exec("CREATE ROLE mover LOGIN"));
  ASSERT_OK(target_->Exec("ALTER DATABASE app OWNER TO mover"));
  ASSERT_OK(OnTarget("ALTER SCHEMA public OWNER TO mover"));
  ASSERT_OK(
      OnSource("CREATE TABLE parts (id int PRIMARY KEY REFERENCES still);"
               "INSERT INTO parts VALUES (1)"));
  MigrateOptions options = Migration();
  options.no_owner = true;
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  ASSERT_NO_FATAL_FAILURE(Start(options));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(Online()));
  EXPECT_FALSE(report.found_differences());
  EXPECT_THAT(report.remarks,
              Contains("triggers, rules and foreign keys that are missing on "
                       "the target are not reported: the cutover creates "
                       "them"));
}

TEST_F(VerifyOnlineTest, DoesNotWaitForALongTransaction) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(SqlConnection session,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(session.Exec("BEGIN; INSERT INTO still VALUES (0, 'late')"));
  Writers writers(source_->ConnInfo("app"), 2, 1);
  EXPECT_THAT(OnlineDifferences(Online()), IsEmpty());
  ASSERT_OK(session.Exec("COMMIT"));
  EXPECT_THAT(OnlineDifferences(Online()), IsEmpty());
  EXPECT_TRUE(Arrives("SELECT v FROM still WHERE id = 0", "late"));
}

// A stream before this one might have applied it: its end may be written, and
// not show yet.
TEST_F(VerifyOnlineTest, WaitsForATransactionThatIsOlderThanTheStream) {
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(run_->Stop().code(), absl::StatusCode::kCancelled);
  ASSERT_OK_AND_ASSIGN(SqlConnection idle,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(idle.Exec("BEGIN; INSERT INTO still VALUES (0, 'idle')"));
  ASSERT_NO_FATAL_FAILURE(Start());
  // One that waits for its client has not ended.
  EXPECT_THAT(OnlineDifferences(Online()), IsEmpty());
  EXPECT_EQ(run_->Stop().code(), absl::StatusCode::kCancelled);
  ASSERT_OK(OnSource(
      "BEGIN; INSERT INTO still VALUES (-1, 'p'); PREPARE TRANSACTION 'p'"));
  ASSERT_NO_FATAL_FAILURE(Start());
  std::vector<std::string> found = {"not asked"};
  std::thread asker([&] { found = OnlineDifferences(Online()); });
  EXPECT_TRUE(events_.WaitFor<Notice>([](const Notice& notice) {
    return notice.text ==
           "waiting for one state of both sides: transactions on the source "
           "must end first that run since before the stream began: prepared "
           "transaction 'p' of user postgres";
  }));
  EXPECT_OK(OnSource("COMMIT PREPARED 'p'"));
  asker.join();
  EXPECT_THAT(found, IsEmpty());
  EXPECT_TRUE(Arrives("SELECT v FROM still WHERE id = -1", "p"));
}

TEST_F(VerifyOnlineTest, GoesOnWithNewerStates) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(OnTarget("UPDATE still SET v = 'w' WHERE id IN (1, 19999)"));
  Writers writers(source_->ConnInfo("app"), 2, 1);
  VerifyOptions options = Online();
  options.max_snapshot_age = absl::Milliseconds(1);
  options.range_bytes = 16 << 10;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_THAT(Differences(report),
              ElementsAre("public.still", "different id=1; v: v -> w",
                          "different id=19999; v: v -> w"));
  EXPECT_THAT(report.remarks,
              Contains(HasSubstr("positions one after another")));
  EXPECT_EQ(Of(report, "still").source_rows, 20000);
}

// A snapshot does not keep the rows.
TEST_F(VerifyOnlineTest, ComparesATableAgainThatWasTruncated) {
  ASSERT_NO_FATAL_FAILURE(Start());
  for (const bool applied : {false, true}) {
    ASSERT_OK(
        OnSource("INSERT INTO large SELECT i, repeat('x', 100) FROM "
                 "generate_series(1, 5000) i"));
    int meetings = 0;
    ASSERT_OK_AND_ASSIGN(
        const std::unique_ptr<OnlinePair> pair,
        OnlinePair::Create(
            Both(),
            [&]() -> absl::StatusOr<std::unique_ptr<HeldStates>> {
              ASSIGN_OR_RETURN(const auto asked, AskForMeeting(Asking()));
              std::unique_ptr<HeldStates> states = asked->TakeStates();
              if (++meetings > 1) return states;
              // Maybe on one side only when it is looked at, or on both.
              RETURN_IF_ERROR(OnSource("TRUNCATE large"));
              if (applied && !Arrives("SELECT count(*) FROM large", "0")) {
                return absl::InternalError("not truncated");
              }
              return states;
            },
            absl::InfiniteDuration()));
    VerifyOptions options = Options();
    options.scope.tables = {"large"};
    Control control;
    ASSERT_OK_AND_ASSIGN(const VerifyReport report,
                         VerifySnapshots(options, *pair, control, events_));
    EXPECT_THAT(Differences(report), IsEmpty());
    EXPECT_EQ(Of(report, "large").source_rows, 0);
    EXPECT_EQ(meetings, 2);
    EXPECT_TRUE(Arrives("SELECT count(*) FROM large", "0"));
  }
}

// So ranges that were found equal before are not kept as they were noted.
TEST_F(VerifyOnlineTest, ReadsRowsAgainThatWereWrittenAnew) {
  constexpr char kLoad[] =
      "INSERT INTO large SELECT i, repeat('x', 100) FROM "
      "generate_series(1, 5000) i";
  ASSERT_OK(OnSource(kLoad));
  ASSERT_NO_FATAL_FAILURE(Start());
  const Connector connector{.endpoints = Both()};
  ASSERT_OK_AND_ASSIGN(PgConnection target, connector.OpenTarget("notes"));
  VerifyNotes notes(std::move(target),
                    {.schema = "walferry", .migration = "test"});
  ASSERT_OK(notes.Create());
  // Each range takes a moment; what is written anew arrives with other values.
  ASSERT_OK(OnTarget(
      "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END';"
      "CREATE TRIGGER linger BEFORE UPDATE ON walferry.verify_range FOR EACH "
      "ROW EXECUTE FUNCTION linger();"
      "ALTER TABLE walferry.verify_range ENABLE ALWAYS TRIGGER linger;"
      "CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF "
      "NEW.id IN (1, 5000) THEN NEW.body := ''y''; END IF; RETURN NEW; END';"
      "CREATE TRIGGER damage BEFORE INSERT ON large FOR EACH ROW EXECUTE "
      "FUNCTION damage(); ALTER TABLE large ENABLE ALWAYS TRIGGER damage"));
  VerifyOptions options = Online();
  options.schema = false;
  options.resume = true;
  options.jobs = 1;
  options.range_bytes = 16 << 10;
  options.scope.tables = {"large"};
  std::vector<std::string> found = {"not compared"};
  std::thread comparer([&] { found = OnlineDifferences(options); });
  EXPECT_TRUE(Arrives(
      "SELECT count(*) > 0 FROM walferry.verify_range WHERE equal_rows IS NOT "
      "NULL",
      "t"));
  EXPECT_OK(
      OnSource(absl::StrCat("BEGIN; TRUNCATE large; ", kLoad, "; COMMIT")));
  comparer.join();
  const std::string x(100, 'x');
  EXPECT_THAT(
      found,
      ElementsAre("public.large",
                  absl::StrCat("different id=1; body: ", x, " -> y"),
                  absl::StrCat("different id=5000; body: ", x, " -> y")));
}

// The appliers stand before the transaction that the snapshot does not see, and
// the reading thread has no room for all of it.
TEST_F(VerifyOnlineTest, DoesNotKeepTheAppliersForWhatCannotBeRead) {
  ASSERT_OK(source_->Exec("ALTER DATABASE app SET synchronous_commit = local"));
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(source_->Exec("ALTER SYSTEM SET synchronous_standby_names = 'no'"));
  ASSERT_OK(source_->Exec("SELECT pg_reload_conf()"));
  ASSERT_OK_AND_ASSIGN(SqlConnection locker,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(locker.Exec("BEGIN; LOCK TABLE still"));
  // Full is the way to the appliers ...
  ASSERT_OK(OnSource("UPDATE still SET v = 'w' WHERE id = 1"));
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK(OnSource(absl::StrCat(
        "INSERT INTO large SELECT i, repeat('x', 100) FROM generate_series(",
        i * 5000 + 1, ", ", i * 5000 + 5000, ") i")));
  }
  // ... for one that has committed, and does not show.
  std::thread committer([this] {
    OnSource(
        "SET synchronous_commit = on; BEGIN; INSERT INTO large SELECT -i, "
        "repeat('x', 100) FROM generate_series(1, 20000) i; COMMIT")
        .IgnoreError();
  });
  EXPECT_TRUE(WaitUntil([this] {
    return SourceValue(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event "
               "= 'SyncRep'")
               .value_or("") == "1";
  }));
  absl::StatusOr<std::unique_ptr<AskedStates>> asked =
      absl::UnknownError("not asked");
  const AskOptions asking = Asking();
  std::thread asker([&] { asked = AskForMeeting(asking); });
  EXPECT_TRUE(WaitUntil([this] {
    return SourceValue(
               "SELECT count(*) FROM pg_stat_activity WHERE state = "
               "'idle in transaction' AND query LIKE "
               "'%pg_export_snapshot%'")
               .value_or("") == "1";
  }));
  EXPECT_OK(locker.Exec("COMMIT"));
  const absl::Time begun = absl::Now();
  EXPECT_TRUE(Arrives("SELECT count(*) FROM large", "40000"));
  EXPECT_LT(absl::Now() - begun, absl::Seconds(10));
  EXPECT_OK(OnSource(
      "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = "
      "'SyncRep'"));
  committer.join();
  asker.join();
  EXPECT_OK(asked);
}

TEST_F(VerifyOnlineTest, StatesAreInNobodysWayWhoTruncates) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(const auto asked, AskForMeeting(Asking()));
  ASSERT_OK(
      OnSource("INSERT INTO large VALUES (1, 'x'); TRUNCATE large; "
               "INSERT INTO large VALUES (2, 'y')"));
  EXPECT_TRUE(Arrives("SELECT max(id) FROM large", "2"));
  EXPECT_OK(asked->states().Check());
}

TEST_F(VerifyOnlineTest, LetsGoWhoseAskerIsSilent) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(
      OnTarget("INSERT INTO walferry.meeting (migration, id, "
               "holds_appliers) VALUES ('test', 'dead', false)"));
  ASSERT_TRUE(Arrives("SELECT state FROM walferry.meeting", "met"));
  EXPECT_TRUE(WaitUntil([this] { return Holding() == "11"; }));
  ASSERT_OK(
      OnTarget("UPDATE walferry.meeting SET renewed_at = renewed_at - interval "
               "'1 minute'"));
  EXPECT_TRUE(NobodyHolds());
  EXPECT_TRUE(Arrives("SELECT count(*) FROM walferry.meeting", "0"));
}

TEST_F(VerifyOnlineTest, KeepsItsStatesWhenTheMigrationIsStopped) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(const auto asked, AskForMeeting(Asking()));
  EXPECT_EQ(run_->Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_OK(asked->states().Check());
}

TEST_F(VerifyOnlineTest, IsWithdrawnByAnInterrupt) {
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(run_->Stop().code(), absl::StatusCode::kCancelled);
  // As a process that runs the migration and answers nothing.
  ASSERT_OK_AND_ASSIGN(SqlConnection process,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(process.Exec(
      "SELECT pg_advisory_lock(hashtext('walferry migration walferry'), "
      "hashtext('test'))"));
  Control control;
  absl::Status ended;
  std::thread asker(
      [&] { ended = RunVerify(Online(), control, events_).status(); });
  EXPECT_TRUE(Arrives("SELECT count(*) FROM walferry.meeting", "1"));
  control.RequestStop();
  asker.join();
  EXPECT_EQ(ended.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(TargetValue("SELECT count(*) FROM walferry.meeting"),
              IsOkAndHolds("0"));
}

TEST_F(VerifyOnlineTest, SaysWhyItCannotAsk) {
  EXPECT_THAT(Verify(Online()).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "target: there is no migration test in ledger schema "
                       "walferry"));
  ASSERT_NO_FATAL_FAILURE(Start());
  VerifyOptions other = Online();
  other.endpoints.name = "other";
  EXPECT_THAT(Verify(other).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "target: there is no migration other in ledger schema "
                       "walferry"));
  EXPECT_THAT(HintOf(Verify(other).status()),
              HasSubstr("check --target, --name and --ledger-schema: it has "
                        "test; "));
  Control control;
  EXPECT_EQ(
      RunCleanup({.endpoints = other.endpoints}, control).status().code(),
      absl::StatusCode::kNotFound);
  other = Online();
  other.endpoints.source = source_->ConnInfo();
  EXPECT_THAT(Verify(other).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::MatchesRegex(
                           "source: database postgres at .* is not the one "
                           "that migration test is of")));
  EXPECT_EQ(run_->Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Verify(Online()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "no process runs migration test"));
  ASSERT_OK_AND_ASSIGN(SqlConnection process,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(process.Exec(
      "SELECT pg_advisory_lock(hashtext('walferry migration walferry'), "
      "hashtext('test')); UPDATE walferry.migration SET phase = 'copy'"));
  EXPECT_THAT(Verify(Online()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "migration test does not follow now: it is in phase "
                       "copy"));
  ASSERT_OK(process.Exec("UPDATE walferry.migration SET slot = ''"));
  EXPECT_THAT(Verify(Online()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "test is no online migration of one database: it cannot "
                       "be asked for one state of both sides"));
}

}  // namespace
}  // namespace walferry
