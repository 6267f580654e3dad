// RunVerify with a repair: the target's rows become the source's, range by
// range, and nothing else is touched.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_connection.h"
#include "tests/cluster/verify_repair_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(VerifyRepairTest, MakesRowsOfAllTablesEqual) {
  OnBoth(kVerifiedTables);
  EXPECT_THAT(
      RepairAfter(
          "DELETE FROM orders WHERE id IN (1, 12345, 20000);"
          "INSERT INTO orders (id) VALUES (-5), (900000);"
          "UPDATE orders SET note = NULL, price = price * 1.0 WHERE id = 77;"
          "INSERT INTO lines VALUES (7, 77, 'x');"
          "DELETE FROM people WHERE age = 7;"
          "INSERT INTO log VALUES (5, 'line 5'), (5, 'line 5'), (0, 'new');"
          "DELETE FROM log WHERE at = 4711;"
          "UPDATE docs SET body = overlay(body PLACING '!' FROM 5000) WHERE id "
          "= md5('7')::uuid"),
      ElementsAre("public.docs +0 -0 ~1", "public.lines +0 -1 ~0",
                  "public.log +1 -3 ~0", "public.orders +3 -2 ~1",
                  "public.people +56 -0 ~0"));
}

TEST_F(VerifyRepairTest, DoesNothingWhereNothingDiffers) {
  OnBoth(kVerifiedTables);
  EXPECT_THAT(RepairAfter("SELECT"), IsEmpty());
}

TEST_F(VerifyRepairTest, TellsValuesApartThatCompareAsEqual) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY, a text, b numeric, c float8);"
      "INSERT INTO t VALUES (1, '', 1.10, 0), (2, NULL, 'NaN', '-0')");
  EXPECT_THAT(RepairAfter("UPDATE t SET a = NULL, b = 1.1, c = '-0' WHERE id = "
                          "1; UPDATE t SET a = '', c = 0 WHERE id = 2"),
              ElementsAre("public.t +0 -0 ~2"));
}

// Neither can take its value as long as the other one has it.
TEST_F(VerifyRepairTest, ExchangesValuesUnderAUniqueKey) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text);"
      "INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, 100) i");
  EXPECT_THAT(
      RepairAfter("UPDATE t SET u = -u; UPDATE t SET u = CASE id WHEN 1 "
                  "THEN 2 WHEN 2 THEN 1 ELSE -u END"),
      ElementsAre("public.t +0 -0 ~2"));
}

TEST_F(VerifyRepairTest, ExchangesValuesBetweenRanges) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text);"
      "INSERT INTO t SELECT i, i, repeat('v', 200) FROM generate_series(1, "
      "3000) i; ANALYZE t");
  ASSERT_OK(
      OnTarget("UPDATE t SET u = NULL WHERE id IN (1, 2999);"
               "UPDATE t SET u = 3000 - id WHERE id = 1;"
               "UPDATE t SET u = 1 WHERE id = 2999"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(RepairOptions()));
  EXPECT_THAT(Told(report), ElementsAre("public.t +0 -0 ~2"));
  EXPECT_EQ(report.repair->tables[0].ranges, 2);
}

