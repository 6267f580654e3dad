// Many changes of rows that nothing but their values tells apart: the same rows
// as one by one, in one pass over the table.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class RowsWithoutKeyTest : public ReplicaPairTest {
 protected:
  absl::Status CreateTable(const std::string& columns) {
    return CreateTables(absl::StrCat("CREATE TABLE t (", columns,
                                     "); ALTER TABLE t REPLICA IDENTITY FULL"));
  }

  // Nothing was tried twice, and where sets may be used one command has made
  // these rows.
  void ExpectOneSet(absl::string_view rows) {
    EXPECT_EQ(pair().applier().fallbacks(), 0);
    if (!GetParam().sets) return;
    EXPECT_EQ(TargetValue(
                  absl::StrCat("SELECT count(DISTINCT cmin::text) || ' of ' || "
                               "count(DISTINCT xmin::text) FROM ",
                               rows)),
              "1 of 1");
  }
};

INSTANTIATE_REPLICA_PAIR_TEST(RowsWithoutKeyTest);

TEST_P(RowsWithoutKeyTest, EqualRowsAreAsManyAsOnTheSource) {
  ASSERT_OK(CreateTable("a int, b text, c text"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i % 7, 'x', NULLIF(i % 3, 0) FROM "
                    "generate_series(1, 210) i;"
                    "INSERT INTO t SELECT NULL, '', NULL FROM "
                    "generate_series(1, 5);"
                    "INSERT INTO t SELECT NULL, NULL, '' FROM "
                    "generate_series(1, 5)"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = "
                    "3 OR a IS NULL LIMIT 20);"
                    "UPDATE t SET b = 'new' WHERE ctid IN (SELECT ctid FROM t "
                    "WHERE a IN (1, 2) LIMIT 31);"
                    "UPDATE t SET c = 'more' WHERE b = 'new' AND c IS NULL;"
                    "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE b "
                    "IS NULL LIMIT 2);"
                    "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE b "
                    "= '' AND a IS NULL LIMIT 2)"));
  ExpectReplicates();
  ExpectOneSet("t WHERE b = 'new'");
  ASSERT_OK(pair().Source("DELETE FROM t"));
  ExpectReplicates();
  EXPECT_EQ(pair().applier().fallbacks(), 0);
}

// A row of one column only is no key.
TEST_P(RowsWithoutKeyTest, OneColumn) {
  ASSERT_OK(CreateTable("a int"));
  ASSERT_OK(pair().Source(
      "INSERT INTO t SELECT i % 5 FROM generate_series(1, 50) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = "
                    "1 LIMIT 4); UPDATE t SET a = 100 WHERE a = 2"));
  ExpectReplicates();
  ExpectOneSet("t WHERE a = 100");
}

TEST_P(RowsWithoutKeyTest, ValuesThatAreEqualButLookDifferent) {
  ASSERT_OK(pair().Both(
      "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', "
      "deterministic = false)"));
  ASSERT_OK(
      CreateTable("n numeric, f float8, s text COLLATE ci, c char(5), i "
                  "interval, v int"));
  ASSERT_OK(pair().Source(
      "INSERT INTO t SELECT n, f, s, c, i, k FROM unnest(ARRAY[1.0, 1.00, "
      "'NaN']::numeric[]) n, unnest(ARRAY[0, '-0', 'NaN']::float8[]) f, "
      "unnest(ARRAY['a', 'A']) s, unnest(ARRAY['x', 'x  ']) c, "
      "unnest(ARRAY['1 mon', '30 days']::interval[]) i, generate_series(1, 2) "
      "k"));
  ExpectReplicates();
  ASSERT_OK(pair().Source(
      "DELETE FROM t WHERE n::text = '1.0' AND s COLLATE \"C\" = 'A';"
      "UPDATE t SET v = 3 WHERE f::text = '-0' AND i::text = '30 days';"
      "UPDATE t SET n = 1.00 WHERE n::text = '1.0' AND v = 3;"
      "UPDATE t SET s = 'A' WHERE n = 'NaN' AND v = 3"));
  ExpectReplicates();
  ExpectOneSet("t WHERE v = 3");
}

