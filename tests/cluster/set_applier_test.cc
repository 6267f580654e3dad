// What sets must not change: the same rows as one by one, and the same facts of
// a change that the target does not take.

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

using SetApplierTest = ReplicaPairTest;

INSTANTIATE_REPLICA_PAIR_TEST(SetApplierTest);

TEST_P(SetApplierTest, ValuesOfASecondaryKeyAreSwapped) {
  ASSERT_OK(
      CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text);"
                   "CREATE TABLE other (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i, 'x' FROM generate_series(1, "
                    "100) i; INSERT INTO other SELECT i FROM "
                    "generate_series(1, 10) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DO $$BEGIN FOR k IN 1..50 LOOP"
                    " UPDATE t SET u = -1 WHERE id = k;"
                    " UPDATE t SET u = k WHERE id = 101 - k;"
                    " UPDATE t SET u = 101 - k WHERE id = k;"
                    " UPDATE other SET v = k WHERE id = k % 10;"
                    " END LOOP; END$$"));
  ExpectReplicates();
  EXPECT_EQ(TargetValue("SELECT u FROM t WHERE id = 1"), "100");
  EXPECT_EQ(pair().applier().fallbacks(), 0);
  // Some of their values are not sent, so the rows cannot be replaced.
  ASSERT_OK(
      pair().Both("ALTER TABLE t ALTER v SET STORAGE EXTERNAL;"
                  "ALTER TABLE t ALTER v TYPE text USING repeat(v, 3000)"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET u = -1 WHERE id = 1;"
                    "UPDATE t SET u = 100 WHERE id = 2;"
                    "UPDATE t SET u = 99 WHERE id = 1"));
  ExpectReplicates();
}

// Sets take no values of two formats, which is known before anything of them is
// sent, and so before the target has answered what came in front of them.
TEST_P(SetApplierTest, WhatIsRolledBackUnansweredCountsOnce) {
  ASSERT_OK(
      CreateTables("CREATE TABLE other (id int PRIMARY KEY);"
                   "CREATE TABLE t (id text PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO other VALUES (1);"
                    "INSERT INTO t VALUES ('1', 'x'), ('2', 'x')"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("BEGIN; TRUNCATE other; UPDATE t SET v = 'y' WHERE "
                    "id = '1'; UPDATE t SET v = 'z' WHERE id = '2'; "
                    "COMMIT"));
  ASSERT_OK_AND_ASSIGN(std::vector<std::string> messages, pair().Receive());
  for (std::string& message : messages) {
    if (message.front() != 'U' || message.back() != 'z') continue;
    // Each column is its format, four bytes of length, and one of value. A
    // text's bytes are the same in both formats.
    constexpr size_t kColumns = 8;
    message[kColumns] = message[kColumns + 6] = 'b';
  }
  ASSERT_OK_AND_ASSIGN(const auto batch, pair().Build(messages));
  EXPECT_TRUE(batch->has_binary());
  ASSERT_OK(pair().Apply(*batch));
  EXPECT_TRUE(pair().Equal());
  EXPECT_EQ(pair().applier().fallbacks(), GetParam().sets ? 1 : 0);
}

TEST_P(SetApplierTest, AChainOfValuesMovesOn) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i FROM generate_series(1, 50) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DO $$BEGIN FOR k IN REVERSE 50..1 LOOP"
                    " UPDATE t SET u = u + 1 WHERE id = k; END LOOP; END$$"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DELETE FROM t WHERE id = 1; UPDATE t SET u = 2 WHERE id = "
                    "50; INSERT INTO t VALUES (51, 51)"));
  ExpectReplicates();
}

TEST_P(SetApplierTest, RangesThatExcludeEachOtherMove) {
  ASSERT_OK(
      CreateTables("CREATE TABLE t (id int PRIMARY KEY, r int4range,"
                   " EXCLUDE USING gist (r WITH &&))"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, int4range(i * 10, i * 10 + 10) "
                    "FROM generate_series(1, 20) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("DO $$BEGIN FOR k IN REVERSE 20..1 LOOP UPDATE t SET r = "
                    "int4range(k * 10 + 5, k * 10 + 15) WHERE id = k; END "
                    "LOOP; END$$"));
  ExpectReplicates();
}

// One row in the way of many, found by halving.
TEST_P(SetApplierTest, TheOneChangeThatIsRefusedIsNamed) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(pair().Target("INSERT INTO t VALUES (777, 'in the way')"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i FROM generate_series(1, 1000) i"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  EXPECT_THAT(pair().Apply(*batch),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("insert of public.t (id=777), "),
                             HasSubstr("SQLSTATE 23505"))));
  ASSERT_TRUE(pair().applier().conflict().has_value());
  EXPECT_EQ(pair().applier().conflict()->type, "insert_exists");
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "1");
  ASSERT_OK(pair().Target("DELETE FROM t"));
  ASSERT_OK(pair().Open());
  ASSERT_OK(pair().Apply(*batch));
  EXPECT_TRUE(pair().Equal());
}

TEST_P(SetApplierTest, ARowThatIsMissingIsNamed) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i FROM generate_series(1, 600) i"));
  ExpectReplicates();
  ASSERT_OK(pair().Target("DELETE FROM t WHERE id = 333"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'x'"));
  const std::unique_ptr<ChangeBatch> update = ReceiveBatch();
  EXPECT_THAT(pair().Apply(*update),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("update of public.t (id=333), ")));
  EXPECT_EQ(pair().applier().conflict()->type, "update_missing");
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE v = 'x'"), "0");
  ASSERT_OK(pair().Source("DELETE FROM t"));
  const std::unique_ptr<ChangeBatch> removal = ReceiveBatch();
  ASSERT_OK(pair().Open());
  EXPECT_THAT(pair().Apply(*removal),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("delete of public.t (id=333), ")));
  EXPECT_EQ(pair().applier().conflict()->type, "delete_missing");
}

