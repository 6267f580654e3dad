// RunMigration with delayed tables: clients work on the target while the rest
// of it is loaded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Table log and its like are delayed: with keys of all kinds, from and to
// others, and a partitioned one.
constexpr char kLog[] = R"sql(
  CREATE TABLE log (
    id bigserial PRIMARY KEY,
    account int REFERENCES accounts,
    parent bigint REFERENCES log,
    line text NOT NULL,
    UNIQUE (account, id));
  INSERT INTO log (account, parent, line)
    SELECT 1 + i % 3000, nullif(i / 2, 0), repeat(md5(i::text), 3)
      FROM generate_series(1, 20000) i;
  CREATE INDEX log_line ON log (line);
  CREATE UNIQUE INDEX log_lower ON log (id, lower(line));
  ALTER TABLE log ADD CONSTRAINT unproven CHECK (id > 10) NOT VALID;
  COMMENT ON CONSTRAINT log_account_fkey ON log IS 'the "account"';
  CREATE TABLE marks (log bigint REFERENCES log, mark text);
  INSERT INTO marks SELECT i, 'm' FROM generate_series(1, 20000, 100) i;
  CREATE TABLE audit (what text);
  CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO public.audit VALUES (TG_OP); RETURN NEW; END$$;
  CREATE TRIGGER audit AFTER INSERT ON log
    FOR EACH ROW EXECUTE FUNCTION audit();
  CREATE TABLE days (day int, n int, PRIMARY KEY (day, n))
    PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10);
  CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20);
  CREATE INDEX days_n ON days (n);
  ALTER TABLE days ADD CONSTRAINT to_account FOREIGN KEY (n)
    REFERENCES accounts;
  INSERT INTO days SELECT i % 20, 1 + i FROM generate_series(1, 2000) i;
  CREATE VIEW lines AS SELECT * FROM log;
  CREATE MATERIALIZED VIEW many AS SELECT count(*) AS n FROM lines;
  CREATE MATERIALIZED VIEW balances AS SELECT sum(balance) FROM accounts;
  CREATE INDEX ON many (n);
)sql";

// All of it, but for the ledger's.
constexpr char kSchema[] = R"sql(
  SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
    SELECT format('%s valid=%s', pg_get_indexdef(indexrelid), indisvalid)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('%s %s %s valid=%s %s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid), convalidated,
                  obj_description(oid, 'pg_constraint'))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('%s %s', tgenabled, pg_get_triggerdef(oid))
      FROM pg_trigger WHERE NOT tgisinternal
  ) x (line)
)sql";

class OfflineDelayTest : public OfflineTest {
 protected:
  void SetUp() override {
    OfflineTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(OnSource(kLog));
  }

  MigrateOptions Delaying(std::vector<std::string> patterns = {"public.log",
                                                               "days"}) const {
    MigrateOptions options = Options();
    options.scope.delay_table_data = std::move(patterns);
    return options;
  }

  // Acts as a client does, at the first moment at which it may.
  absl::StatusOr<Report> MigrateAndUse(const MigrateOptions& options,
                                       const std::function<void()>& use) {
    Control control;
    events_.emplace();
    bool used = false;
    EventHook events([&](const Event& event) {
      events_->OnEvent(event);
      if (!std::holds_alternative<Usable>(event) || used) return;
      used = true;
      use();
    });
    absl::StatusOr<Report> report = RunMigration(options, control, events);
    EXPECT_TRUE(used);
    return report;
  }

  // A run that ends in the middle of log's rows.
  void FailInTheLog(const std::string& then_on_target = "SELECT 1") {
    const absl::Status failed =
        MigrateAndUse(Delaying(), [&] {
          EXPECT_OK(
              OnTarget("ALTER TABLE log ADD CONSTRAINT refused CHECK "
                       "(id < 15000)"));
        }).status();
    ASSERT_THAT(failed.message(), HasSubstr("refused"));
    ASSERT_OK(OnTarget(absl::StrCat("ALTER TABLE log DROP CONSTRAINT refused; ",
                                    then_on_target)));
    ASSERT_OK_AND_ASSIGN(const std::string rows, Copied("log"));
    ASSERT_NE(rows, "0");
    ASSERT_NE(rows, "20000");
  }

