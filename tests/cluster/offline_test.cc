// RunMigration with MigrateMode::kOffline: one state of the source, without
// replication, whole and once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "engine/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// Three objects: nothing, less than is read at once, and more than twice that.
constexpr char kLargeObjects[] =
    "CREATE ROLE reader;"
    "SELECT lo_create(7001);"
    "SELECT lo_from_bytea(7002, '\\x0001ff5c22');"
    "SELECT lo_from_bytea(7003, (SELECT string_agg(sha256(i::text::bytea), '' "
    "ORDER BY i) FROM generate_series(1, 300000) i));"
    "GRANT SELECT ON LARGE OBJECT 7002 TO reader WITH GRANT OPTION;"
    "REVOKE UPDATE ON LARGE OBJECT 7003 FROM postgres;"
    "COMMENT ON LARGE OBJECT 7003 IS 'it''s long';"
    "ALTER LARGE OBJECT 7001 OWNER TO reader";
constexpr char kLargeObjectFacts[] =
    "SELECT string_agg(format('%s %s %s %s %s', m.oid, md5(lo_get(m.oid)), "
    "lomowner::regrole, (SELECT array_agg(a ORDER BY a::text) FROM "
    "unnest(lomacl) a), obj_description(m.oid, 'pg_largeobject')), '; "
    "' ORDER BY m.oid) FROM pg_largeobject_metadata m";

class OfflineTest : public AppTest {
 protected:
  void SetUp() override {
    StartServers(
        {.settings = {{"wal_level", "minimal"}, {"max_wal_senders", "0"}}});
    if (HasFatalFailure()) return;
    CreateApp();
    ASSERT_OK(OnSource(WriterSchemaSql(3000)));
    ASSERT_OK(OnSource(
        "INSERT INTO orders (account, amount) SELECT id, 1 FROM accounts;"
        "INSERT INTO notes SELECT md5(i::text), i % 7 FROM "
        "generate_series(1, 2000) i"));
  }

  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.mode = MigrateMode::kOffline;
    options.split_bytes = 64 << 10;
    options.jobs = 1;
    options.stream.poll_interval = absl::Milliseconds(20);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  absl::StatusOr<Report> Migrate(const MigrateOptions& options) {
    Control control;
    events_.emplace();
    return RunMigration(options, control, *events_);
  }

  // A run that ends when the target refuses rows: of accounts in the middle of
  // its ranges, of notes when larger tables are there already.
  void FailInTheCopy(const std::string& table, const std::string& condition) {
    Control control;
    AtPhase events(Phase::kCopy, [&] {
      EXPECT_OK(OnTarget(absl::StrCat("ALTER TABLE ", table,
                                      " ADD CONSTRAINT refused CHECK (",
                                      condition, ")")));
    });
    EXPECT_THAT(RunMigration(Options(), control, events).status().message(),
                HasSubstr("refused"));
    ASSERT_OK(OnTarget(
        absl::StrCat("ALTER TABLE ", table, " DROP CONSTRAINT refused")));
    ASSERT_OK_AND_ASSIGN(const std::string rows, Copied("accounts"));
    ASSERT_NE(rows, "0");
  }

  std::vector<std::string> Notices() const {
    std::vector<std::string> texts;
    for (const Notice& notice : events_->All<Notice>()) {
      texts.push_back(notice.text);
    }
    return texts;
  }

  void ExpectEqual() {
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  }

  // Rows of a table that the ledger has.
  absl::StatusOr<std::string> Copied(const std::string& table) const {
    return TargetValue(
        absl::StrCat("SELECT coalesce(sum(rows), 0) FROM walferry.copy_range "
                     "WHERE table_name = '",
                     table, "'"));
  }

  std::optional<EventRecorder> events_;
};