TEST_P(RowsWithoutKeyTest, TypesWithoutEquality) {
  ASSERT_OK(pair().Both("CREATE TYPE mixed AS (a int, j json)"));
  ASSERT_OK(
      CreateTable("j json, x xml, p point, b box, m mixed, a json[], v int"));
  ASSERT_OK(pair().Source(
      "INSERT INTO t SELECT '{\"a\": 1}', '<a/>', '(1,2)', "
      "'((1,2),(3,4))', ROW(1, '\"\\\\\"')::mixed, ARRAY['{}', NULL]"
      "::json[], i FROM generate_series(1, 30) i;"
      "INSERT INTO t (j, m) VALUES ('{\"a\":1}', (NULL, NULL)), "
      "('null', NULL), (NULL, (NULL, NULL)), (NULL, NULL)"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET j = '[]' WHERE v % 2 = 0; DELETE FROM t "
                    "WHERE v < 10; DELETE FROM t WHERE m IS NULL AND m IS NOT "
                    "DISTINCT FROM NULL; UPDATE t SET p = NULL WHERE v > 20"));
  ExpectReplicates();
  ExpectOneSet("t WHERE v > 10 AND v % 2 = 0");
}

// ... and columns in another order, and some of the target's own.
TEST_P(RowsWithoutKeyTest, GeneratedColumns) {
  if (server().major_version() >= 18) GTEST_SKIP() << "refused by the source";
  ASSERT_OK(pair().Source(
      "CREATE TABLE t (v int, g int GENERATED ALWAYS AS (v + 1) STORED, w "
      "text); ALTER TABLE t REPLICA IDENTITY FULL;"
      "CREATE TABLE o (v int, w text); ALTER TABLE o REPLICA IDENTITY FULL"));
  ASSERT_OK(pair().Target(
      "CREATE TABLE t (w text, g int GENERATED ALWAYS AS (v * 2) STORED, v "
      "int);"
      "CREATE TABLE o (own serial PRIMARY KEY, w text, note text DEFAULT "
      "'mine', v int)"));
  ASSERT_OK(pair().Source(
      "INSERT INTO t (v, w) SELECT i % 10, 'x' FROM generate_series(1, "
      "50) i; INSERT INTO o SELECT v, w FROM t"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Source("UPDATE t SET w = 'y' WHERE v < 4; DELETE FROM t WHERE "
                    "ctid IN (SELECT ctid FROM t WHERE v = 7 LIMIT 3)"));
  ASSERT_OK(pair().Replicate());
  ExpectOneSet("t WHERE w = 'y'");
  ASSERT_OK(pair().Source("DELETE FROM o WHERE v = 7 OR v = 1"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(pair().applier().fallbacks(), 0);
  // What is the target's own stays.
  ASSERT_OK(pair().Target("UPDATE o SET note = 'changed'"));
  ASSERT_OK(pair().Source("UPDATE o SET w = 'z' WHERE v < 4"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT count(*) FROM o WHERE note = 'changed'"), "40");
  for (const char* table : {"t", "o"}) {
    const std::string rows = absl::StrCat(
        "SELECT string_agg(v || w, ' ' ORDER BY v, w) FROM ", table);
    EXPECT_THAT(pair().source().QueryValue(rows),
                IsOkAndHolds(TargetValue(rows)));
  }
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE g <> v * 2"), "0");
}

TEST_P(RowsWithoutKeyTest, AnIdentityThatIsAlwaysGenerated) {
  ASSERT_OK(CreateTable("id int GENERATED ALWAYS AS IDENTITY, v text"));
  ASSERT_OK(
      pair().Source("INSERT INTO t (v) SELECT 'x' FROM generate_series(1, "
                    "40)"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET v = 'y' WHERE id < 20; UPDATE t SET id = "
                    "DEFAULT, v = 'y' WHERE id > 30"));
  ExpectReplicates();
  ExpectOneSet("t WHERE v = 'y'");
}

TEST_P(RowsWithoutKeyTest, UnchangedToast) {
  ASSERT_OK(CreateTable("id int, big text, other text, v int"));
  ASSERT_OK(
      pair().Both("ALTER TABLE t ALTER big SET STORAGE EXTERNAL, ALTER other "
                  "SET STORAGE EXTERNAL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, repeat(chr(64 + i), 5000), "
                    "repeat('o', 3000), 1 FROM generate_series(1, 20) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET v = 2; UPDATE t SET other = repeat('p', "
                    "3000) WHERE id % 2 = 0; UPDATE t SET v = 3 WHERE id < 8;"
                    "DELETE FROM t WHERE id % 5 = 0"));
  ExpectReplicates();
  ExpectOneSet("t");
}

TEST_P(RowsWithoutKeyTest, ValuesThatAreSentBinary) {
  UsePair({.binary = true});
  ASSERT_OK(CreateTable("a int, b text, n numeric, j jsonb, v timestamptz"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i % 9, i % 4, i % 2, '{\"a\": 1.50}',"
                    " 'epoch' FROM generate_series(1, 200) i;"
                    "INSERT INTO t VALUES (0, NULL, 1.00, 'null', NULL)"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET b = 'new' WHERE a < 3; DELETE FROM t WHERE "
                    "ctid IN (SELECT ctid FROM t WHERE a > 3 LIMIT 45)"));
  ExpectReplicates();
  ExpectOneSet("t WHERE b = 'new'");
}

// Also equal rows at the same place of different partitions.
TEST_P(RowsWithoutKeyTest, APartitionedTargetOfAFlatSource) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (id int, region text, v json); ALTER TABLE "
                    "t REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Target("CREATE TABLE t (id int, region text, v json) PARTITION BY "
                    "RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES "
                    "FROM (0) TO (10); CREATE TABLE t_2 (v json, gone int, id "
                    "int, region text); ALTER TABLE t_2 DROP gone; ALTER TABLE "
                    "t ATTACH PARTITION t_2 FOR VALUES FROM (10) TO (20);"
                    "CREATE TABLE t_3 PARTITION OF t DEFAULT PARTITION BY LIST "
                    "(region); CREATE TABLE t_4 PARTITION OF t_3 DEFAULT"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i % 30, 'r', '{}' FROM "
                    "generate_series(0, 149) i; INSERT INTO t SELECT NULL, "
                    "NULL, '[]' FROM generate_series(1, 5)"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Source("DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE id "
                    "IN (1, 11, 21) LIMIT 10);"
                    "UPDATE t SET id = id + 9, region = 'new' WHERE id > 2 AND "
                    "id < 18; DELETE FROM t WHERE ctid IN (SELECT ctid FROM t "
                    "WHERE id IS NULL LIMIT 2)"));
  ASSERT_OK(pair().Replicate());
  ExpectOneSet("t WHERE region = 'new'");
  const std::string rows =
      "SELECT string_agg(concat_ws(',', id, region, v), ' ' ORDER BY id, "
      "region) FROM t";
  EXPECT_THAT(pair().source().QueryValue(rows),
              IsOkAndHolds(TargetValue(rows)));
}

TEST_P(RowsWithoutKeyTest, AmongTablesWithKeysAndTruncates) {
  ASSERT_OK(CreateTable("a int, b json"));
  ASSERT_OK(
      CreateTables("CREATE TABLE k (id int PRIMARY KEY, v text);"
                   "CREATE TABLE u (a int, b text); ALTER TABLE u REPLICA "
                   "IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO k SELECT i FROM generate_series(1, 40) i;"
                    "INSERT INTO t SELECT i, '{}' FROM generate_series(1, 40) "
                    "i; INSERT INTO u SELECT i, 'u' FROM generate_series(1, "
                    "40) i"));
  ASSERT_OK(
      pair().Source("UPDATE k SET v = 'k' WHERE id < 20; UPDATE t SET b = '1' "
                    "WHERE a < 20; DELETE FROM u WHERE a < 20;"
                    "UPDATE k SET id = id + 100 WHERE id < 10; UPDATE t SET b "
                    "= '2' WHERE a < 10; INSERT INTO u VALUES (1, 'u')"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE u SET a = 7; UPDATE t SET a = a + 1; DELETE FROM k "
                    "WHERE id > 100; TRUNCATE u; INSERT INTO u SELECT 7, 'v' "
                    "FROM generate_series(1, 3); UPDATE k SET v = 'l';"
                    "UPDATE t SET a = a + 1; DELETE FROM u WHERE ctid = "
                    "'(0,2)'; UPDATE u SET b = 'w' WHERE ctid = '(0,3)'"));
  ExpectReplicates();
  EXPECT_EQ(pair().applier().fallbacks(), 0);
}

// A value that was taken is free for another row.
TEST_P(RowsWithoutKeyTest, UniqueValuesAreSwapped) {
  ASSERT_OK(CreateTable("u int UNIQUE, v text"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i FROM generate_series(1, 40) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DO $$BEGIN FOR k IN 1..20 LOOP"
                    " UPDATE t SET u = -1 WHERE u = k;"
                    " UPDATE t SET u = k WHERE u = 41 - k;"
                    " UPDATE t SET u = 41 - k WHERE u = -1;"
                    " END LOOP; END$$"));
  ExpectReplicates();
  ExpectOneSet("t");
}

TEST_P(RowsWithoutKeyTest, AnIndexThatIsNoKey) {
  ASSERT_OK(
      CreateTables("CREATE DOMAIN d AS int; CREATE TABLE t (a d, b text, c "
                   "int[]); ALTER TABLE t REPLICA IDENTITY FULL"));
  ASSERT_OK(pair().Target(
      "CREATE INDEX ON t (c); CREATE INDEX ON t (b) WHERE b > "
      "'x'; CREATE INDEX ON t (lower(b)); CREATE INDEX ON t (a)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT NULLIF(i % 10, 0), i % 4, "
                    "ARRAY[i % 3] FROM generate_series(1, 400) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET b = 'new' WHERE a < 3 OR a IS NULL; DELETE "
                    "FROM t WHERE ctid IN (SELECT ctid FROM t WHERE b <> 'new' "
                    "LIMIT 55); DELETE FROM t WHERE ctid IN (SELECT ctid FROM "
                    "t WHERE a IS NULL LIMIT 5)"));
  ExpectReplicates();
  ExpectOneSet("t WHERE b = 'new'");
}

// As it was stored on the target, which may have cut or padded it.
TEST_P(RowsWithoutKeyTest, ColumnsWithOtherTypesOnTheTarget) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (n numeric, s text, i int); ALTER TABLE t "
                    "REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Target("CREATE TABLE t (i int8, n numeric(10,4), s char(9))"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i * 1.5, i, i FROM "
                    "generate_series(1, 60) i"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Source("UPDATE t SET s = 'new' WHERE i < 20; DELETE FROM t WHERE "
                    "i > 30"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT count(*) || ' ' || sum(n) FROM t WHERE s = "
                        "'new'"),
            "19 285.0000");
  EXPECT_EQ(TargetValue("SELECT max(i) FROM t"), "30");
  ExpectOneSet("t WHERE s = 'new'");
}

// Then they are found one by one.
TEST_P(RowsWithoutKeyTest, RowsThatAreMerelyEqual) {
  ASSERT_OK(CreateTable("n numeric, v int"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, 1 FROM generate_series(1, 40) i"));
  ASSERT_OK(
      pair().Target("INSERT INTO t SELECT i::numeric(10,2), 1 FROM "
                    "generate_series(1, 40) i"));
  ASSERT_OK(pair().Receive());
  ASSERT_OK(pair().Source("UPDATE t SET v = 2"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE v = 2"), "40");
  EXPECT_EQ(pair().applier().fallbacks() > 0, GetParam().sets);
}

TEST_P(RowsWithoutKeyTest, TheRowThatIsMissingIsNamed) {
  ASSERT_OK(CreateTable("a int, b text"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, 'b' FROM generate_series(1, 300) "
                    "i"));
  ExpectReplicates();
  ASSERT_OK(pair().Target("DELETE FROM t WHERE a = 177"));
  ASSERT_OK(pair().Source("UPDATE t SET b = 'c'"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  EXPECT_THAT(pair().Apply(*batch),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("update of public.t (a=177, b=b), "),
                             HasSubstr(": the target has no such row"))));
  ASSERT_TRUE(pair().applier().conflict().has_value());
  EXPECT_EQ(pair().applier().conflict()->type, "update_missing");
  EXPECT_EQ(pair().applier().conflict()->key, "a=177, b=b");
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE b = 'b'"), "299");
}

// Too few of equal rows are a conflict, too; and a row that is deleted and
// comes again must have been there.
TEST_P(RowsWithoutKeyTest, NothingIsMadeUpForWhatIsMissing) {
  ASSERT_OK(CreateTable("a int, b text"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT 1, 'b' FROM generate_series(1, 20);"
                    "INSERT INTO t SELECT 2, 'b' FROM generate_series(1, "
                    "20)"));
  ExpectReplicates();
  ASSERT_OK(pair().Target("DELETE FROM t WHERE ctid = '(0,1)'"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE a = 1"));
  const std::unique_ptr<ChangeBatch> removal = ReceiveBatch();
  EXPECT_THAT(pair().Apply(*removal),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("delete of public.t (a=1, b=b), ")));
  EXPECT_EQ(pair().applier().conflict()->type, "delete_missing");
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "39");
  ASSERT_OK(pair().Target("INSERT INTO t VALUES (1, 'b')"));
  ASSERT_OK(pair().Open());
  ASSERT_OK(pair().Apply(*removal));
  EXPECT_TRUE(pair().Equal());
  ASSERT_OK(pair().Target("DELETE FROM t"));
  ASSERT_OK(
      pair().Source("WITH old AS (DELETE FROM t RETURNING *) INSERT INTO t "
                    "SELECT * FROM old"));
  ExpectFails("delete of public.t (a=2, b=b), ");
}

}  // namespace
}  // namespace walferry