TEST_F(VerifyRepairTest, CarriesValuesOfAllKindsOfTypes) {
  OnBoth(
      "CREATE SCHEMA \"S \"\"x\";"
      "CREATE TYPE mood AS ENUM ('', 'b'); CREATE DOMAIN moody AS mood; CREATE "
      "DOMAIN list AS int[]; CREATE TYPE pair AS (a int, b text);"
      "CREATE TABLE \"S \"\"x\".\"T 'y\" (\"I \"\"d\" int PRIMARY KEY, m mood, "
      "d moody, l list, p pair, ps pair[], r int4range, x xml, j json, jb "
      "jsonb, c char(5), o regclass, q point, \"A \"\"b\" \"char\", b bytea, "
      "bits bit(3), n numeric(6,2), i interval, tz timestamptz, mo money, t "
      "text);"
      "INSERT INTO \"S \"\"x\".\"T 'y\" VALUES (1, '', '', '{1,NULL}', '(1,x)',"
      "'{\"(1,\\\"a b\\\")\"}', '[1,3)', '<a/>', '{\"a\": 1}', '{\"b\": 2}', "
      "'ab', 'pg_class', '(1,2)', 'x', '\\xdeadbeef', '101', 1.50, '1 mon 2 "
      "days', '2026-01-01 00:00+05', '12.34', E'a\\\\b\\n''c''');"
      "INSERT INTO \"S \"\"x\".\"T 'y\" (\"I \"\"d\") VALUES (2), (3);"
      "UPDATE \"S \"\"x\".\"T 'y\" SET p = '(,)' WHERE \"I \"\"d\" = 3");
  ASSERT_OK(
      OnTarget("ALTER DATABASE app SET timezone = 'Asia/Tokyo';"
               "ALTER DATABASE app SET datestyle = 'German'"));
  EXPECT_THAT(
      RepairAfter("DELETE FROM \"S \"\"x\".\"T 'y\" WHERE \"I \"\"d\" = 1;"
                  "UPDATE \"S \"\"x\".\"T 'y\" SET p = NULL, t = '' WHERE "
                  "\"I \"\"d\" = 3"),
      ElementsAre("\"S \"\"x\".\"T 'y\" +1 -0 ~1"));
  EXPECT_THAT(RepairAfter("UPDATE \"S \"\"x\".\"T 'y\" SET (m, d, l, p, ps, r, "
                          "x, j, jb, c, o, q, \"A \"\"b\", b, bits, n, i, tz, "
                          "mo, t) = ROW(NULL, NULL, NULL, NULL, NULL, NULL, "
                          "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
                          "NULL, NULL, NULL, NULL, NULL, NULL) WHERE "
                          "\"I \"\"d\" = 1"),
              ElementsAre("\"S \"\"x\".\"T 'y\" +0 -0 ~1"));
}

// Where they are compared to 15 digits, too: with a side before PostgreSQL 12,
// as parts of other values.
TEST_F(VerifyRepairTest, CarriesFloatsExactly) {
  OnBoth(
      "CREATE TYPE pair AS (a float8, b text);"
      "CREATE TABLE t (id int PRIMARY KEY, f float8, g float4, p pair);"
      "INSERT INTO t SELECT i, 0.1::float8 + 0.2, 1 / 3.0, ROW(0.1::float8 + "
      "0.2, 'x'::text)::pair FROM generate_series(1, 4) i");
  ASSERT_OK(
      OnTarget("DELETE FROM t WHERE id = 1; UPDATE t SET p = ROW((p).a, 'y') "
               "WHERE id = 2; UPDATE t SET f = 0.3 WHERE id = 3"));
  EXPECT_THAT(RepairAfter("SELECT"), ElementsAre("public.t +1 -0 ~2"));
  constexpr char kExact[] =
      "SELECT count(*) FROM t WHERE f = 0.1::float8 + 0.2 AND (p).a = f AND g "
      "= (1 / 3.0)::float4";
  EXPECT_THAT(TargetValue(kExact), IsOkAndHolds("4"));
  ASSERT_OK(
      OnTarget("DELETE FROM t WHERE id = 1; UPDATE t SET p = ROW((p).a, 'y') "
               "WHERE id = 2; UPDATE t SET f = 0.3 WHERE id = 3"));
  VerifyOptions dry_run = RepairOptions();
  dry_run.repair = RepairMode::kDryRun;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(dry_run));
  ASSERT_OK_AND_ASSIGN(
      PgConnection session,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  for (const std::string& sql : report.repair->statements) {
    ASSERT_OK(session.Exec(sql).status()) << sql;
  }
  EXPECT_THAT(TargetValue(kExact), IsOkAndHolds("4"));
}

