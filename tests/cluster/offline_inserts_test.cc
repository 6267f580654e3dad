// RunMigration with --inserts: rows for a target that does not take COPY.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/offline_fixture.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(OfflineTest, InsertsRowsWhereCopyIsNotTaken) {
  ASSERT_OK(OnSource(
      "CREATE TYPE pair AS (a text, \"B\" int[]);"
      "CREATE DOMAIN short AS varchar(20) NOT NULL;"
      "CREATE TABLE odd (\"order\" int GENERATED ALWAYS AS IDENTITY, p pair, "
      "d short, twice int GENERATED ALWAYS AS (2 * \"order\") STORED, b bytea, "
      "n numeric, j json, t text[][], c char(4), x xml, m money);"
      "ALTER TABLE odd ADD gone int; ALTER TABLE odd DROP gone;"
      "INSERT INTO odd (p, d, b, n, j, t, c, x, m) SELECT "
      "ROW(E'\\\\ \" , ( ) \\n\\t' || i, ARRAY[1, NULL])::pair, '\"\\\\N' || "
      "i, "
      "decode(md5(i::text), 'hex'), i / 3.0, '{\"k\": [\"\\\\\", null]}', "
      "ARRAY[ARRAY['a', ''], ARRAY[NULL, '{\"']], 'x', '<a b=\"c\"/>', i "
      "FROM generate_series(1, 7000) i;"
      "INSERT INTO odd (p, d) VALUES (ROW(NULL, '{}')::pair, ''), (NULL, "
      "'NULL');"
      "CREATE TABLE parts (i int, t text) PARTITION BY LIST (i);"
      "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);"
      "INSERT INTO parts VALUES (1, NULL), (1, '');"
      "CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;"
      "INSERT INTO nothing DEFAULT VALUES"));
  ASSERT_OK(OnTarget("ALTER DATABASE app SET log_statement = 'all'"));
  MigrateOptions options = Options();
  options.inserts = true;
  options.jobs = 3;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_THAT(target_->Log(), HasSubstr("INSERT INTO \"public\".\"odd\""));
  EXPECT_THAT(target_->Log(), Not(HasSubstr("FROM STDIN")));
}

// A row as one value would have NULL where the target computes the value.
TEST_F(OfflineTest, InsertsRowsWhoseGeneratedColumnMayNotBeNull) {
  ASSERT_OK(OnSource(
      "CREATE DOMAIN whole AS int NOT NULL;"
      "CREATE TABLE doubled (id int GENERATED ALWAYS AS IDENTITY, n int, "
      "c char(4), v varchar(5), t text[], j jsonb, w whole, "
      "twice whole GENERATED ALWAYS AS (2 * coalesce(n, 0)) STORED);"
      "INSERT INTO doubled (n, c, v, t, j, w) SELECT nullif(i % 7, 0), 'ab', "
      "E'\\t\\\\' || i % 9, ARRAY['a', NULL, '{\"'], '{\"k\": [null]}', i "
      "FROM generate_series(1, 12000) i"));
  MigrateOptions options = Options();
  options.inserts = true;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
}

}  // namespace
}  // namespace walferry
