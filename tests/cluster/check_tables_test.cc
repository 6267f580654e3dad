#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using CheckTablesTest = CheckTest;

TEST_P(CheckTablesTest, FindsNothingWrongWithAHealthyPair) {
  OnSource(R"(CREATE TYPE mood AS ENUM ('ok', 'sad');
      CREATE TABLE t (id bigserial PRIMARY KEY, m mood, n int
        GENERATED ALWAYS AS (1 + 1) STORED);
      CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        t bigint REFERENCES t);
      CREATE TABLE p (a int PRIMARY KEY) PARTITION BY RANGE (a);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE VIEW v AS SELECT id FROM t;
      CREATE MATERIALIZED VIEW m AS SELECT id FROM v;
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
      CREATE TABLE ruled (a int PRIMARY KEY);
      CREATE RULE r AS ON DELETE TO ruled DO INSTEAD NOTHING)");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Complaints(report), IsEmpty())
      << FormatCheckReport(report, {}, false);
  EXPECT_TRUE(report.ladder->replica_role);
  EXPECT_TRUE(report.ladder->replication_origin);
  EXPECT_TRUE(report.ladder->create_schema);
  EXPECT_TRUE(report.ladder->temporary_tables);
  EXPECT_TRUE(report.ladder->timeouts_settable);
  EXPECT_EQ(report.source_version / 10000, source_->major_version());
  EXPECT_EQ(report.target_version / 10000, target_->major_version());
  EXPECT_THAT(
      Found(report, "scope"),
      ElementsAre("ok source: 4 tables, 1 partitioned parent, 1 materialized "
                  "view and 2 sequences take part"));
  EXPECT_THAT(Found(report, "trigger"),
              ElementsAre("ok source: 1 ordinary trigger: silent on the target "
                          "until the cutover"));
  EXPECT_THAT(Found(report, "rule"),
              ElementsAre("ok source: 1 rule on tables: silent on the target "
                          "until the cutover"));
  EXPECT_THAT(Found(report, "generated-column"),
              ElementsAre("ok source: 1 generated column: computed anew on the "
                          "target"));
  EXPECT_THAT(Found(report, "identity-column"),
              ElementsAre("ok source: 1 column GENERATED ALWAYS AS IDENTITY: "
                          "values are carried as they are"));
}

TEST_P(CheckTablesTest, LeavesNothingBehind) {
  OnSource("CREATE TABLE t (id int PRIMARY KEY)");
  constexpr char kObjects[] =
      "SELECT (SELECT count(*) FROM pg_class) || ' ' ||"
      " (SELECT count(*) FROM pg_namespace) || ' ' ||"
      " (SELECT count(*) FROM pg_publication) || ' ' ||"
      " (SELECT count(*) FROM pg_replication_origin) || ' ' ||"
      " (SELECT count(*) FROM pg_replication_slots) || ' ' ||"
      " (SELECT count(*) FROM pg_replication_origin_status)";
  ASSERT_OK_AND_ASSIGN(const std::string source_before,
                       source_->QueryValue(kObjects, dbname_));
  ASSERT_OK_AND_ASSIGN(const std::string target_before,
                       target_->QueryValue(kObjects, dbname_));
  RunCheck();
  EXPECT_THAT(source_->QueryValue(kObjects, dbname_),
              IsOkAndHolds(source_before));
  EXPECT_THAT(target_->QueryValue(kObjects, dbname_),
              IsOkAndHolds(target_before));
}