TEST_F(VerifyRepairTest, LeavesGeneratedColumnsToTheTarget) {
  if (source_->major_version() < 12 || target_->major_version() < 12) {
    GTEST_SKIP() << "generated columns are of PostgreSQL 12";
  }
  OnBoth(
      "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a int, twice int "
      "GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (a));"
      "INSERT INTO t (a) SELECT i FROM generate_series(1, 10) i");
  EXPECT_THAT(RepairAfter("DELETE FROM t WHERE a IN (3, 4); INSERT INTO t (a) "
                          "VALUES (4)"),
              ElementsAre("public.t +1 -0 ~1"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM t WHERE id = a"),
              IsOkAndHolds("10"));
}

TEST_F(VerifyRepairTest, LeavesARangeThatTheTargetMakesSomethingElseOf) {
  if (source_->major_version() < 12 || target_->major_version() < 12) {
    GTEST_SKIP() << "generated columns are of PostgreSQL 12";
  }
  ASSERT_OK(
      OnSource("CREATE TABLE t (a int PRIMARY KEY, b int GENERATED ALWAYS AS "
               "(a * 2) STORED); INSERT INTO t VALUES (1), (2)"));
  ASSERT_OK(
      OnTarget("CREATE TABLE t (a int PRIMARY KEY, b int GENERATED ALWAYS AS "
               "(a * 3) STORED); INSERT INTO t VALUES (1)"));
  EXPECT_THAT(
      Repair(),
      ElementsAre("public.t +0 -0 ~0",
                  "public.t: a row differs only in columns that the target "
                  "generates: b",
                  "public.t", "different a=1; b: 2 -> 3", "missing a=2"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM t"), IsOkAndHolds("1"));
}

TEST_F(VerifyRepairTest, LosesNoValueOfAColumnThatOnlyTheTargetHas) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text);"
      "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')");
  ASSERT_OK(OnTarget("ALTER TABLE t ADD own text DEFAULT 'kept'"));
  ASSERT_OK(OnTarget("UPDATE t SET v = 'c' WHERE id = 1"));
  EXPECT_THAT(Repair(),
              ElementsAre("public.t +0 -0 ~1",
                          "public.t: columns that only the target has: own"));
  ASSERT_OK(OnTarget("UPDATE t SET u = 7, own = 'x' WHERE id = 1"));
  EXPECT_THAT(Repair(),
              ElementsAre("public.t +0 -0 ~0",
                          "public.t: rows would have to be deleted and "
                          "inserted anew, and columns that only the target has "
                          "would lose their values: own",
                          "public.t: columns that only the target has: own",
                          "different id=1; u: 1 -> 7"));
  EXPECT_THAT(TargetValue("SELECT own FROM t WHERE id = 1"), IsOkAndHolds("x"));
}

TEST_F(VerifyRepairTest, RepairsPartitionsAsTheyAreCompared) {
  if (source_->major_version() < 12 || target_->major_version() < 12) {
    GTEST_SKIP() << "such keys are of PostgreSQL 12";
  }
  OnBoth(
      "CREATE TABLE p (id int, at int, v text, PRIMARY KEY (id, at)) PARTITION "
      "BY RANGE (at);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);"
      "INSERT INTO p SELECT i, i % 20, 'v' FROM generate_series(1, 100) i");
  EXPECT_THAT(RepairAfter("DELETE FROM p WHERE id = 5; UPDATE p SET v = 'w' "
                          "WHERE id = 15; UPDATE p SET at = 1 WHERE id = 19"),
              ElementsAre("public.p1 +1 -1 ~0", "public.p2 +1 -0 ~1"));
  // Divided in another way, they are one table.
  ASSERT_OK(
      OnTarget("ALTER TABLE p DETACH PARTITION p2; CREATE TABLE p3 PARTITION "
               "OF p FOR VALUES FROM (10) TO (15); CREATE TABLE p4 PARTITION "
               "OF p FOR VALUES FROM (15) TO (20); INSERT INTO p SELECT * FROM "
               "p2; DROP TABLE p2"));
  EXPECT_THAT(RepairAfter("DELETE FROM p WHERE id = 5; UPDATE p SET v = 'w' "
                          "WHERE id = 15; UPDATE p SET at = 1 WHERE id = 19"),
              ElementsAre("public.p +2 -1 ~1"));
}