  MigrationStatus Status() const {
    Control control;
    const absl::StatusOr<MigrationStatus> status = RunStatus(
        {.target = target_->ConnInfo("app"), .name = "test"}, control);
    EXPECT_OK(status);
    return status.value_or(MigrationStatus());
  }

  // "subject: text" of what blocks.
  std::vector<std::string> Blocking(const MigrateOptions& options) const {
    Control control;
    const absl::StatusOr<CheckReport> report =
        RunCheck({.migrate = options}, control);
    EXPECT_OK(report);
    std::vector<std::string> texts;
    if (!report.ok()) return texts;
    for (const Finding* finding : report->Blocking({})) {
      EXPECT_EQ(finding->id, "delayed-table");
      texts.push_back(absl::StrCat(finding->subject, ": ", finding->text));
    }
    return texts;
  }

  void ExpectTheSourcesSchema() const {
    EXPECT_EQ(TargetValue(kSchema).value_or("error"),
              SourceValue(kSchema).value_or("?"));
  }
};

TEST_F(OfflineDelayTest, LoadsRowsAndIndexesWhenAllElseIsThere) {
  ASSERT_OK_AND_ASSIGN(
      const Report report, MigrateAndUse(Delaying(), [&] {
        EXPECT_THAT(TargetValue("SELECT (SELECT count(*) FROM accounts) || ' ' "
                                "|| (SELECT count(*) FROM marks) || ' ' || "
                                "(SELECT count(*) FROM log) || ' ' || (SELECT "
                                "count(*) FROM days)"),
                    IsOkAndHolds("3000 200 0 0"));
        EXPECT_THAT(
            TargetValue(
                "SELECT string_agg(relname, ' ' ORDER BY relname COLLATE \"C\")"
                " FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE "
                "indrelid::regclass::text IN ('log', 'days', 'days_1')"),
            IsOkAndHolds("days_1_pkey days_pkey log_account_id_key log_lower "
                         "log_pkey"));
        EXPECT_THAT(TargetValue("SELECT string_agg(format('%s.%s %s', "
                                "conrelid::regclass, conname, "
                                "convalidated), ', ' ORDER BY conname) FROM "
                                "pg_constraint WHERE contype = 'f' AND "
                                "connamespace = 'public'::regnamespace"),
                    IsOkAndHolds("log.log_account_fkey f"));
        EXPECT_THAT(TargetValue("SELECT string_agg(relname || ' ' || "
                                "relispopulated, ', ' ORDER BY relname) FROM "
                                "pg_class WHERE relkind = 'm'"),
                    IsOkAndHolds("balances true, many false"));
        EXPECT_THAT(TargetValue("SELECT last_value FROM log_id_seq"),
                    IsOkAndHolds("20000"));
        const MigrationStatus status = Status();
        EXPECT_TRUE(status.usable);
        EXPECT_EQ(absl::c_count_if(
                      status.tables,
                      [](const auto& one) { return one.state == "waiting"; }),
                  3);
      }));
  ExpectEqual();
  ExpectTheSourcesSchema();
  EXPECT_EQ(TargetValue("SELECT n FROM many").value_or("?"), "20000");
  EXPECT_EQ(report.materialized_views_refreshed, 2);
  EXPECT_EQ(report.tables, 9);
  ASSERT_THAT(events_->All<Usable>(), SizeIs(1));
  EXPECT_EQ(events_->All<Usable>().front().delayed_tables, 3);
  std::vector<Phase> phases;
  for (const PhaseStarted& phase : events_->All<PhaseStarted>()) {
    phases.push_back(phase.phase);
  }
  EXPECT_THAT(phases, ElementsAre(Phase::kCheck, Phase::kPrepare,
                                  Phase::kSchema, Phase::kCopy, Phase::kIndexes,
                                  Phase::kCopy, Phase::kIndexes, Phase::kDone));
  EXPECT_THAT(TargetValue("SELECT count(DISTINCT starelid) FROM pg_statistic "
                          "WHERE starelid::regclass::text IN ('accounts', "
                          "'log', 'days', 'days_1')"),
              IsOkAndHolds("4"));
  const MigrationStatus status = Status();
  EXPECT_EQ(status.phase, "done");
  EXPECT_TRUE(status.usable);
  EXPECT_EQ(status.steps_done, status.steps_total);
}