TEST_P(CheckTablesTest, NamesTablesWithoutReplicaIdentityAndHowToHelpThem) {
  OnSource(R"(CREATE TABLE bare (a int);
      CREATE TABLE has_index (a int NOT NULL, b int NOT NULL, c int UNIQUE);
      CREATE UNIQUE INDEX wide ON has_index (a, b);
      CREATE UNIQUE INDEX "Narrow" ON has_index (b);
      CREATE UNIQUE INDEX partial ON has_index (a) WHERE a > 0;
      CREATE TABLE nothing (a int PRIMARY KEY);
      ALTER TABLE nothing REPLICA IDENTITY NOTHING;
      CREATE TABLE full_row (a int);
      ALTER TABLE full_row REPLICA IDENTITY FULL;
      CREATE UNLOGGED TABLE unlogged (a int);
      CREATE TABLE no_data (a int))");
  options_.scope.exclude_table_data = {"no_data"};
  const CheckReport report = RunCheck();
  const std::string fails =
      ": once it is published, the application's own UPDATE and DELETE on it "
      "fail on the source";
  EXPECT_THAT(
      Found(report, "replica-identity"),
      ElementsAre(
          "blocking? public.bare: it has no primary key that identifies rows "
          "at once" +
              fails,
          "blocking? public.has_index: it has no primary key that identifies "
          "rows at once" +
              fails,
          "blocking? public.nothing: its replica identity is NOTHING" + fails));
  std::vector<std::string> hints;
  for (const Finding& finding : report.findings) {
    if (finding.id == "replica-identity") hints.push_back(finding.hint);
  }
  EXPECT_THAT(
      hints,
      ElementsAre("ALTER TABLE \"public\".\"bare\" REPLICA IDENTITY FULL; -- "
                  "every UPDATE and DELETE then writes the whole old row to "
                  "the log, and the target has to search for it; a primary "
                  "key is better",
                  "ALTER TABLE \"public\".\"has_index\" REPLICA IDENTITY USING "
                  "INDEX \"Narrow\";",
                  "ALTER TABLE \"public\".\"nothing\" REPLICA IDENTITY "
                  "DEFAULT;"));
  EXPECT_EQ(report.Blocking({}).size(), 3u);
  EXPECT_EQ(report.Blocking({"replica-identity"}).size(), 0u);
  EXPECT_EQ(report.Blocking({"replica-identity:public.bare"}).size(), 2u);
  EXPECT_THAT(Found(report, "replica-identity-full"),
              ElementsAre("info source: each UPDATE and DELETE has to search "
                          "for its row by all columns in public.full_row"));
  EXPECT_THAT(Found(report, "unlogged-table"),
              ElementsAre("warning source: changes of unlogged tables are not "
                          "in the stream; they are copied once more at the "
                          "cutover, while writers wait: public.unlogged"));
  // The hints do help.
  for (const std::string& hint : hints) OnSource(hint);
  EXPECT_THAT(Found(RunCheck(), "replica-identity"),
              ElementsAre("ok source: every table's rows can be told apart"));
}

TEST_P(CheckTablesTest, FindsAnIdentityIndexThatIsGone) {
  OnSource(R"(CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX i ON t (a);
      ALTER TABLE t REPLICA IDENTITY USING INDEX i; DROP INDEX i)");
  EXPECT_THAT(Found(RunCheck(), "replica-identity"),
              ElementsAre("blocking? public.t: the index of its replica "
                          "identity is gone or not valid: once it is "
                          "published, the application's own UPDATE and DELETE "
                          "on it fail on the source"));
}

TEST_P(CheckTablesTest, FindsGeneratedColumnsInKeys) {
  OnSource(
      "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) STORED"
      " PRIMARY KEY)");
  EXPECT_THAT(
      Found(RunCheck(), "generated-key"),
      ElementsAre("blocking? public.t: its replica identity has a generated "
                  "column, whose value is not in the stream: UPDATE and DELETE "
                  "cannot be followed (from PostgreSQL 18 on they fail on the "
                  "source once it is published)"));
}

TEST_P(CheckTablesTest, FindsConstraintsThatAreNotEnforcedOnAppliedChanges) {
  OnSource(R"(CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE DEFERRABLE,
        c int4range, EXCLUDE USING gist (c WITH &&)))");
  const CheckReport report = RunCheck();
  EXPECT_THAT(
      Found(report, "deferrable-key"),
      ElementsAre("warning source: PostgreSQL does not enforce deferrable "
                  "unique and exclusion constraints on applied changes: "
                  "t_b_key on public.t"));
  EXPECT_THAT(
      Found(report, "exclusion-constraint"),
      ElementsAre("info source: changes of tables with exclusion constraints "
                  "are not merged, so applied more slowly: t_c_excl on "
                  "public.t"));
}