TEST_F(OfflineTest, MovesADatabaseOfAServerWithoutReplication) {
  ASSERT_OK(OnSource(
      "CREATE MATERIALIZED VIEW totals AS SELECT account, sum(amount) FROM "
      "orders GROUP BY 1; CREATE INDEX ON totals (account);"
      "CREATE TABLE audit (what text);"
      "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
      "INSERT INTO audit VALUES (TG_OP); RETURN NEW; END$$;"
      "CREATE TRIGGER audit AFTER INSERT ON notes FOR EACH ROW EXECUTE "
      "FUNCTION audit();"
      "CREATE UNLOGGED TABLE sessions AS SELECT 1 AS i"));
  ASSERT_OK(OnSource(kLargeObjects));
  ASSERT_OK(OnTarget("CREATE ROLE reader"));
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(Options()));
  ExpectEqual();
  EXPECT_TRUE(report.offline);
  EXPECT_EQ(report.tables, 6);
  EXPECT_EQ(report.sequences_set, 3);
  EXPECT_EQ(report.materialized_views_refreshed, 1);
  EXPECT_TRUE(report.applied_lsn.valid());
  EXPECT_EQ(LeftOnSource(), "0");
  ASSERT_OK_AND_ASSIGN(const std::string objects,
                       SourceValue(kLargeObjectFacts));
  EXPECT_THAT(objects, HasSubstr("7003"));
  EXPECT_THAT(TargetValue(kLargeObjectFacts), IsOkAndHolds(objects));
  // The trigger is there, and has seen none of the copied rows.
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"), IsOkAndHolds("0"));
  ASSERT_OK(OnTarget("INSERT INTO notes VALUES ('new', 1)"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"), IsOkAndHolds("1"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_replication_origin"),
              IsOkAndHolds("0"));
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const MigrationStatus status,
      RunStatus({.target = target_->ConnInfo("app"), .name = "test"}, control));
  EXPECT_EQ(status.phase, "done");
  EXPECT_EQ(status.steps_done, status.steps_total);
  // The same command again says what was done and does nothing.
  ASSERT_OK_AND_ASSIGN(const Report again, Migrate(Options()));
  EXPECT_EQ(again.rows_copied, report.rows_copied);
  EXPECT_TRUE(again.offline);
}

// How far the copy came that is gone on with.
struct Halt {
  const char* name;
  const char* table;
  const char* condition;
};
constexpr Halt kHalts[] = {{"InATable", "accounts", "id < 2500"},
                           {"BetweenTables", "notes", "extra IS NULL"}};

class OfflineHaltTest : public OfflineTest,
                        public testing::WithParamInterface<Halt> {};

TEST_P(OfflineHaltTest, GoesOnAndCopiesNothingTwice) {
  ASSERT_NO_FATAL_FAILURE(
      FailInTheCopy(GetParam().table, GetParam().condition));
  constexpr char kFirstRow[] =
      "SELECT format('%s %s', ctid, xmin) FROM accounts WHERE id = 1";
  ASSERT_OK_AND_ASSIGN(const std::string row, TargetValue(kFirstRow));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(Notices(), Contains(HasSubstr("is still what the source has")));
  EXPECT_THAT(Notices(), Not(Contains(HasSubstr("is copied anew"))));
  EXPECT_THAT(TargetValue(kFirstRow), IsOkAndHolds(row));
}

INSTANTIATE_TEST_SUITE_P(Halts, OfflineHaltTest, testing::ValuesIn(kHalts),
                         [](const auto& halt) { return halt.param.name; });

struct Write {
  const char* name;
  const char* sql;
  const char* why;  // "": what was copied is kept.
};
constexpr Write kWrites[] = {
    {"Updated", "UPDATE accounts SET balance = 1 WHERE id = 1",
     "it was written to since"},
    {"Deleted", "DELETE FROM accounts WHERE id = 1", "it was written to since"},
    {"AsManyAsBefore",
     "DELETE FROM accounts WHERE id = 1; INSERT INTO accounts VALUES (1, 'a1', "
     "0, NULL)",
     "it was written to since"},
    {"InsertedWhereRowsWere",
     "DELETE FROM accounts WHERE id < 100; VACUUM accounts; INSERT INTO "
     "accounts SELECT i, 'b' || i, 0 FROM generate_series(1, 99) i",
     "it was written to since"},
    {"Rewritten", "VACUUM FULL accounts", "it was rewritten or truncated"},
    {"Truncated", "TRUNCATE accounts", "it was rewritten or truncated"},
    {"RolledBack",
     "BEGIN; UPDATE accounts SET balance = 5; INSERT INTO accounts VALUES (-1, "
     "'new', 0, NULL); ROLLBACK; INSERT INTO tags VALUES (1, 'other')",
     ""},
    {"Vacuumed", "VACUUM FREEZE accounts", ""}};

class OfflineWriteTest
    : public OfflineTest,
      public testing::WithParamInterface<std::tuple<Halt, Write>> {};

TEST_P(OfflineWriteTest, HoldsOneStateOfTheSource) {
  const auto& [halt, write] = GetParam();
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy(halt.table, halt.condition));
  ASSERT_OK_AND_ASSIGN(SqlConnection source,
                       SqlConnection::Open(source_->ConnInfo("app")));
  // One by one: VACUUM takes no company.
  for (const absl::string_view statement : absl::StrSplit(write.sql, ';')) {
    ASSERT_OK(source.Exec(std::string(statement)));
  }
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  if (*write.why == '\0') {
    EXPECT_THAT(Notices(), Not(Contains(HasSubstr("is copied anew"))));
  } else {
    EXPECT_THAT(Notices(),
                Contains(absl::StrCat("table public.accounts is copied anew: ",
                                      write.why)));
  }
}

