// Tables that act on others: partitions, children, TRUNCATE, and on the target
// triggers and foreign keys.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

using ApplyRelativesTest = ReplicaPairTest;

INSTANTIATE_REPLICA_PAIR_TEST(ApplyRelativesTest);

TEST_P(ApplyRelativesTest, InheritanceChildrenAreLeftAlone) {
  ASSERT_OK(pair().Both(
      "CREATE TABLE parent (id int PRIMARY KEY, v int); CREATE TABLE child "
      "(PRIMARY KEY (id)) INHERITS (parent); CREATE TABLE fparent (id int, v "
      "int); CREATE TABLE fchild () INHERITS (fparent); ALTER TABLE fparent "
      "REPLICA IDENTITY FULL; ALTER TABLE fchild REPLICA IDENTITY FULL"));
  for (const char* prefix : {"", "f"}) {
    ASSERT_OK(pair().Source(absl::StrCat(
        "INSERT INTO ", prefix,
        "parent VALUES (1, 1), (2, 2), (3, 3); INSERT "
        "INTO ",
        prefix, "child VALUES (1, 1), (2, 2), (3, 3); UPDATE ONLY ", prefix,
        "parent SET v = 7 WHERE id = 1; DELETE FROM ONLY ", prefix,
        "parent WHERE id = 2; UPDATE ", prefix,
        "child SET v = 8 WHERE id = 3; "
        "DELETE FROM ",
        prefix, "child WHERE id = 1")));
  }
  ExpectReplicates();
  ASSERT_OK(pair().Source("TRUNCATE ONLY parent"));
  ExpectReplicates();
}

constexpr char kPartitions[] =
    "CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region)) "
    "PARTITION BY LIST (region); CREATE TABLE p_eu PARTITION OF p FOR VALUES "
    "IN ('eu'); CREATE TABLE p_us (v text, region text NOT NULL, id int NOT "
    "NULL); ALTER TABLE p ATTACH PARTITION p_us FOR VALUES IN ('us');"
    "CREATE TABLE f (id int, region text, v json) PARTITION BY LIST (region);"
    "CREATE TABLE f_eu PARTITION OF f FOR VALUES IN ('eu'); CREATE TABLE f_us "
    "PARTITION OF f FOR VALUES IN ('us', NULL)";