TEST_P(CheckTablesTest, NamesTablesOfOtherKinds) {
  OnSource(R"(CREATE FOREIGN DATA WRAPPER w;
      CREATE SERVER s FOREIGN DATA WRAPPER w;
      CREATE FOREIGN TABLE far (a int) SERVER s;
      CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
      CREATE TABLE odd (a int PRIMARY KEY) USING heap2;
      CREATE INDEX broken ON odd (a);
      UPDATE pg_index SET indisvalid = false
        WHERE indexrelid = 'broken'::regclass)");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "foreign-table"),
              ElementsAre("warning source: of foreign tables the definition is "
                          "carried, their rows stay where they are: "
                          "public.far"));
  EXPECT_THAT(Found(report, "access-method"),
              ElementsAre("warning public.odd: it is stored by access method "
                          "heap2: whether its changes are in the stream "
                          "depends on that one's author"));
  EXPECT_THAT(
      Found(report, "invalid-index"),
      ElementsAre("info source: invalid indexes are left out: public.broken"));
}

TEST_P(CheckTablesTest, NamesTriggersAndRulesThatFireOnTheTarget) {
  OnSource(R"(CREATE TABLE t (a int PRIMARY KEY);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER ordinary BEFORE INSERT ON t EXECUTE FUNCTION f();
      CREATE TRIGGER always BEFORE INSERT ON t EXECUTE FUNCTION f();
      CREATE TRIGGER replica BEFORE INSERT ON t EXECUTE FUNCTION f();
      CREATE TRIGGER never BEFORE INSERT ON t EXECUTE FUNCTION f();
      ALTER TABLE t ENABLE ALWAYS TRIGGER always;
      ALTER TABLE t ENABLE REPLICA TRIGGER replica;
      ALTER TABLE t DISABLE TRIGGER never;
      CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
      ALTER TABLE t ENABLE ALWAYS RULE r)");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "trigger"),
              ElementsAre("ok source: 1 ordinary trigger: silent on the target "
                          "until the cutover"));
  EXPECT_THAT(Found(report, "trigger-on-target"),
              ElementsAre("warning source: triggers with ENABLE ALWAYS or "
                          "ENABLE REPLICA fire on the target for applied "
                          "changes, after they fired on the source: always on "
                          "public.t, replica on public.t"));
  EXPECT_THAT(Found(report, "rule"),
              ElementsAre("blocking? source: rules with ENABLE ALWAYS or "
                          "ENABLE REPLICA change what applied statements do: "
                          "r on public.t"));
}

TEST_P(CheckTablesTest, NamesWhatIsLeftBehind) {
  OnSource(
      "SELECT lo_create(0); SELECT lo_create(0); CREATE SEQUENCE s;"
      "CREATE PUBLICATION theirs");
  OnSource(
      "CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION p"
      " WITH (connect = false, slot_name = NONE)");
  OnSource(absl::StrCat("ALTER DATABASE ", dbname_, " SET work_mem = '5MB'"));
  OnSource(absl::StrCat("ALTER ROLE postgres IN DATABASE ", dbname_,
                        " SET search_path = a"));
  options_.sequence_sync = false;
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "large-object"),
              ElementsAre("blocking? source: 2 large objects will not be "
                          "carried: columns that refer to them point nowhere "
                          "on the target"));
  EXPECT_THAT(Found(report, "subscription"),
              ElementsAre("warning source: subscriptions of the source are not "
                          "carried: sub"));
  EXPECT_THAT(Found(report, "other-publication"),
              ElementsAre("info source: publications of the source are not "
                          "carried: theirs"));
  EXPECT_THAT(Found(report, "database-setting"),
              ElementsAre("warning source: settings that are tied to the "
                          "database are not carried: search_path for role "
                          "postgres, work_mem"));
  EXPECT_THAT(Found(report, "sequence"),
              ElementsAre("warning source: 1 sequence will begin anew on the "
                          "target: the first INSERT after the cutover may meet "
                          "a key that exists"));
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckTablesTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
