// RunMigration with MigrateMode::kOffline of the schema alone, and of rows
// alone into tables that are there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class OfflinePartTest : public OfflineTest {
 protected:
  void SetUp() override {
    OfflineTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(OnSource(
        "ALTER TABLE orders ADD CONSTRAINT to_account FOREIGN KEY (account) "
        "REFERENCES accounts; CREATE MATERIALIZED VIEW totals AS SELECT "
        "account, sum(amount) FROM orders GROUP BY 1;"
        "CREATE TABLE audit (what text);"
        "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "INSERT INTO public.audit VALUES (TG_OP); RETURN NEW; END$$;"
        "CREATE TRIGGER audit AFTER INSERT ON notes FOR EACH ROW EXECUTE "
        "FUNCTION audit(); SELECT lo_from_bytea(7002, '\\x0001ff5c22')"));
  }

  MigrateOptions Schema() const {
    MigrateOptions options = Options();
    options.scope.part = ScopePart::kSchema;
    return options;
  }
  // Another migration than that of the schema.
  MigrateOptions Rows() const {
    MigrateOptions options = Options();
    options.endpoints.name = "rows";
    options.scope.part = ScopePart::kRows;
    return options;
  }

  // "id subject: text" of what keeps rows from being carried.
  std::vector<std::string> Blocking(const MigrateOptions& options) {
    Control control;
    const absl::StatusOr<CheckReport> report =
        RunCheck({.migrate = options}, control);
    EXPECT_OK(report);
    std::vector<std::string> texts;
    if (!report.ok()) return texts;
    for (const Finding* finding : report->Blocking(options.accept)) {
      texts.push_back(absl::StrCat(finding->id, " ", finding->subject, ": ",
                                   finding->text));
    }
    return texts;
  }

  std::string RowsOnTarget() const {
    return TargetValue(
               "SELECT (SELECT count(*) FROM accounts) + (SELECT count(*) FROM "
               "orders) + (SELECT count(*) FROM notes)")
        .value_or("?");
  }
};

TEST_F(OfflinePartTest, CarriesTheSchemaAndThenTheRows) {
  ASSERT_OK_AND_ASSIGN(const Report schema, Migrate(Schema()));
  EXPECT_EQ(RowsOnTarget(), "0");
  EXPECT_THAT(TargetValue("SELECT relispopulated FROM pg_class WHERE relname = "
                          "'totals'"),
              IsOkAndHolds("f"));
  EXPECT_THAT(TargetValue("SELECT last_value || ',' || is_called FROM tickets"),
              IsOkAndHolds("1,false"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_constraint WHERE conname = "
                          "'to_account'"),
              IsOkAndHolds("1"));
  EXPECT_EQ(schema.rows_copied, 0);
  EXPECT_THAT(
      schema.remarks,
      ElementsAre("only the schema was carried (--schema-only): tables are "
                  "empty, sequences begin anew, materialized views are not "
                  "filled"));
  for (const PhaseStarted& phase : events_->All<PhaseStarted>()) {
    EXPECT_NE(phase.phase, Phase::kCopy);
  }
  EXPECT_THAT(Blocking(Rows()), IsEmpty());
  // No client is needed for rows.
  MigrateOptions rows = Rows();
  rows.pg_dump = "/nonexistent/pg_dump";
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(rows));
  ExpectEqual();
  EXPECT_EQ(report.sequences_set, 3);
  EXPECT_EQ(report.materialized_views_refreshed, 1);
  EXPECT_THAT(TargetValue("SELECT lo_get(7002)"),
              IsOkAndHolds("\\x0001ff5c22"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_statistic WHERE starelid = "
                          "'accounts'::regclass"),
              Not(IsOkAndHolds("0")));
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const MigrationStatus status,
      RunStatus({.target = target_->ConnInfo("app"), .name = "rows"}, control));
  EXPECT_EQ(status.phase, "done");
  EXPECT_EQ(status.steps_done, status.steps_total);
}

TEST_F(OfflinePartTest, GoesOnWithTheSchemaAlone) {
  {
    Control control;
    AtPhase events(Phase::kIndexes, [&] { control.RequestStop(); });
    EXPECT_EQ(RunMigration(Schema(), control, events).status().code(),
              absl::StatusCode::kCancelled);
  }
  ASSERT_OK(Migrate(Schema()));
  EXPECT_EQ(RowsOnTarget(), "0");
  EXPECT_THAT(Blocking(Rows()), IsEmpty());
}

