// CompareSchemas between servers of different versions.

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/verify/schema_compare.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/schema_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/read_file.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/server_upgrades.h"

namespace walferry {
namespace {

using ::testing::IsEmpty;

// What the files have that PostgreSQL 13 has not.
std::string For13(const std::string& sql) {
  return absl::StrReplaceAll(
      sql,
      {{" COMPRESSION pglz", ""},
       {"id, number, (big || packed) FROM", "id, number FROM"},
       {"BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN n * 2 ELSE n * 2 END; END;",
        "AS 'SELECT n * 2';"},
       {"BEGIN ATOMIC SELECT c.n; END;", "AS 'SELECT c.n';"},
       {"CREATE STATISTICS app.expression_stats ON (length(name)) FROM "
        "app.customers;",
        ""},
       {", multirange_type_name = kinds.many_days", ""},
       {" many kinds.many_days,", ""},
       {"int4_minmax_multi_ops (values_per_range = 16)", "int4_minmax_ops"}});
}

// For what is older yet.
constexpr char kFew[] = R"sql(
  CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
  CREATE DOMAIN amount AS numeric(12, 2) DEFAULT 1 CHECK (VALUE >= 0);
  CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(20) COLLATE "C" NOT NULL CHECK (name IN ('a', 'b')),
    feels mood DEFAULT 'sad', tags text[] DEFAULT '{}');
  CREATE TABLE orders (id serial PRIMARY KEY,
    customer int REFERENCES customers ON DELETE CASCADE, total amount, note text,
    EXCLUDE USING btree (note WITH =));
  CREATE INDEX ON orders (lower(note)) WHERE total > 5;
  CREATE TABLE parts (day timestamptz NOT NULL, n int) PARTITION BY RANGE (day);
  CREATE TABLE parts_1 PARTITION OF parts
    FOR VALUES FROM ('2020-01-01 UTC') TO ('2021-01-01 UTC');
  CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE
    AS 'SELECT 2 * i';
  CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
  CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER audit BEFORE INSERT ON orders
    FOR EACH ROW EXECUTE PROCEDURE audit();
  CREATE VIEW few AS SELECT o.id, twice(c.id), now()::date AS today FROM orders
    o JOIN customers c ON c.id = o.customer WHERE o.id < 10;
  CREATE VIEW fewer AS SELECT id, note FROM orders WHERE note IS NOT NULL;
  CREATE STATISTICS often (dependencies) ON customer, note FROM orders;
  ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
  CREATE POLICY mine ON orders TO reader USING (customer > 0);
  GRANT SELECT ON orders TO reader;
)sql";

class SchemaCompareVersionsTest
    : public SchemaTest,
      public ::testing::WithParamInterface<ServerUpgrade> {
 protected:
  void SetUp() override {
    // New servers, and no DROP DATABASE that old ones cannot read.
    ASSERT_OK_AND_ASSIGN(source_,
                         PgServer::Start({.bin_dir = GetParam().source}));
    ASSERT_OK_AND_ASSIGN(target_,
                         PgServer::Start({.bin_dir = GetParam().target}));
    ASSERT_OK(source_->Exec("CREATE DATABASE app"));
    ASSERT_OK(target_->Exec("CREATE DATABASE app"));
    ASSERT_OK_AND_ASSIGN(
        tools_,
        FindPgTools({.source_version = source_->major_version() * 10000,
                     .target_version = target_->major_version() * 10000},
                    PgToolDirectories()));
    MakeLedger();
    OnBoth("CREATE ROLE \"app owner\"; CREATE ROLE reader");
    if (source_->major_version() < 13) {
      OnSource(kFew);
      return;
    }
    for (const char* const file : {"rich", "kinds"}) {
      const std::string sql = ReadFile(
          absl::StrCat(TestsDirectory(), "/cluster/schema/", file, ".sql"));
      OnSource(source_->major_version() < 14 ? For13(sql) : sql);
    }
  }

  // What the copy does after the rows are there.
  void RefreshViews() {
    if (source_->major_version() < 13) return;
    for (const char* const view :
         {"app.totals", "app.grand_total", "app.late", "kinds.kept"}) {
      OnTarget(absl::StrCat("REFRESH MATERIALIZED VIEW ", view));
    }
  }
};

TEST_P(SchemaCompareVersionsTest, FindsNoDifferenceInWhatTheVersionAloneMakes) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(RestoreAll(restore));
  RefreshViews();
  ASSERT_OK_AND_ASSIGN(
      PgConnection source,
      PgConnection::Open({.conninfo = source_->ConnInfo("app")}));
  ASSERT_OK_AND_ASSIGN(
      PgConnection target,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  ASSERT_OK_AND_ASSIGN(const SchemaComparison comparison,
                       CompareSchemas(source, target, *Scope::Create({}),
                                      {.privileges = true, .owners = true}));
  EXPECT_GT(comparison.objects, source_->major_version() < 13 ? 40 : 300);
  for (const ObjectDifference& found : comparison.differences) {
    if (found.weight == ObjectDifference::Weight::kWarning) continue;
    ADD_FAILURE() << found.kind << " " << found.object << " " << found.what
                  << "\n  source: " << found.source
                  << "\n  target: " << found.target;
  }
}

// And from those that are too old to be followed.
std::vector<ServerUpgrade> AllUpgrades() {
  std::vector<ServerUpgrade> upgrades = TestServerUpgrades();
  if (upgrades.empty()) return upgrades;
  const std::string newest = upgrades.front().target;
  for (const std::string& bin_dir : TestServerBinDirs()) {
    // From the first, which is the distribution's, to each.
    if (bin_dir == newest || bin_dir == TestServerBinDirs().front() ||
        *ServerMajorVersion(bin_dir) <
            *ServerMajorVersion(TestServerBinDirs().front())) {
      continue;
    }
    upgrades.push_back({TestServerBinDirs().front(), bin_dir});
  }
  for (const std::string& bin_dir : OldServerBinDirs()) {
    const bool is_there = absl::c_any_of(upgrades, [&](const auto& upgrade) {
      return upgrade.source == bin_dir && upgrade.target == newest;
    });
    if (!is_there) upgrades.push_back({bin_dir, newest});
  }
  return upgrades;
}

INSTANTIATE_TEST_SUITE_P(Upgrades, SchemaCompareVersionsTest,
                         ::testing::ValuesIn(AllUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

}  // namespace
}  // namespace walferry
