// Rows in binary form from every version of PostgreSQL to the newest.

#include <gtest/gtest.h>

#include <string>

#include "engine/copy/copy_format.h"
#include "engine/copy/table_copy.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/server_upgrades.h"

namespace walferry {
namespace {

// Values at the edges of types, whose binary form a version might change.
constexpr char kTable[] = R"sql(
  CREATE TABLE types (
    id int PRIMARY KEY, t text, v varchar(20), c char(5), b bytea, bo bool,
    i2 int2, i8 int8, f4 float4, f8 float8, num numeric(1000, 900), d date,
    ti time, tz timetz, ts timestamp, tsz timestamptz, u uuid, ip inet,
    ci cidr, bi bit(3), vb varbit, j json, jb jsonb, p point, ai int[],
    at text[], ir int4range, tr tstzrange);
)sql";
constexpr char kRows[] = R"sql(
  INSERT INTO types (id) VALUES (1);
  INSERT INTO types VALUES (
    2, E'tab\t newline\n \\.', E'\\x', 'ab', '\x00ff5c0a09', true, -32768,
    9223372036854775807, 'NaN', '-Infinity', '-0.1e-899', '4713-01-01 BC',
    '24:00:00', '23:59:59.999999-15:59', '294276-12-31 23:59:59.999999',
    '-infinity', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::ffff:1.2.3.4/128',
    '10/8', B'101', B'', '{"b" :1, "a":[1,2 ],"b":2}', '{"n": 1e400}',
    '(1e-300,-0)', '[0:1]={1,NULL}', '{"NULL",NULL,"","a,b"}', '(,5]',
    '["2020-01-01 00:00+00",)');
  INSERT INTO types (id, t, num)
    SELECT n, repeat('x', n), n / 7.0 FROM generate_series(3, 3000) n;
)sql";

class CopyVersionsTest : public AppTest,
                         public ::testing::WithParamInterface<ServerUpgrade> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam().source},
                 {.bin_dir = GetParam().target});
    if (!HasFatalFailure()) CreateApp();
  }
};

INSTANTIATE_TEST_SUITE_P(Upgrades, CopyVersionsTest,
                         ::testing::ValuesIn(TestServerUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

TEST_P(CopyVersionsTest, PortableTypesArriveInBinaryFormAsTheyAre) {
  ASSERT_OK(OnSource(kTable));
  ASSERT_OK(OnTarget(kTable));
  ASSERT_OK(OnSource(kRows));
  ASSERT_OK_AND_ASSIGN(
      PgConnection source,
      PgConnection::Open({.conninfo = source_->ConnInfo("app")}));
  ASSERT_OK_AND_ASSIGN(
      PgConnection target,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  ASSERT_OK_AND_ASSIGN(const Scope everything, Scope::Create({}));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadCatalog(source, everything));
  ASSERT_EQ(catalog.tables.size(), 1u);
  const CatalogTable& table = catalog.tables[0];
  ASSERT_THAT(FormatFor(table, source, target),
              IsOkAndHolds(CopyFormat::kBinary));
  CopyCounters counters;
  EXPECT_THAT(
      PipeRows(source,
               CopyOutSql(table, {.first_block = 0, .end_block = -1},
                          CopyFormat::kBinary),
               target, CopyInSql(table, CopyFreeze::kNo, CopyFormat::kBinary),
               counters),
      IsOkAndHolds(3000));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

}  // namespace
}  // namespace walferry