TEST_F(OfflinePartTest, NamesBothPartsWhenAnotherOneIsAskedFor) {
  {
    Control control;
    AtPhase events(Phase::kIndexes, [&] { control.RequestStop(); });
    EXPECT_EQ(RunMigration(Schema(), control, events).status().code(),
              absl::StatusCode::kCancelled);
  }
  MigrateOptions rows = Schema();
  rows.scope.part = ScopePart::kRows;
  EXPECT_THAT(Migrate(rows), StatusIs(absl::StatusCode::kFailedPrecondition,
                                      "this migration was begun with "
                                      "--schema-only, not with --data-only"));
  const absl::Status all = Migrate(Options()).status();
  EXPECT_THAT(all, StatusIs(absl::StatusCode::kFailedPrecondition,
                            "this migration was begun with --schema-only, not "
                            "with everything"));
  EXPECT_EQ(HintOf(all),
            "go on with the same, choose another --name, or run `walferry "
            "cleanup --name test` and begin again");
}

TEST_F(OfflinePartTest, FindsWhatTheTablesLackBeforeAnythingIsCopied) {
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(OnTarget(
      "DROP TABLE audit; ALTER TABLE accounts DROP COLUMN document;"
      "ALTER TABLE accounts ADD own int NOT NULL, ADD fine int NOT NULL "
      "DEFAULT "
      "1, ADD free int;"
      "DROP MATERIALIZED VIEW totals; DROP SEQUENCE tickets;"
      "ALTER TABLE orders ALTER doubled DROP EXPRESSION, ALTER amount TYPE "
      "numeric(10,1);"
      "ALTER TABLE notes RENAME TO notes_1; CREATE TABLE notes (body text, "
      "extra "
      "int) PARTITION BY LIST (extra)"));
  EXPECT_THAT(
      Blocking(Rows()),
      UnorderedElementsAre(
          "target-table public.audit: there is no such table on the target",
          "target-table public.accounts: column document does not exist on the "
          "target",
          "target-table public.accounts: column own is the target's own, NOT "
          "NULL and without a default",
          "target-table public.orders: column doubled is generated on the "
          "source only and would stay empty on the target",
          "target-table public.notes: on the target it is partitioned, and "
          "holds no rows itself",
          "target-table public.tickets: this sequence does not exist on the "
          "target",
          "target-table public.totals: this materialized view does not exist "
          "on the target",
          "target-type public.orders: column amount is numeric(10,2) on the "
          "source and numeric(10,1) on the target: values may be rounded or "
          "refused"));
  EXPECT_THAT(Migrate(Rows()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("there is no such table on the target")));
  EXPECT_EQ(RowsOnTarget(), "0");
}

TEST_F(OfflinePartTest, RemovesRowsThatAreInTheWayOnlyWhenItIsTold) {
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(OnTarget(
      "INSERT INTO accounts VALUES (1, 'theirs', 5); INSERT INTO orders "
      "(account, amount) VALUES (1, 2)"));
  EXPECT_THAT(Blocking(Rows()),
              ElementsAre("target-rows public.accounts: it holds rows on the "
                          "target; accepted, they are removed before the "
                          "source's come",
                          "target-rows public.orders: it holds rows on the "
                          "target; accepted, they are removed before the "
                          "source's come"));
  EXPECT_FALSE(Migrate(Rows()).ok());
  EXPECT_EQ(RowsOnTarget(), "2");
  MigrateOptions told = Rows();
  told.accept = {"target-rows"};
  ASSERT_OK(Migrate(told));
  ExpectEqual();
}