TEST_F(VerifyRepairTest, RepairsMoreRowsThanAreReported) {
  OnBoth(kVerifiedTables);
  ASSERT_OK(
      OnTarget("DELETE FROM orders WHERE id > 5000; TRUNCATE log; INSERT INTO "
               "log SELECT 1, 'x' FROM generate_series(1, 50)"));
  VerifyOptions options = RepairOptions();
  options.max_reported = 70;
  EXPECT_THAT(Repair(options), ElementsAre("public.log +5000 -50 ~0",
                                           "public.orders +15000 -0 ~0"));
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
}

TEST_F(VerifyRepairTest, RepairsOnlyASample) {
  OnBoth(kVerifiedTables);
  ASSERT_OK(OnTarget("UPDATE orders SET note = 'x'"));
  VerifyOptions options = RepairOptions();
  options.method = VerifyMethod::kSample;
  options.sample_percent = 10;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_THAT(Differences(report), IsEmpty());
  ASSERT_OK_AND_ASSIGN(
      const std::string left,
      TargetValue("SELECT count(*) > 10000 AND count(*) < 20000 FROM orders "
                  "WHERE note = 'x'"));
  EXPECT_EQ(left, "t");
}

TEST_F(VerifyRepairTest, KeepsTriggersAndForeignKeysQuietIfItMay) {
  OnBoth(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY "
      "REFERENCES a ON DELETE CASCADE); INSERT INTO a VALUES (1), (2); INSERT "
      "INTO b VALUES (1), (2);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
      "'no'; END $$;");
  EXPECT_THAT(
      RepairAfter("DELETE FROM a WHERE id = 2; INSERT INTO a VALUES (7);"
                  "INSERT INTO b VALUES (7);"
                  "CREATE TRIGGER t BEFORE INSERT OR DELETE ON a FOR EACH ROW "
                  "EXECUTE FUNCTION f()"),
      ElementsAre("public.a +1 -1 ~0", "public.b +1 -1 ~0"));
}