TEST_P(ApplyRelativesTest, PartitionedTargetOfAFlatSource) {
  ASSERT_OK(pair().Source(
      "CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region));"
      "CREATE TABLE f (id int, region text, v json); ALTER TABLE f REPLICA "
      "IDENTITY FULL"));
  ASSERT_OK(pair().Target(kPartitions));
  for (const char* table : {"p", "f"}) {
    ASSERT_OK(pair().Source(
        absl::StrCat("INSERT INTO ", table,
                     " VALUES (1, 'eu', '1'), (2, 'us', '2'), (3, "
                     "'us', '3'), (4, 'eu', NULL); UPDATE ",
                     table,
                     " SET v = '9' WHERE id "
                     "= 2; UPDATE ",
                     table, " SET region = 'us' WHERE id = 1; DELETE FROM ",
                     table, " WHERE id = 3")));
  }
  // Equal rows at the same place of different partitions.
  ASSERT_OK(
      pair().Source("INSERT INTO f SELECT 5, r, '0' FROM unnest("
                    "ARRAY['eu', 'us', NULL, 'eu']) r; DELETE FROM f "
                    "WHERE ctid = (SELECT min(ctid) FROM f WHERE id = "
                    "5); UPDATE f SET v = '1' WHERE id = 5 AND region IS "
                    "NULL"));
  ASSERT_OK(pair().Replicate());
  for (const char* table : {"p", "f"}) {
    const std::string rows = absl::StrCat(
        "SELECT string_agg(concat_ws(',', id, region, v), ' ' ORDER BY id, "
        "region) FROM ",
        table);
    EXPECT_THAT(pair().source().QueryValue(rows),
                IsOkAndHolds(TargetValue(rows)));
  }
  ASSERT_OK(pair().Source("TRUNCATE p, f"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT (SELECT count(*) FROM p) + (SELECT count(*) "
                        "FROM f)"),
            "0");
}

TEST_P(ApplyRelativesTest, LeavesAreReplicatedAsTablesOfTheirOwn) {
  ASSERT_OK(pair().Both(kPartitions));
  ASSERT_OK(
      pair().Source("ALTER TABLE f_eu REPLICA IDENTITY FULL; ALTER TABLE "
                    "f_us REPLICA IDENTITY FULL"));
  ASSERT_OK(pair().Source(
      "INSERT INTO p VALUES (1, 'eu', 'a'), (2, 'us', 'b'); UPDATE p SET "
      "region = 'us' WHERE id = 1; UPDATE p SET v = 'c'; INSERT INTO f VALUES "
      "(1, 'eu', '1'), (2, NULL, '2'); UPDATE f SET v = '3'; DELETE FROM f "
      "WHERE id = 2"));
  ExpectReplicates();
  ASSERT_OK(pair().Source("TRUNCATE p"));
  ExpectReplicates();
}

TEST_P(ApplyRelativesTest, TruncatesTakeAllTablesInOneCommand) {
  ASSERT_OK(pair().Both(
      "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id int "
      "REFERENCES a); CREATE TABLE c (id int); CREATE TABLE kept (id int)"));
  ASSERT_OK(
      pair().Source("INSERT INTO a SELECT FROM generate_series(1, 3); "
                    "INSERT INTO b VALUES (1); INSERT INTO c VALUES (1); "
                    "INSERT INTO kept VALUES (1)"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Target("SELECT nextval('a_id_seq') FROM generate_series(1, "
                    "10)"));
  // b goes with a.
  ASSERT_OK(pair().Source("TRUNCATE a, c RESTART IDENTITY CASCADE"));
  ASSERT_OK_AND_ASSIGN(const ApplyCounts counts, pair().Replicate());
  EXPECT_EQ(counts.truncates, 1);
  EXPECT_TRUE(pair().Equal());
  EXPECT_EQ(TargetValue("SELECT nextval('a_id_seq')"), "1");
  ASSERT_OK(
      pair().Target("SELECT nextval('a_id_seq') FROM generate_series(1, "
                    "10)"));
  ASSERT_OK(
      pair().Source("INSERT INTO a VALUES (1); TRUNCATE a, b; INSERT "
                    "INTO a VALUES (2)"));
  ExpectReplicates();
  EXPECT_EQ(TargetValue("SELECT nextval('a_id_seq')"), "12");
}

// The target's own tables are not truncated because a key refers to ours.
TEST_P(ApplyRelativesTest, TruncateDoesNotCascadeOnTheTarget) {
  ASSERT_OK(pair().Both("CREATE TABLE a (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Target("CREATE TABLE own (id int REFERENCES a)"));
  ASSERT_OK(pair().Source("INSERT INTO a VALUES (1); TRUNCATE a CASCADE"));
  ExpectFails("cannot truncate a table referenced in a foreign key constraint");
  ASSERT_TRUE(pair().applier().conflict().has_value());
  EXPECT_EQ(pair().applier().conflict()->kind, ChangeKind::kTruncate);
  EXPECT_EQ(pair().applier().conflict()->relation,
            (QualifiedName{"public", "a"}));
}

TEST_P(ApplyRelativesTest, OnlyTriggersThatAreEnabledForReplicasFire) {
  ASSERT_OK(pair().Both("CREATE TABLE t (id int PRIMARY KEY, v int)"));
  ASSERT_OK(pair().Target(
      "CREATE TABLE fired (name text, op text);"
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
      "INSERT INTO public.fired VALUES (tg_name, tg_op); RETURN NULL; END';"
      "CREATE TRIGGER ordinary AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH "
      "ROW EXECUTE FUNCTION note();"
      "CREATE TRIGGER always AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH "
      "ROW EXECUTE FUNCTION note();"
      "CREATE TRIGGER replica AFTER UPDATE OF id ON t FOR EACH ROW EXECUTE "
      "FUNCTION note();"
      "ALTER TABLE t ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER "
      "replica;"
      "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO fired VALUES "
      "('rule', 'INSERT')"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1, 1); UPDATE t SET v = 2; "
                    "DELETE FROM t"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT string_agg(name || ' ' || op, ', ') FROM "
                        "fired"),
            "always INSERT, always UPDATE, replica UPDATE, always DELETE");
}

TEST_P(ApplyRelativesTest, TriggersThatSuppressChangesAreReported) {
  ASSERT_OK(pair().Both("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Target(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN "
      "NULL; END'; CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE "
      "FUNCTION no(); ALTER TABLE t ENABLE ALWAYS TRIGGER no"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1)"));
  ExpectFails("a trigger of the target kept the row from being inserted");
}

TEST_P(ApplyRelativesTest, ForeignKeysOfTheTargetDoNotAct) {
  ASSERT_OK(
      pair().Both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b "
                  "(id int PRIMARY KEY, a int REFERENCES a ON DELETE "
                  "CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY "
                  "DEFERRED)"));
  ASSERT_OK(
      pair().Source("INSERT INTO b VALUES (1, 1), (2, 2); "
                    "INSERT INTO a VALUES (1), (2)"));
  ASSERT_OK(
      pair().Source("UPDATE a SET id = 3 WHERE id = 1; DELETE FROM a "
                    "WHERE id = 2"));
  ExpectReplicates();
}

}  // namespace
}  // namespace walferry