// Whoever has written since the checks is not written over.
TEST_F(OfflinePartTest, TruncatesNoTableThatItHasNotMade) {
  ASSERT_OK(Migrate(Schema()));
  Control control;
  AtPhase events(Phase::kCopy, [&] {
    EXPECT_OK(OnTarget("INSERT INTO tags VALUES (1, 'theirs', 7)"));
  });
  EXPECT_THAT(
      RunMigration(Rows(), control, events).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "target: table public.tags holds rows that walferry has not "
               "copied"));
  EXPECT_THAT(TargetValue("SELECT tag FROM tags"), IsOkAndHolds("theirs"));
  ASSERT_OK(OnTarget("DELETE FROM tags"));
  // TRUNCATE would give each other files.
  constexpr char kFiles[] =
      "SELECT string_agg(relfilenode::text, ' ' ORDER BY relname) FROM "
      "pg_class "
      "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
  ASSERT_OK_AND_ASSIGN(const std::string files, TargetValue(kFiles));
  ASSERT_OK(Migrate(Rows()));
  EXPECT_THAT(TargetValue(kFiles), IsOkAndHolds(files));
  ExpectEqual();
}

TEST_F(OfflinePartTest, GoesOnWithRowsAndCopiesNoneTwice) {
  ASSERT_OK(Migrate(Schema()));
  Control control;
  AtPhase events(Phase::kCopy, [&] {
    EXPECT_OK(OnTarget(
        "ALTER TABLE notes ADD CONSTRAINT refused CHECK (extra IS NULL)"));
  });
  EXPECT_THAT(RunMigration(Rows(), control, events).status().message(),
              HasSubstr("refused"));
  ASSERT_OK(OnTarget("ALTER TABLE notes DROP CONSTRAINT refused"));
  constexpr char kFirstRow[] =
      "SELECT format('%s %s', ctid, xmin) FROM accounts WHERE id = 1";
  ASSERT_OK_AND_ASSIGN(const std::string row, TargetValue(kFirstRow));
  MigrateOptions options = Rows();
  // Does not speak of rows that this migration has brought.
  options.accept = {"target-rows"};
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_THAT(Notices(), Contains(HasSubstr("is still what the source has")));
  EXPECT_THAT(TargetValue(kFirstRow), IsOkAndHolds(row));
}

TEST_F(OfflinePartTest, SaysWhatARoleCannotKeepQuiet) {
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(
      OnTarget("CREATE ROLE mover LOGIN; GRANT CREATE ON DATABASE app TO mover;"
               "GRANT ALL ON ALL TABLES IN SCHEMA public TO mover;"
               "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO mover"));
  MigrateOptions options = Rows();
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  // Its ledger is its own.
  options.endpoints.ledger_schema = "moves";
  options.scope.tables = {"orders", "accounts", "notes", "audit"};
  options.sequence_sync = false;
  options.accept = {"large-object"};
  EXPECT_THAT(
      Blocking(options),
      ElementsAre("target-trigger target: triggers of the target will fire for "
                  "every row that is copied: audit on public.notes",
                  "target-foreign-key target: the role may not keep foreign "
                  "keys quiet, and rows may come before those that they refer "
                  "to: public.orders: FOREIGN KEY (account) REFERENCES "
                  "public.accounts(id)"));
  ASSERT_OK(OnTarget("ALTER TABLE orders DROP CONSTRAINT to_account"));
  options.accept.push_back("target-trigger");
  ASSERT_OK(Migrate(options));
  EXPECT_EQ(RowsOnTarget(), SourceValue("SELECT (SELECT count(*) FROM accounts)"
                                        " + (SELECT count(*) FROM orders) + "
                                        "(SELECT count(*) FROM notes)")
                                .value_or(""));
  // As was accepted.
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"),
              SourceValue("SELECT count(*) FROM notes"));
}

TEST_F(OfflinePartTest, FindsRulesThatActOnInsertedRows) {
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(
      OnTarget("CREATE RULE quiet AS ON INSERT TO notes DO INSTEAD NOTHING;"
               "CREATE RULE loud AS ON INSERT TO notes DO INSTEAD NOTHING;"
               "ALTER TABLE notes ENABLE ALWAYS RULE loud;"
               "CREATE RULE other AS ON UPDATE TO notes DO INSTEAD NOTHING;"
               "ALTER TABLE notes ENABLE ALWAYS RULE other"));
  MigrateOptions options = Rows();
  EXPECT_THAT(Blocking(options), IsEmpty());
  options.inserts = true;
  EXPECT_THAT(
      Blocking(options),
      ElementsAre("target-rule target: rules of the target act on rows that "
                  "are inserted (--inserts), and may put others, or none, in "
                  "their place: loud on public.notes"));
  ASSERT_OK(OnTarget("ALTER TABLE notes DISABLE RULE loud"));
  EXPECT_THAT(Blocking(options), IsEmpty());
}