// They act on a replica, too, and would write to a table that was found equal.
TEST_F(VerifyRepairTest, LeavesTablesAloneWhoseTriggersActOnAReplica) {
  OnBoth(
      "CREATE TABLE audit (id int); CREATE TABLE always (id int PRIMARY KEY); "
      "CREATE TABLE replica (id int PRIMARY KEY); CREATE TABLE ruled (id int "
      "PRIMARY KEY); CREATE TABLE quiet (id int PRIMARY KEY);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT "
      "INTO public.audit VALUES (new.id); RETURN new; END $$;"
      "CREATE TRIGGER t BEFORE INSERT ON always FOR EACH ROW EXECUTE FUNCTION "
      "f(); ALTER TABLE always ENABLE ALWAYS TRIGGER t;"
      "CREATE TRIGGER t BEFORE INSERT ON replica FOR EACH ROW EXECUTE FUNCTION "
      "f(); ALTER TABLE replica ENABLE REPLICA TRIGGER t;"
      "CREATE TRIGGER t BEFORE INSERT ON quiet FOR EACH ROW EXECUTE FUNCTION "
      "f(); CREATE TRIGGER off BEFORE INSERT ON quiet FOR EACH ROW EXECUTE "
      "FUNCTION f(); ALTER TABLE quiet DISABLE TRIGGER off");
  ASSERT_OK(
      OnSource("ALTER TABLE always DISABLE TRIGGER t; ALTER TABLE replica "
               "DISABLE TRIGGER t; ALTER TABLE quiet DISABLE TRIGGER t;"
               "INSERT INTO always VALUES (1); INSERT INTO replica VALUES (1);"
               "INSERT INTO ruled VALUES (1); INSERT INTO quiet VALUES (1)"));
  ASSERT_OK(
      OnTarget("CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO audit "
               "VALUES (new.id); ALTER TABLE ruled ENABLE ALWAYS RULE r"));
  EXPECT_THAT(Repair(),
              ElementsAre("public.always +0 -0 ~0",
                          "public.always: left as it is, as this "
                          "would act on what is written: trigger t",
                          "public.quiet +1 -0 ~0", "public.replica +0 -0 ~0",
                          "public.replica: left as it is, as this "
                          "would act on what is written: trigger t",
                          "public.ruled +0 -0 ~0",
                          "public.ruled: left as it is, as this "
                          "would act on what is written: rule r",
                          "public.always", "missing id=1", "public.replica",
                          "missing id=1", "public.ruled", "missing id=1"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"), IsOkAndHolds("0"));
}

class VerifyRepairRoleTest : public VerifyRepairTest {
 protected:
  // May write, and nothing else.
  void ToClerk() {
    ASSERT_OK(OnTarget(
        "CREATE ROLE clerk LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO "
        "clerk; GRANT USAGE ON SCHEMA public TO clerk"));
  }
  VerifyOptions AsClerk() const {
    VerifyOptions options = RepairOptions();
    options.endpoints.target = target_->ConnInfoAs("clerk", "", "app");
    return options;
  }
};

// Neither table can be repaired first: the one lacks what the other's new row
// refers to, and the other has what refers to the one's old row.
TEST_F(VerifyRepairRoleTest, RepairsTablesThatReferToOneAnotherAtOnce) {
  OnBoth(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY "
      "REFERENCES a); INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1), "
      "(2)");
  ASSERT_OK(
      OnTarget("DELETE FROM b WHERE id = 2; DELETE FROM a WHERE id = 2;"
               "INSERT INTO a VALUES (7); INSERT INTO b VALUES (7)"));
  ToClerk();
  EXPECT_THAT(Repair(AsClerk()),
              ElementsAre("public.a +1 -1 ~0", "public.b +1 -1 ~0"));
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
}

TEST_F(VerifyRepairRoleTest, LeavesTablesWithTriggersAlone) {
  OnBoth(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY "
      "REFERENCES a ON DELETE CASCADE); CREATE TABLE c (id int PRIMARY KEY); "
      "CREATE TABLE d (id int PRIMARY KEY);"
      "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN "
      "new; END $$;"
      "CREATE TRIGGER t BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION f()");
  ASSERT_OK(
      OnTarget("INSERT INTO a VALUES (7); INSERT INTO c VALUES (1);"
               "INSERT INTO d VALUES (1)"));
  ToClerk();
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(AsClerk()));
  EXPECT_THAT(
      Told(report),
      ElementsAre("public.a +0 -0 ~0",
                  "public.a: left as it is, as this would act on what is "
                  "written: foreign key b_id_fkey of public.b",
                  "public.c +0 -0 ~0",
                  "public.c: left as it is, as this would act on what is "
                  "written: trigger t",
                  "public.d +0 -1 ~0", "public.a", "extra id=7", "public.c",
                  "extra id=1"));
  EXPECT_THAT(report.remarks,
              Contains("role clerk may not set session_replication_role on the "
                       "target, so that foreign keys are in force while rows "
                       "are repaired, and tables with triggers or rules are "
                       "left as they are"));
}

// Before PostgreSQL 15 a partition's is internal.
TEST_F(VerifyRepairRoleTest, LeavesPartitionsWithTriggersOfTheirParentAlone) {
  if (source_->major_version() < 13 || target_->major_version() < 13) {
    GTEST_SKIP() << "such triggers are of PostgreSQL 13";
  }
  OnBoth(
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN "
      "new; END $$;"
      "CREATE TRIGGER t BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f()");
  ASSERT_OK(OnTarget("INSERT INTO p VALUES (1)"));
  ToClerk();
  EXPECT_THAT(Repair(AsClerk()),
              ElementsAre("public.p1 +0 -0 ~0",
                          "public.p1: left as it is, as this would act on what "
                          "is written: trigger t",
                          "public.p1", "extra id=1"));
}

TEST_F(VerifyRepairRoleTest, SaysWhatItMayNotWrite) {
  OnBoth("CREATE TABLE a (id int PRIMARY KEY)");
  ASSERT_OK(OnTarget(
      "INSERT INTO a VALUES (7); CREATE ROLE clerk LOGIN; GRANT SELECT ON a TO "
      "clerk"));
  EXPECT_THAT(Repair(AsClerk()),
              ElementsAre("public.a +0 -0 ~0",
                          "public.a: target: permission denied for table a "
                          "(SQLSTATE 42501)",
                          "public.a", "extra id=7"));
}

TEST_F(VerifyRepairTest, IsRefusedWhileAMigrationHasNotEnded) {
  OnBoth("CREATE TABLE t (id int PRIMARY KEY)");
  ASSERT_OK(OnTarget(
      "INSERT INTO t VALUES (1); CREATE SCHEMA walferry; CREATE TABLE "
      "walferry.migration (name text, phase text, report text); INSERT "
      "INTO walferry.migration VALUES ('shop', 'follow', NULL), "
      "('old', 'done', '{}'), ('all', 'done', NULL)"));
  const absl::Status refused = Verify(RepairOptions()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            "target: migration shop has not come to an end: what it writes to "
            "the target would meet rows that are repaired");
  EXPECT_EQ(HintOf(refused),
            "wait until it ends, or end it with `walferry cutover --name shop` "
            "or `walferry cleanup --name shop`; one that follows is repaired "
            "with --online --name shop");
  EXPECT_THAT(TargetValue("SELECT count(*) FROM t"), IsOkAndHolds("1"));
  ASSERT_OK(OnTarget("UPDATE walferry.migration SET report = '{}'"));
  EXPECT_THAT(Repair(), ElementsAre("public.t +0 -1 ~0"));
}

TEST_F(VerifyRepairTest, LeavesWhatIsNoRowAlone) {
  OnBoth(
      "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES");
  ASSERT_OK(
      OnTarget("CREATE INDEX i ON t (id); CREATE TABLE came (i int); SELECT "
               "lo_create(7); SELECT setval('t_id_seq', 1, false)"));
  VerifyOptions options = RepairOptions();
  options.schema = true;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_TRUE(report.found_differences());
  EXPECT_THAT(report.repair->tables, IsEmpty());
  EXPECT_THAT(report.remarks,
              Contains("only rows of tables are repaired, not objects, "
                       "sequences, tables and columns that one side has, large "
                       "objects"));
}

TEST_F(VerifyRepairTest, ADryRunChangesNothingAndItsSqlDoes) {
  OnBoth(kVerifiedTables);
  OnBoth(
      "CREATE TABLE swap (id int PRIMARY KEY, u int UNIQUE, v text);"
      "INSERT INTO swap VALUES (1, 1, E'a\\\\b'), (2, 2, 'it''s'), (3, 3, "
      "NULL)");
  ASSERT_OK(
      OnTarget("ALTER DATABASE app SET datestyle = 'German';"
               "DELETE FROM orders WHERE id IN (1, 12345);"
               "INSERT INTO orders (id) VALUES (-5);"
               "UPDATE orders SET placed = NULL WHERE id = 77;"
               "INSERT INTO log VALUES (5, 'line 5'), (5, 'line 5');"
               "DELETE FROM log WHERE at = 4711;"
               "UPDATE swap SET u = 0, v = '' WHERE id = 1;"
               "UPDATE swap SET u = 1, v = '' WHERE id = 2;"
               "UPDATE swap SET u = 2, v = '' WHERE id = 1"));
  VerifyOptions options = RepairOptions();
  options.repair = RepairMode::kDryRun;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_TRUE(report.found_differences());
  EXPECT_TRUE(report.repair->dry_run);
  const std::vector<std::string> differed = Differences(report);
  EXPECT_THAT(differed, SizeIs(11));
  EXPECT_EQ(DifferencesAfter("SELECT"), differed);
  // As psql does: each statement by itself.
  ASSERT_OK_AND_ASSIGN(
      PgConnection session,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  for (const std::string& sql : report.repair->statements) {
    ASSERT_OK(session.Exec(sql).status()) << sql;
  }
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
  // Of rows that are others by now it deletes and updates none.
  ASSERT_OK(OnTarget("UPDATE swap SET v = 'x'"));
  for (const std::string& sql : report.repair->statements) {
    if (!absl::StrContains(sql, "\"swap\"")) continue;
    if (absl::StartsWith(sql, "DELETE") || absl::StartsWith(sql, "UPDATE")) {
      ASSERT_OK_AND_ASSIGN(const PgResult result, session.Exec(sql));
      EXPECT_EQ(result.affected_rows(), 0) << sql;
    }
  }
}

// An index holds the second table's transaction in its middle.
TEST_F(VerifyRepairTest, LeavesWholeRangesIfItIsKilled) {
  OnBoth(
      "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int "
      "PRIMARY KEY, v text);"
      "INSERT INTO a SELECT i, repeat('a', 100) FROM generate_series(1, 3000) "
      "i; INSERT INTO b SELECT i, 'b' FROM generate_series(1, 1000) i");
  ASSERT_OK(OnTarget(
      "DELETE FROM a WHERE id % 100 = 0; DELETE FROM b WHERE id % 2 = 0; "
      "INSERT INTO b VALUES (-1, 'x');"
      "CREATE FUNCTION hold(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
      "$$ BEGIN IF id = 500 THEN PERFORM pg_advisory_xact_lock(7); END IF; "
      "RETURN id; END $$; CREATE INDEX ON b (hold(id))"));
  ASSERT_OK_AND_ASSIGN(
      PgConnection holder,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  ASSERT_OK(holder.Exec("SELECT pg_advisory_lock(7)").status());
  ASSERT_OK_AND_ASSIGN(
      ChildProcess child,
      ChildProcess::Start(
          {.command = {WalferryBinary(), "verify", "--no-schema", "--repair",
                       "--yes"},
           .environment = {
               absl::StrCat("WALFERRY_SOURCE=", source_->ConnInfo("app")),
               absl::StrCat("WALFERRY_TARGET=", target_->ConnInfo("app"))}}));
  const std::string others =
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 "
      "AND NOT granted";
  ASSERT_TRUE(
      WaitUntil([&] { return TargetValue(others).value_or("") == "1"; }));
  child.Signal(SIGKILL);
  EXPECT_THAT(child.Wait(absl::Seconds(60)), IsOkAndHolds(137));
  ASSERT_OK(holder.Exec("SELECT pg_advisory_unlock(7)").status());
  ASSERT_TRUE(WaitUntil([&] {
    return TargetValue(
               "SELECT count(*) FROM pg_locks WHERE relation = "
               "'b'::regclass")
               .value_or("") == "0";
  }));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM a"), IsOkAndHolds("3000"));
  EXPECT_THAT(TargetValue("SELECT count(*) || ' ' || min(id) FROM b"),
              IsOkAndHolds("501 -1"));
  EXPECT_THAT(RepairAfter("SELECT"), ElementsAre("public.b +500 -1 ~0"));
}

}  // namespace
}  // namespace walferry