TEST_F(OfflineDelayTest, KeepsWhatClientsWriteMeanwhile) {
  ASSERT_OK(MigrateAndUse(Delaying(), [&] {
    EXPECT_OK(
        OnTarget("INSERT INTO log (account, line) VALUES (1, 'a client''s');"
                 "INSERT INTO log VALUES (-5, 2, NULL, 'another'), "
                 "(-4, 2, -5, 'another')"));
  }));
  EXPECT_THAT(
      TargetValue("SELECT string_agg(id || ' ' || line, ', ' ORDER BY id) FROM "
                  "log WHERE id NOT BETWEEN 1 AND 20000"),
      IsOkAndHolds("-5 another, -4 another, 20001 a client's"));
  // And no trigger fired for the others.
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"), IsOkAndHolds("3"));
  ExpectTheSourcesSchema();
  ASSERT_OK(
      OnTarget("DELETE FROM log WHERE id NOT BETWEEN 1 AND 20000; REFRESH "
               "MATERIALIZED VIEW many; TRUNCATE audit; "
               "SELECT setval('log_id_seq', 20000)"));
  ExpectEqual();
}

// A foreign key of theirs holds at once, for them.
TEST_F(OfflineDelayTest, ChecksWhatClientsWrite) {
  ASSERT_OK(MigrateAndUse(Delaying(), [&] {
    EXPECT_THAT(
        OnTarget("INSERT INTO log (account, line) VALUES (0, 'x')").ToString(),
        HasSubstr("log_account_fkey"));
  }));
  ExpectTheSourcesSchema();
}

TEST_F(OfflineDelayTest, NamesTheKeyThatAClientHasTakenAndGoesOn) {
  const absl::Status failed =
      MigrateAndUse(Delaying(), [&] {
        EXPECT_OK(OnTarget("INSERT INTO log VALUES (15000, 2, NULL, 'mine')"));
      }).status();
  EXPECT_THAT(std::string(failed.message()),
              testing::MatchesRegex(
                  "table public.log, blocks [0-9]+ to [0-9]+: target: "
                  "duplicate key value violates unique constraint "
                  "\"log_pkey\" \\(SQLSTATE 23505\\): Key \\(id\\)=\\(15000\\) "
                  "already exists(.|\n)*"));
  EXPECT_EQ(HintOf(failed),
            "a client has written a row with the key of one that comes from "
            "the source: look which of the two is right, change or remove the "
            "client's, or the source's, and run the same command again; all "
            "that is on the target stays");
  EXPECT_THAT(TargetValue("SELECT line FROM log WHERE id = 15000"),
              IsOkAndHolds("mine"));
  ASSERT_OK_AND_ASSIGN(const std::string rows, Copied("log"));
  EXPECT_NE(rows, "0");
  EXPECT_EQ(Status().last_error, failed.message());
  // Again: it is still so.
  EXPECT_EQ(Migrate(Delaying()).status().code(), failed.code());
  ASSERT_OK(OnTarget("DELETE FROM log WHERE id = 15000; TRUNCATE audit"));
  ASSERT_OK(Migrate(Delaying()));
  ExpectEqual();
  ExpectTheSourcesSchema();
}