TEST_F(OfflinePartTest, ProvesForeignKeysByTheSources) {
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(OnTarget(
      "ALTER TABLE tags ADD CONSTRAINT own FOREIGN KEY (account) REFERENCES "
      "accounts; ALTER TABLE notes ENABLE ALWAYS TRIGGER audit"));
  EXPECT_THAT(
      Blocking(Rows()),
      ElementsAre("target-trigger target: triggers of the target will fire for "
                  "every row that is copied: audit on public.notes",
                  "target-foreign-key target: the source has no such foreign "
                  "keys, or does not enforce them, or the rows that they refer "
                  "to are not carried, so that nothing proves that copied rows "
                  "keep to them: public.tags: FOREIGN KEY (account) REFERENCES "
                  "public.accounts(id)"));
}

// The target may lack the rows that they refer to.
TEST_F(OfflinePartTest, ProvesNoForeignKeyToRowsThatStayBehind) {
  ASSERT_OK(Migrate(Schema()));
  const std::string unproven =
      "target-foreign-key target: the source has no such foreign keys, or does "
      "not enforce them, or the rows that they refer to are not carried, so "
      "that nothing proves that copied rows keep to them: public.orders: "
      "FOREIGN KEY (account) REFERENCES public.accounts(id)";
  MigrateOptions options = Rows();
  options.accept = {"large-object"};
  options.scope.tables = {"orders"};
  EXPECT_THAT(Blocking(options), ElementsAre(unproven));
  options.scope.tables.clear();
  options.scope.exclude_tables = {"accounts"};
  EXPECT_THAT(Blocking(options), ElementsAre(unproven));
  options.scope.exclude_tables.clear();
  options.scope.exclude_table_data = {"accounts"};
  EXPECT_THAT(Blocking(options), ElementsAre(unproven));
}

TEST_F(OfflinePartTest, ProvesNothingByAForeignKeyThatIsNotEnforced) {
  ASSERT_OK(
      OnSource("CREATE TABLE days (a int PRIMARY KEY) PARTITION BY LIST (a);"
               "CREATE TABLE day_1 PARTITION OF days FOR VALUES IN (1);"
               "CREATE TABLE stays (a int CONSTRAINT in_day REFERENCES days) "
               "PARTITION BY LIST (a);"
               "CREATE TABLE stay_1 PARTITION OF stays FOR VALUES IN (1)"));
  ASSERT_OK(Migrate(Schema()));
  EXPECT_THAT(Blocking(Rows()), IsEmpty());
  const auto unproven = [&](const std::string& table, const std::string& key) {
    ASSERT_OK(OnSource("ALTER TABLE " + table + " DISABLE TRIGGER ALL"));
    EXPECT_THAT(Blocking(Rows()),
                ElementsAre(AllOf(HasSubstr("or does not enforce them"),
                                  HasSubstr(key))));
    ASSERT_OK(OnSource("ALTER TABLE " + table + " ENABLE TRIGGER ALL"));
  };
  unproven("orders",
           "public.orders: FOREIGN KEY (account) REFERENCES "
           "public.accounts(id)");
  const std::string of_part =
      "public.stay_1: FOREIGN KEY (a) REFERENCES public.days(a)";
  unproven("stay_1", of_part);
  unproven("day_1", of_part);
}

TEST_F(OfflinePartTest, ProvesForeignKeysToPartitionsOneByOne) {
  ASSERT_OK(
      OnSource("CREATE TABLE part (a int PRIMARY KEY) PARTITION BY LIST (a);"
               "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);"
               "CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);"
               "CREATE TABLE part_child (a int REFERENCES part)"));
  ASSERT_OK(Migrate(Schema()));
  EXPECT_THAT(Blocking(Rows()), IsEmpty());
  MigrateOptions options = Rows();
  options.scope.exclude_table_data = {"part_2"};
  EXPECT_THAT(Blocking(options),
              ElementsAre(AllOf(HasSubstr("target-foreign-key"),
                                HasSubstr("public.part_child: FOREIGN KEY (a) "
                                          "REFERENCES public.part(a)"))));
}

