// RunMigration from every version of PostgreSQL to the newest.

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/cluster/migrate_fixture.h"
#include "tests/testing/server_upgrades.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

// What one version may write in another way than the next: partitions,
// generated columns, types that print differently, functions, policies.
constexpr char kOddities[] = R"sql(
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, day date,
                       m mood, p positive, f float8, r int4range, j jsonb,
                       b bytea, i interval, a text[], PRIMARY KEY (id, day))
    PARTITION BY RANGE (day);
  CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE)
    TO ('2026-01-01');
  CREATE TABLE events_new PARTITION OF events DEFAULT;
  CREATE INDEX ON events USING gin (a);
  CREATE STATISTICS s ON m, p FROM events;
  CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC
    SELECT n * 2; END;
  CREATE VIEW seen AS SELECT id, twice(p) AS t FROM events;
  CREATE MATERIALIZED VIEW moods AS SELECT m, count(*) FROM events GROUP BY m;
  ALTER TABLE events ENABLE ROW LEVEL SECURITY;
  CREATE POLICY all_rows ON events USING (true);
  INSERT INTO events (day, m, p, f, r, j, b, i, a)
    SELECT date '2025-12-01' + n, 'ok', n, n / 7.0, int4range(n, n + 1),
           jsonb_build_object('n', n), decode(md5(n::text), 'hex'),
           n * interval '1 day 1 second', ARRAY[n::text, NULL]
    FROM generate_series(1, 60) n;
)sql";

class MigrateVersionsTest
    : public MigrateTest,
      public ::testing::WithParamInterface<ServerUpgrade> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam().source},
                 {.bin_dir = GetParam().target});
    if (HasFatalFailure()) return;
    CreateApp();
    LoadApp();
    ASSERT_OK(OnSource(kOddities));
  }
};

TEST_P(MigrateVersionsTest, MovesADatabaseThatIsWrittenTo) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Writers writers(source_->ConnInfo("app"), 2, seed);
  {
    // Goes on once: also that is another dance between versions.
    BackgroundRun run(Options());
    ASSERT_TRUE(run.events().WaitForPhase(Phase::kCopy));
    EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  }
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  const int64_t done = writers.transactions();
  ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 100; }));
  ASSERT_OK(
      OnSource("UPDATE events SET m = 'sad', day = day + 40 WHERE id < 30;"
               "DELETE FROM events WHERE id > 50;"
               "INSERT INTO events (day, p) VALUES ('2025-01-01', 1);"
               "REFRESH MATERIALIZED VIEW moods"));
  writers.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
  EXPECT_EQ(LeftOnSource(), "0");
  EXPECT_THAT(TargetValue("SELECT sum(t) FROM seen"),
              IsOkAndHolds(SourceValue("SELECT sum(t) FROM seen").value()));
}

INSTANTIATE_TEST_SUITE_P(Upgrades, MigrateVersionsTest,
                         ::testing::ValuesIn(TestServerUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

}  // namespace
}  // namespace walferry