INSTANTIATE_TEST_SUITE_P(Writes, OfflineWriteTest,
                         testing::Combine(testing::ValuesIn(kHalts),
                                          testing::ValuesIn(kWrites)),
                         [](const auto& param) {
                           return absl::StrCat(std::get<0>(param.param).name,
                                               std::get<1>(param.param).name);
                         });

// As the server is, an online migration would be refused for five reasons.
TEST_F(OfflineTest, ChecksNothingThatOnlyAStreamNeeds) {
  ASSERT_OK(OnSource("CREATE TABLE unkeyed (i int)"));
  Control control;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = Options()}, control));
  EXPECT_THAT(report.Blocking({}), testing::IsEmpty());
  MigrateOptions online = Options();
  online.mode = MigrateMode::kOnline;
  ASSERT_OK_AND_ASSIGN(const CheckReport other,
                       RunCheck({.migrate = online}, control));
  std::vector<std::string> ids;
  for (const Finding* finding : other.Blocking({})) ids.push_back(finding->id);
  EXPECT_THAT(ids, testing::IsSupersetOf({"wal-level", "replication-connection",
                                          "wal-senders", "replica-identity"}));
}

TEST_F(OfflineTest, KeepsToItsMode) {
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  MigrateOptions online = Options();
  online.mode = MigrateMode::kOnline;
  const absl::Status status = Migrate(online).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "this migration was begun with --mode offline"));
  EXPECT_EQ(HintOf(status),
            "go on with the same --mode, or choose another --name");
  Control control;
  EventRecorder events;
  EXPECT_THAT(RunCutover({.target = target_->ConnInfo("app"), .name = "test"},
                         control, events)
                  .status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "test is an offline migration: there is nothing to cut "
                       "over"));
}