// They would let in what they are there to refuse.
TEST_F(OfflinePartTest, FindsDeferrableConstraintsOfTheTargetAlone) {
  ASSERT_OK(OnSource(
      "CREATE TABLE seats (a int UNIQUE DEFERRABLE, b int UNIQUE, c int);"
      "INSERT INTO seats VALUES (1, 1, 7), (2, 2, 7)"));
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(
      OnTarget("ALTER TABLE seats DROP CONSTRAINT seats_b_key, ADD UNIQUE (b) "
               "DEFERRABLE INITIALLY DEFERRED, ADD UNIQUE (c) DEFERRABLE"));
  EXPECT_THAT(
      Blocking(Rows()),
      ElementsAre("target-deferrable target: nobody looks at deferrable "
                  "constraints while rows are copied, and the source has none "
                  "that prove these: public.seats: UNIQUE (c)"));
}

// Both name their types alike.
TEST_F(OfflinePartTest, FindsTypesThatAreMadeOfOthers) {
  ASSERT_OK(OnSource(
      "CREATE DOMAIN price AS numeric(12,4); CREATE DOMAIN same AS text;"
      "CREATE TYPE span AS (low price, high int);"
      "CREATE TABLE goods (a price, b same, c span[], d int4range);"
      "INSERT INTO goods VALUES (1.2345)"));
  ASSERT_OK(Migrate(Schema()));
  EXPECT_THAT(Blocking(Rows()), IsEmpty());
  ASSERT_OK(
      OnTarget("DROP TABLE goods; DROP TYPE span; DROP DOMAIN price;"
               "CREATE DOMAIN price AS numeric(12,2);"
               "CREATE TYPE span AS (low price, high int);"
               "CREATE TABLE goods (a price, b same, c span[], d int4range)"));
  EXPECT_THAT(
      Blocking(Rows()),
      ElementsAre("target-type public.goods: column a is of a type that is "
                  "another on the target (public.price is numeric(12,2)) than "
                  "on the source (public.price is numeric(12,4)): values may "
                  "be rounded, mixed up or refused",
                  "target-type public.goods: column c is of a type that is "
                  "another on the target (public.price is numeric(12,2), "
                  "public.span is low public.price, high integer) than on the "
                  "source (public.price is numeric(12,4), public.span is low "
                  "public.price, high integer): values may be rounded, mixed "
                  "up or refused"));
}

TEST_F(OfflinePartTest, SetsNoSequenceThatNobodyAskedFor) {
  ASSERT_OK(OnSource("SELECT setval('tickets', 70)"));
  ASSERT_OK(Migrate(Schema()));
  MigrateOptions options = Rows();
  options.accept = {"large-object"};
  options.scope.tables = {"audit"};
  ASSERT_OK_AND_ASSIGN(const Report audit, Migrate(options));
  EXPECT_EQ(audit.sequences_set, 0);
  EXPECT_THAT(TargetValue("SELECT last_value || ',' || is_called FROM tickets"),
              IsOkAndHolds("1,false"));
  options = Rows();
  options.endpoints.name = "others";
  options.scope.exclude_tables = {"audit"};
  options.scope.exclude_table_data = {"orders"};
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(
      TargetValue("SELECT last_value || ',' || is_called FROM orders_id_seq"),
      IsOkAndHolds("1,false"));
  EXPECT_THAT(TargetValue("SELECT last_value || ',' || is_called FROM tickets"),
              IsOkAndHolds("70,true"));
}

// Numbers that were given out would come again.
TEST_F(OfflinePartTest, SetsNoSequenceBack) {
  ASSERT_OK(OnSource("SELECT setval('tickets', 70)"));
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(OnTarget("SELECT setval('tickets', 71, false)"));
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(Rows()));
  EXPECT_EQ(report.sequences_set, 2);
  EXPECT_THAT(report.remarks,
              Contains("sequences that were ahead of the source's on the "
                       "target stay: public.tickets"));
  EXPECT_THAT(TargetValue("SELECT last_value || ',' || is_called FROM tickets"),
              IsOkAndHolds("71,false"));
}