// All but the delayed rows are the clients' by then.
TEST_F(OfflineDelayTest, GoesOnAndLeavesWhatClientsHaveMadeOfTheRest) {
  ASSERT_NO_FATAL_FAILURE(
      FailInTheLog("UPDATE accounts SET balance = 7 WHERE id = 1;"
                   "INSERT INTO log (account, line) VALUES (1, 'mine');"
                   "SELECT nextval('tickets')"));
  constexpr char kFirstRow[] =
      "SELECT format('%s %s', ctid, xmin) FROM log WHERE id = 11";
  ASSERT_OK_AND_ASSIGN(const std::string row, TargetValue(kFirstRow));
  ASSERT_OK_AND_ASSIGN(const std::string ticket,
                       TargetValue("SELECT last_value FROM tickets"));
  ASSERT_OK(OnSource("UPDATE accounts SET balance = 9 WHERE id < 10"));
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(Delaying()));
  EXPECT_THAT(TargetValue("SELECT sum(balance) FROM accounts"),
              IsOkAndHolds("7"));
  EXPECT_THAT(TargetValue("SELECT last_value FROM tickets"),
              IsOkAndHolds(ticket));
  EXPECT_THAT(TargetValue("SELECT count(*) || ' ' || max(id) FROM log"),
              IsOkAndHolds("20001 20001"));
  EXPECT_THAT(TargetValue(kFirstRow), IsOkAndHolds(row));
  ExpectTheSourcesSchema();
  EXPECT_THAT(report.remarks,
              Contains("rows of delayed tables are of a later state of the "
                       "source than all others, as another run has copied the "
                       "rest of them: public.log"));
  EXPECT_EQ(report.sequences_set, 4);
  EXPECT_EQ(report.materialized_views_refreshed, 2);
  const MigrationStatus status = Status();
  EXPECT_EQ(status.steps_done, status.steps_total);
}

TEST_F(OfflineDelayTest, RemovesNothingWhenTheSourceHasChangedUnlessTold) {
  ASSERT_NO_FATAL_FAILURE(
      FailInTheLog("INSERT INTO log (account, line) VALUES (1, 'mine')"));
  ASSERT_OK(OnSource("UPDATE log SET line = 'new' WHERE id = 11"));
  const absl::Status refused = Migrate(Delaying()).status();
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "table public.log: a part of its rows was copied, which "
                       "cannot go on: it was written to since; and it is not "
                       "copied anew, as clients may have written to it on the "
                       "target"));
  EXPECT_EQ(HintOf(refused),
            "--accept target-rows:public.log removes all of its rows on the "
            "target, those of clients, too, and copies it anew");
  MigrateOptions accepting = Delaying();
  accepting.accept = {"target-rows:public.log"};
  ASSERT_OK(Migrate(accepting));
  ASSERT_OK(OnTarget("SELECT setval('log_id_seq', 20000); TRUNCATE audit"));
  ExpectEqual();
  ExpectTheSourcesSchema();
}

TEST_F(OfflineDelayTest, SaysWhatClientsHaveMadeImpossible) {
  const absl::Status failed =
      MigrateAndUse(Delaying({"log"}), [&] {
        EXPECT_OK(
            OnTarget("DELETE FROM days WHERE n = 3; DELETE FROM accounts "
                     "WHERE id = 3"));
      }).status();
  EXPECT_THAT(
      std::string(failed.message()),
      HasSubstr("VALIDATE FK CONSTRAINT public.log log_account_fkey: "));
  EXPECT_EQ(HintOf(failed),
            "the rows are as on the source, but for what clients have written: "
            "if they are at odds, mend them on the target and run the same "
            "command again");
  ASSERT_OK(OnTarget("INSERT INTO accounts VALUES (3, 'a3', 0)"));
  ASSERT_OK(Migrate(Delaying({"log"})));
  ExpectTheSourcesSchema();
}

TEST_F(OfflineDelayTest, DelaysOnePartitionOfMany) {
  ASSERT_OK(MigrateAndUse(Delaying({"days_1"}), [&] {
    EXPECT_THAT(TargetValue("SELECT min(day) || ' ' || count(*) FROM days"),
                IsOkAndHolds("10 1000"));
    EXPECT_THAT(OnTarget("INSERT INTO days VALUES (1, 1)"), IsOk());
  }));
  ASSERT_OK(OnTarget("DELETE FROM days WHERE (day, n) = (1, 1)"));
  ExpectEqual();
  ExpectTheSourcesSchema();
}