// They divide the sets.
TEST_P(SetApplierTest, WhatHasNoNetEffectKeepsItsPlace) {
  ASSERT_OK(
      CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text);"
                   "CREATE TABLE full_rows (a int, b json);"
                   "ALTER TABLE full_rows REPLICA IDENTITY FULL;"
                   "CREATE TABLE log (id int PRIMARY KEY, n int)"));
  ASSERT_OK(pair().Target(
      "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN INSERT INTO kept SELECT new.id, count(*) FROM "
      "public.t; RETURN new; END$$;"
      "CREATE TABLE kept (id int, n int);"
      "CREATE TRIGGER keep BEFORE INSERT ON log FOR EACH ROW "
      "EXECUTE FUNCTION keep();"
      "ALTER TABLE log ENABLE ALWAYS TRIGGER keep;"
      "ALTER FUNCTION keep() SET search_path = public"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i FROM generate_series(1, 40) i;"
                    "INSERT INTO log VALUES (1);"
                    "INSERT INTO full_rows SELECT 1, '{\"a\": 1}' FROM "
                    "generate_series(1, 3);"
                    "DELETE FROM t WHERE id <= 10;"
                    "INSERT INTO log VALUES (2);"
                    "UPDATE full_rows SET a = 2 WHERE ctid = '(0,2)';"
                    "DELETE FROM full_rows WHERE ctid = '(0,1)';"
                    "TRUNCATE t;"
                    "INSERT INTO log VALUES (3);"
                    "INSERT INTO t SELECT i, 'new' FROM generate_series(1, 5) "
                    "i"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT string_agg(n::text, ' ' ORDER BY id) FROM "
                        "kept"),
            "40 30 0");
  EXPECT_EQ(TargetValue("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t"),
            "1new 2new 3new 4new 5new");
  EXPECT_EQ(TargetValue("SELECT string_agg(a || b::text, ' ' ORDER BY a) FROM "
                        "full_rows"),
            "1{\"a\": 1} 2{\"a\": 1}");
}

TEST_P(SetApplierTest, TheTargetMayBeAlteredBetweenBatches) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i FROM generate_series(1, 40) i"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Target("ALTER TABLE t ADD own int DEFAULT 7, ALTER v TYPE "
                    "varchar(5)"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'fits'"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE v = 'fits' AND own = 7"),
            "40");
  ASSERT_OK(pair().Source("UPDATE t SET v = 'too long' WHERE id = 20"));
  ExpectFails("value too long for type character varying(5)");
}

// Its statements mean the same as before, but not the places of their values.
TEST_P(SetApplierTest, ColumnsOfTheTargetMayChangePlaces) {
  ASSERT_OK(
      CreateTables("CREATE TABLE t (id int PRIMARY KEY, a text, c text)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 'a1', 'c1')"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Target("ALTER TABLE t ADD a2 text; UPDATE t SET a2 = a;"
                    "ALTER TABLE t DROP a; ALTER TABLE t RENAME a2 TO a"));
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK(
        pair().Source(absl::StrCat("UPDATE t SET a = 'x', c = 'y';"
                                   "INSERT INTO t VALUES (",
                                   round + 2, ", 'a2', 'c2')")));
    ASSERT_OK(pair().Replicate());
    EXPECT_EQ(TargetValue("SELECT string_agg(concat_ws(' ', id, a, c), ', ' "
                          "ORDER BY id) FROM t"),
              round == 0 ? "1 x y, 2 a2 c2" : "1 x y, 2 x y, 3 a2 c2");
  }
  // Once noticed, it is known.
  EXPECT_EQ(pair().applier().fallbacks(), GetParam().sets ? 1 : 0);
}

TEST_P(SetApplierTest, SetsDoWhatTheyAreFor) {
  ASSERT_OK(
      CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text,"
                   " a int[]);"
                   "CREATE TABLE pairs (x int, y text, v text, PRIMARY KEY (x, "
                   "y))"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i, 'x', ARRAY[i, NULL] FROM "
                    "generate_series(1, 100) i;"
                    "INSERT INTO pairs SELECT i % 10, i, '' FROM "
                    "generate_series(1, 100) i;"
                    "UPDATE t SET u = u + 1000, a = a || 7 WHERE id % 2 = 0;"
                    "UPDATE pairs SET v = NULL, y = y || '!' WHERE x < 3;"
                    "DELETE FROM t WHERE id > 90;"
                    "DELETE FROM pairs WHERE x = 9"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Source("UPDATE t SET v = 'y\"\\,(', a = '{}' WHERE id < 50;"
                    "UPDATE t SET id = id + 500 WHERE id > 80;"
                    "DELETE FROM pairs WHERE x = 1;"
                    "UPDATE t SET u = -1 WHERE id = 1;"
                    "UPDATE t SET u = 1 WHERE id = 2;"
                    "UPDATE t SET u = 1002 WHERE id = 1"));
  ExpectReplicates();
  EXPECT_EQ(pair().applier().fallbacks(), 0);
}

}  // namespace
}  // namespace walferry