TEST_F(OfflinePartTest, AsksForTheRightsThatItNeedsAtTheEnd) {
  ASSERT_OK(Migrate(Schema()));
  ASSERT_OK(OnTarget(
      "CREATE ROLE mover LOGIN; GRANT CREATE ON DATABASE app TO mover;"
      "GRANT SET ON PARAMETER session_replication_role TO mover;"
      "GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO mover;"
      "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mover;"
      "INSERT INTO tags VALUES (1, 'theirs')"));
  MigrateOptions options = Rows();
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  options.endpoints.ledger_schema = "moves";
  options.accept = {"large-object", "target-rows"};
  options.no_owner = true;
  EXPECT_THAT(
      Blocking(options),
      UnorderedElementsAre(
          AllOf(
              HasSubstr("target-rights target: the role may not read and set "),
              HasSubstr("public.orders_id_seq"), HasSubstr("public.tickets")),
          "target-rights target: the role may not refresh public.totals",
          "target-rights public.tags: its rows are to be removed, but the role "
          "may not truncate it"));
}

TEST_F(OfflinePartTest, RemovesOnlyTheUsersRowsOfAConfigurationTable) {
  ASSERT_OK(OnSource("CREATE TABLE config (id int PRIMARY KEY, x text)"));
  ASSERT_OK(Migrate(Schema()));
  const std::string brought =
      "ALTER EXTENSION plpgsql ADD TABLE config;"
      "UPDATE pg_extension SET extconfig = ARRAY['config'::regclass::oid], "
      "extcondition = ARRAY['WHERE id > 1000'] WHERE extname = 'plpgsql';";
  ASSERT_OK(OnSource(absl::StrCat(
      brought, "INSERT INTO config VALUES (1, 'old'), (1001, 'old')")));
  ASSERT_OK(OnTarget(absl::StrCat(
      brought, "INSERT INTO config VALUES (1, 'new'), (1002, 'theirs')")));
  Control control;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = Rows()}, control));
  const std::vector<const Finding*> blocking = report.Blocking({});
  ASSERT_EQ(blocking.size(), 1u);
  EXPECT_EQ(blocking[0]->id, "target-rows");
  EXPECT_EQ(blocking[0]->hint,
            "DELETE FROM ONLY \"public\".\"config\" WHERE id > 1000;");
  MigrateOptions told = Rows();
  told.accept = {"target-rows"};
  ASSERT_OK(Migrate(told));
  EXPECT_THAT(TargetValue("SELECT string_agg(id || ' ' || x, ', ' ORDER BY id) "
                          "FROM config"),
              IsOkAndHolds("1 new, 1001 old"));
}

// Rows that others have put into a table since are not removed unasked.
TEST_F(OfflinePartTest, RemovesNoRowsOfOthersToCopyATableAnew) {
  ASSERT_OK(Migrate(Schema()));
  Control control;
  AtPhase events(Phase::kCopy, [&] {
    EXPECT_OK(OnTarget(
        "ALTER TABLE notes ADD CONSTRAINT refused CHECK (extra IS NULL)"));
  });
  EXPECT_THAT(RunMigration(Rows(), control, events).status().message(),
              HasSubstr("refused"));
  ASSERT_OK(OnTarget(
      "ALTER TABLE notes DROP CONSTRAINT refused;"
      "INSERT INTO accounts (id, name, balance) VALUES (-7, 'theirs', 0)"));
  ASSERT_OK(OnSource("INSERT INTO accounts VALUES (-8, 'later', 0, NULL)"));
  const absl::Status status = Migrate(Rows()).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("table public.accounts: target: it has "
                                       "to be copied anew, but holds "),
                             HasSubstr("others have written to it"))));
  EXPECT_EQ(HintOf(status),
            "see whose they are; --accept target-rows removes all of them");
  EXPECT_THAT(TargetValue("SELECT name FROM accounts WHERE id = -7"),
              IsOkAndHolds("theirs"));
  MigrateOptions told = Rows();
  told.accept = {"target-rows"};
  ASSERT_OK(Migrate(told));
  ExpectEqual();
}

TEST_F(OfflinePartTest, IsForOfflineMigrations) {
  MigrateOptions options = Rows();
  options.mode = MigrateMode::kOnline;
  EXPECT_THAT(Migrate(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "only an offline migration carries the schema alone or "
                       "rows alone"));
}

}  // namespace
}  // namespace walferry