TEST_F(OfflineDelayTest, RefusesWhatWouldActOnTheRows) {
  EXPECT_THAT(Blocking(Delaying()), IsEmpty());
  ASSERT_OK(
      OnSource("ALTER TABLE log ENABLE ALWAYS TRIGGER audit;"
               "ALTER TABLE marks ADD UNIQUE (log) DEFERRABLE"));
  EXPECT_THAT(Blocking(Delaying({"log", "marks"})),
              ElementsAre("public.log: trigger audit is ENABLE ALWAYS: it "
                          "would fire for the rows that come when it is there",
                          "public.marks: constraint marks_log_key is "
                          "deferrable: the server would not look whether a "
                          "client has a row of the same key already"));
  EXPECT_THAT(Blocking(Delaying({"orders"})), IsEmpty());
}

TEST_F(OfflineDelayTest, RefusesARoleThatCannotKeepTriggersQuiet) {
  ASSERT_OK(
      target_->Exec("CREATE ROLE mover LOGIN; ALTER DATABASE app OWNER "
                    "TO mover"));
  MigrateOptions options = Delaying();
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  options.no_owner = true;
  EXPECT_THAT(Blocking(options),
              ElementsAre("target: triggers and foreign keys would act on the "
                          "rows of delayed tables, as the role may not SET "
                          "session_replication_role: permission denied to set "
                          "parameter \"session_replication_role\" (SQLSTATE "
                          "42501)"));
}

TEST_F(OfflineDelayTest, GoesOnOnlyWithTheSameTables) {
  ASSERT_NO_FATAL_FAILURE(FailInTheLog());
  EXPECT_THAT(Migrate(Delaying({"log"})).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --delay-table-data "
                       "[\"public.log\",\"days\"], not [\"log\"]"));
}

TEST_F(OfflineDelayTest, IsKilledInTheDelayedRowsAndLosesNothing) {
  ASSERT_OK(
      OnSource("SET session_replication_role = replica; INSERT INTO log "
               "(account, line) SELECT 1, repeat(md5(i::text), 6) FROM "
               "generate_series(1, 100000) i; REFRESH MATERIALIZED VIEW many"));
  MigrateOptions options = Delaying({"log"});
  options.split_bytes = 1 << 20;
  const pid_t child = fork();
  if (child == 0) {
    Control control;
    EventRecorder events;
    _exit(RunMigration(options, control, events).ok() ? 0 : 1);
  }
  EXPECT_TRUE(WaitUntil([&] {
    return TargetValue(
               "SELECT count(*) FROM walferry.copy_range WHERE "
               "table_name = 'log'")
               .value_or("0") != "0";
  }));
  // The next range waits behind it.
  ASSERT_OK_AND_ASSIGN(SqlConnection client,
                       SqlConnection::Open(target_->ConnInfo("app")));
  EXPECT_OK(client.Exec("BEGIN; LOCK TABLE log IN SHARE MODE"));
  kill(child, SIGKILL);
  int ended = 0;
  ASSERT_EQ(waitpid(child, &ended, 0), child);
  ASSERT_TRUE(WIFSIGNALED(ended));
  EXPECT_TRUE(Status().usable);
  ASSERT_OK_AND_ASSIGN(const std::string before, Copied("log"));
  EXPECT_NE(before, "120000");
  ASSERT_OK(client.Exec(
      "INSERT INTO log (account, line) VALUES (1, 'a client''s'); COMMIT"));
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(TargetValue("SELECT string_agg(line, ', ') FROM log WHERE id > "
                          "120000"),
              IsOkAndHolds("a client's"));
  ASSERT_OK(
      OnTarget("DELETE FROM log WHERE id > 120000; REFRESH MATERIALIZED VIEW "
               "many; TRUNCATE audit; SELECT "
               "setval('log_id_seq', 120000)"));
  ExpectEqual();
  ExpectTheSourcesSchema();
}

}  // namespace
}  // namespace walferry
