// Sources that are too old to be followed: PostgreSQL 10 to 13, offline.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/archive/archives.h"
#include "engine/catalog/catalog.h"
#include "engine/copy/guard_watch.h"
#include "engine/copy/snapshot.h"
#include "engine/migration/migration.h"
#include "engine/server/servers.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What the catalogs of each version tell otherwise: routines, keys, statistics,
// partitions, identity columns, large objects.
constexpr char kShop[] = R"sql(
  CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
  CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
  CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL, feels mood, tags text[]);
  CREATE TABLE orders (id serial PRIMARY KEY,
    customer int REFERENCES customers, total amount DEFAULT 0, note text,
    EXCLUDE USING btree (note WITH =));
  CREATE INDEX ON orders (lower(note));
  CREATE TABLE parts (day date NOT NULL, n int) PARTITION BY RANGE (day);
  CREATE TABLE parts_1 PARTITION OF parts
    FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
  CREATE TABLE "odd ""Name" ("order" int, b bytea);
  CREATE UNLOGGED TABLE scratch AS SELECT 1 AS i;
  CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE
    AS 'SELECT 2 * i';
  CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
  CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER audit BEFORE INSERT ON orders
    FOR EACH ROW EXECUTE PROCEDURE audit();
  CREATE VIEW few AS SELECT id, twice(id) FROM orders WHERE id < 10;
  CREATE MATERIALIZED VIEW sums AS SELECT customer, sum(total) FROM orders
    GROUP BY 1;
  CREATE STATISTICS often (dependencies) ON customer, note FROM orders;
  INSERT INTO customers (name, feels, tags) SELECT E'n\t\\' || i, 'it''s ok',
    ARRAY['x', NULL, '{"}'] FROM generate_series(1, 3000) i;
  INSERT INTO orders (customer, total, note) SELECT 1 + i % 3000, i / 7.0,
    'note ' || i FROM generate_series(1, 5000) i;
  INSERT INTO parts SELECT date '2020-01-01' + i, i
    FROM generate_series(0, 300) i;
  INSERT INTO "odd ""Name" VALUES (1, '\x00ff5c'), (NULL, '');
  SELECT lo_from_bytea(4711, 'large');
  REFRESH MATERIALIZED VIEW sums;
)sql";

class OldSourceTest : public AppTest,
                      public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam()});
    if (HasFatalFailure()) return;
    CreateApp();
    ASSERT_OK(OnSource(kShop));
  }

  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.mode = MigrateMode::kOffline;
    options.split_bytes = 64 << 10;
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  // What each check that went wrong says of itself.
  static std::vector<std::string> Texts(const CheckReport& report) {
    std::vector<std::string> texts;
    for (const Finding& finding : report.findings) {
      texts.push_back(absl::StrCat(finding.id, ": ", finding.text));
    }
    return texts;
  }

  Control control_;
  EventRecorder events_;
};

// Interrupted once, so that it also asks what has changed since.
TEST_P(OldSourceTest, MovesOffline) {
  ASSERT_OK_AND_ASSIGN(const CheckReport checked,
                       RunCheck({.migrate = Options()}, control_));
  EXPECT_THAT(checked.Blocking({}), IsEmpty());
  EXPECT_THAT(Texts(checked),
              Each(Not(HasSubstr("this could not be looked at"))));
  AtPhase refuse(Phase::kCopy, [&] {
    EXPECT_OK(OnTarget("ALTER TABLE parts ADD CHECK (n < 300)"));
  });
  MigrateOptions options = Options();
  options.jobs = 1;
  EXPECT_THAT(RunMigration(options, control_, refuse).status().message(),
              HasSubstr("parts_n_check"));
  ASSERT_OK(OnTarget("ALTER TABLE parts DROP CONSTRAINT parts_n_check"));
  ASSERT_OK_AND_ASSIGN(const Report report,
                       RunMigration(Options(), control_, events_));
  EXPECT_EQ(report.rows_copied, 8304);
  EXPECT_EQ(report.sequences_set, 2);
  EXPECT_EQ(report.materialized_views_refreshed, 1);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  EXPECT_THAT(TargetValue("SELECT lo_get(4711)"),
              IsOkAndHolds("\\x6c61726765"));
  EXPECT_THAT(TargetValue("SELECT total(id) FROM few"), IsOkAndHolds("45"));
  EXPECT_EQ(LeftOnSource(), "0");
}