// A transaction that runs when the copy's snapshot is taken is seen by none of
// it, whichever of its subtransactions has written.
TEST_F(OfflineTest, CopiesATableAnewThatASubtransactionWasWriting) {
  ASSERT_OK_AND_ASSIGN(SqlConnection writer,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(writer.Exec("BEGIN"));
  ASSERT_OK(writer.Exec("SELECT pg_current_xact_id()"));
  ASSERT_OK(
      writer.Exec("SAVEPOINT s; UPDATE accounts SET balance = 9 WHERE id = 1"));
  // Then the subtransaction's id lies before the snapshot's xmax.
  ASSERT_OK(OnSource("CREATE TABLE later (i int)"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_OK(writer.Exec("COMMIT"));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(TargetValue("SELECT balance FROM accounts WHERE id = 1"),
              IsOkAndHolds("9"));
  EXPECT_THAT(Notices(), Contains("table public.accounts is copied anew: it "
                                  "was written to since"));
}

// What CREATE EXTENSION has brought is not the copy's to remove.
TEST_F(OfflineTest, KeepsAnExtensionsOwnRowsWhenItsTableIsCopiedAnew) {
  constexpr char kConfig[] =
      "CREATE TABLE config (id int PRIMARY KEY, x text);"
      "ALTER EXTENSION plpgsql ADD TABLE config;"
      "UPDATE pg_extension SET extconfig = ARRAY['config'::regclass::oid], "
      "extcondition = ARRAY['WHERE id > 1000'] WHERE extname = 'plpgsql';"
      "INSERT INTO config SELECT i, 'own' FROM generate_series(1, 1000) i";
  ASSERT_OK(OnSource(kConfig));
  ASSERT_OK(OnTarget(kConfig));
  ASSERT_OK(
      OnSource("INSERT INTO config SELECT i, repeat('x', 100) FROM "
               "generate_series(1001, 9000) i"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  EXPECT_THAT(Copied("config"), IsOkAndHolds("8000"));
  ASSERT_OK(OnSource("UPDATE config SET x = 'y' WHERE id = 1001"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(), Contains("table public.config is copied anew: it was "
                                  "written to since"));
  constexpr char kRows[] =
      "SELECT string_agg(x || ' ' || n, ', ' ORDER BY length(x) DESC, x) FROM "
      "(SELECT left(x, 3) AS x, count(*) AS n FROM config GROUP BY 1) c";
  EXPECT_THAT(SourceValue(kRows), IsOkAndHolds("own 1000, xxx 7999, y 1"));
  EXPECT_THAT(TargetValue(kRows), IsOkAndHolds("own 1000, xxx 7999, y 1"));
}

TEST_F(OfflineTest, LeavesALargeObjectAloneThatIsNotItsOwn) {
  ASSERT_OK(OnSource(kLargeObjects));
  ASSERT_OK(OnTarget(
      "CREATE ROLE reader; SELECT lo_from_bytea(7002, '\\x0001ff5c23')"));
  const absl::Status status = Migrate(Options()).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("large objects 7001 to 7003: target: ")));
  EXPECT_THAT(HintOf(status), HasSubstr("lo_unlink"));
  EXPECT_THAT(TargetValue("SELECT lo_get(7002)"),
              IsOkAndHolds("\\x0001ff5c23"));
  ASSERT_OK(OnTarget("SELECT lo_unlink(7002); SELECT lo_create(7009)"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(),
              Contains("the target has large objects that the source does not "
                       "have, and keeps them: 7009"));
  EXPECT_THAT(TargetValue("SELECT md5(lo_get(7003))"),
              IsOkAndHolds(*SourceValue("SELECT md5(lo_get(7003))")));
}

// All are of the state that the last run has seen.
TEST_F(OfflineTest, CopiesLargeObjectsAnewWhenItGoesOn) {
  ASSERT_OK(OnSource(kLargeObjects));
  // A hundred more, so that there are two pieces; the second one fails.
  ASSERT_OK(
      OnSource("SELECT lo_create(oid) FROM generate_series(7101, 7200) oid"));
  ASSERT_OK(OnTarget("CREATE ROLE reader; SELECT lo_create(7200)"));
  EXPECT_THAT(Migrate(Options()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("large objects 7162 to 7200")));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("65"));
  ASSERT_OK(OnTarget("SELECT lo_unlink(7200)"));
  ASSERT_OK(OnSource(
      "SELECT lo_unlink(7001); SELECT lo_put(7002, 1, '\\x77'); REVOKE SELECT "
      "ON LARGE OBJECT 7002 FROM reader; COMMENT ON LARGE OBJECT 7003 IS "
      "NULL"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(), Contains("resuming: 64 large objects of an earlier "
                                  "run are copied anew"));
  EXPECT_EQ(TargetValue(kLargeObjectFacts).value(),
            SourceValue(kLargeObjectFacts).value());
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const MigrationStatus status,
      RunStatus({.target = target_->ConnInfo("app"), .name = "test"}, control));
  EXPECT_EQ(status.steps_done, status.steps_total);
}

TEST_F(OfflineTest, ChecksThatLargeObjectsMayBeRead) {
  ASSERT_OK(OnSource(kLargeObjects));
  ASSERT_OK(OnTarget("CREATE ROLE reader"));
  ASSERT_OK(
      OnSource("CREATE ROLE reading LOGIN; GRANT pg_read_all_data TO "
               "reading; GRANT reader TO reading"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reading", "", "app");
  Control control;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = options}, control));
  std::vector<std::string> blocking;
  for (const Finding* finding : report.Blocking({})) {
    blocking.push_back(finding->text);
  }
  EXPECT_THAT(blocking, testing::ElementsAre(
                            "the role may not read 1 of 3 large objects"));
}

TEST_F(OfflineTest, TellsOfPreparedTransactions) {
  StartServers({.settings = {{"max_prepared_transactions", "2"}}});
  CreateApp();
  ASSERT_OK(OnSource("CREATE TABLE t (i int PRIMARY KEY)"));
  ASSERT_OK(
      OnSource("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'p'"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(),
              Contains(HasSubstr("what it wrote is not carried until then")));
  ASSERT_OK(OnSource("ROLLBACK PREPARED 'p'"));
}

// They belong to the whole database.
TEST_F(OfflineTest, CarriesNoLargeObjectsWithAPartOfTheDatabase) {
  ASSERT_OK(OnSource(kLargeObjects));
  MigrateOptions options = Options();
  options.scope.tables = {"accounts"};
  EXPECT_THAT(Migrate(options).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("[large-object]")));
  options.accept = {"large-object"};
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"),
              IsOkAndHolds("3000"));
}

// Foreign keys, triggers and rules come after the rows: no right to keep them
// quiet is needed.
TEST_F(OfflineTest, NeedsNoSuperuser) {
  ASSERT_OK(
      target_->Exec("CREATE ROLE mover LOGIN; GRANT CREATE ON DATABASE "
                    "app TO mover"));
  ASSERT_OK(OnTarget("GRANT ALL ON SCHEMA public TO mover"));
  ASSERT_OK(
      source_->Exec("CREATE ROLE reading LOGIN; GRANT pg_read_all_data "
                    "TO reading"));
  ASSERT_OK(OnSource(
      "ALTER TABLE orders ADD CONSTRAINT to_account FOREIGN KEY (account) "
      "REFERENCES accounts; CREATE TRIGGER same BEFORE UPDATE ON notes FOR "
      "EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reading", "", "app");
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  options.no_owner = true;
  options.no_acl = true;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_EQ(
      TargetValue(
          "SELECT string_agg(pg_get_constraintdef(oid), ' ') "
          "FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype "
          "= 'f'")
          .value(),
      "FOREIGN KEY (account) REFERENCES accounts(id)");
  EXPECT_EQ(TargetValue("SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE "
                        "NOT tgisinternal")
                .value(),
            "same");
}

}  // namespace
}  // namespace walferry