// Each range would be found by reading the whole table.
TEST_P(OldSourceTest, GivesEachTableInOnePiece) {
  ASSERT_OK(RunMigration(Options(), control_, events_));
  EXPECT_THAT(TargetValue("SELECT max(ranges) FROM (SELECT count(*) AS ranges "
                          "FROM walferry.copy_range GROUP BY table_name) AS t"),
              IsOkAndHolds("1"));
}

TEST_P(OldSourceTest, LosesNoOidsWithoutAWord) {
  ASSERT_OK_AND_ASSIGN(const int major, ServerMajorVersion(GetParam()));
  if (major >= 12) GTEST_SKIP() << "it knows no table WITH OIDS";
  ASSERT_OK(
      OnSource("CREATE TABLE \"Old\" (i int) WITH OIDS;"
               "INSERT INTO \"Old\" VALUES (1)"));
  MigrateOptions options = Options();
  EXPECT_THAT(
      RunMigration(options, control_, events_).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "public.\"Old\": it was made WITH OIDS, which the target does "
               "not know: the oids of its rows are not carried [oids]"));
  options.accept = {"oids:public.\"Old\""};
  ASSERT_OK(RunMigration(options, control_, events_));
  EXPECT_THAT(TargetValue("SELECT i FROM \"Old\""), IsOkAndHolds("1"));
}

// It does not say how long he has waited.
TEST_P(OldSourceTest, GivesWayToWhoWaitsForTheCopy) {
  ASSERT_OK_AND_ASSIGN(const auto snapshot,
                       SourceSnapshot::TakeWithoutSlot({.endpoints = Both()}));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog,
                       ReadCatalog(snapshot->connection(), *Scope::Create({})));
  ASSERT_OK(snapshot->Guard(catalog.tables));
  GuardWatch watch(
      *snapshot, absl::Milliseconds(100), [](uint32_t) { return "a table"; },
      events_);
  auto truncation = std::async(std::launch::async,
                               [&] { return OnSource("TRUNCATE parts_1"); });
  absl::Status looked;
  EXPECT_TRUE(WaitUntil([&] {
    looked = watch.Look();
    return !looked.ok();
  }));
  EXPECT_THAT(looked,
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr(" waits for the lock on a table that the copy "
                                 "holds, for ")));
  ASSERT_OK(snapshot->connection().Exec("ROLLBACK").status());
  EXPECT_OK(truncation.get());
}

TEST_P(OldSourceTest, IsNotFollowed) {
  MigrateOptions online = Options();
  online.mode = MigrateMode::kOnline;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = online}, control_));
  EXPECT_THAT(Texts(report),
              Contains(HasSubstr("does not send what walferry reads: it needs "
                                 "14 or later")));
}

TEST_P(OldSourceTest, IsDumpedAndDrilled) {
  ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
  ASSERT_OK_AND_ASSIGN(const DrillReport report,
                       RunDrill({.source = source_->ConnInfo("app"),
                                 .target = target_->ConnInfo(),
                                 .archive_folder = directory.path(),
                                 .disk_share = 0},
                                control_, events_));
  for (const DrillCheck& check : report.checks) {
    EXPECT_NE(check.outcome, DrillCheck::Outcome::kFailed)
        << check.name << ": " << check.detail;
  }
  EXPECT_TRUE(report.passed());
}

TEST_P(OldSourceTest, GivesItsRoles) {
  ASSERT_OK(source_->Exec(
      "CREATE ROLE app LOGIN PASSWORD 'secret' CONNECTION LIMIT 3;"
      "CREATE ROLE readers; GRANT readers TO app WITH ADMIN OPTION;"
      "ALTER ROLE app SET work_mem = '7MB'"));
  ASSERT_OK(RunGlobals({.endpoints = Both()}, control_, events_));
  EXPECT_THAT(target_->QueryValue(
                  "SELECT rolconnlimit || ' ' || admin_option || ' ' || "
                  "setconfig::text FROM pg_roles r JOIN pg_auth_members ON "
                  "member = r.oid JOIN pg_db_role_setting ON setrole = r.oid "
                  "WHERE rolname = 'app'"),
              IsOkAndHolds("3 true {work_mem=7MB}"));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OldSourceTest);
INSTANTIATE_TEST_SUITE_P(Servers, OldSourceTest,
                         ::testing::ValuesIn(OldServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
