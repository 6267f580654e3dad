#ifndef TESTS_CLUSTER_OFFLINE_FIXTURE_H_
#define TESTS_CLUSTER_OFFLINE_FIXTURE_H_

// RunMigration with MigrateMode::kOffline, from a server without replication.
// For tests/cluster/offline*_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/writers.h"

namespace walferry {

// Three objects: nothing, less than is read at once, and more than twice that.
inline constexpr char kLargeObjects[] =
    "CREATE ROLE reader;"
    "SELECT lo_create(7001);"
    "SELECT lo_from_bytea(7002, '\\x0001ff5c22');"
    "SELECT lo_from_bytea(7003, (SELECT string_agg(sha256(i::text::bytea), '' "
    "ORDER BY i) FROM generate_series(1, 300000) i));"
    "GRANT SELECT ON LARGE OBJECT 7002 TO reader WITH GRANT OPTION;"
    "REVOKE UPDATE ON LARGE OBJECT 7003 FROM postgres;"
    "COMMENT ON LARGE OBJECT 7003 IS 'it''s long';"
    "ALTER LARGE OBJECT 7001 OWNER TO reader";
inline constexpr char kLargeObjectFacts[] =
    "SELECT string_agg(format('%s %s %s %s %s', m.oid, md5(lo_get(m.oid)), "
    "lomowner::regrole, (SELECT array_agg(a ORDER BY a::text) FROM "
    "unnest(lomacl) a), obj_description(m.oid, 'pg_largeobject')), '; "
    "' ORDER BY m.oid) FROM pg_largeobject_metadata m";

class OfflineTest : public AppTest {
 protected:
  void SetUp() override {
    StartServers(
        {.settings = {{"wal_level", "minimal"}, {"max_wal_senders", "0"}}});
    if (HasFatalFailure()) return;
    CreateApp();
    ASSERT_OK(OnSource(WriterSchemaSql(3000)));
    ASSERT_OK(OnSource(
        "INSERT INTO orders (account, amount) SELECT id, 1 FROM accounts;"
        "INSERT INTO notes SELECT md5(i::text), i % 7 FROM "
        "generate_series(1, 2000) i"));
  }

  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.mode = MigrateMode::kOffline;
    options.split_bytes = 64 << 10;
    options.jobs = 1;
    options.stream.poll_interval = absl::Milliseconds(20);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  absl::StatusOr<Report> Migrate(const MigrateOptions& options) {
    Control control;
    events_.emplace();
    return RunMigration(options, control, *events_);
  }

  // A run that ends when the target refuses rows: of accounts in the middle of
  // its ranges, of notes when larger tables are there already.
  void FailInTheCopy(const std::string& table, const std::string& condition) {
    Control control;
    AtPhase events(Phase::kCopy, [&] {
      EXPECT_OK(OnTarget(absl::StrCat("ALTER TABLE ", table,
                                      " ADD CONSTRAINT refused CHECK (",
                                      condition, ")")));
    });
    EXPECT_THAT(RunMigration(Options(), control, events).status().message(),
                testing::HasSubstr("refused"));
    ASSERT_OK(OnTarget(
        absl::StrCat("ALTER TABLE ", table, " DROP CONSTRAINT refused")));
    ASSERT_OK_AND_ASSIGN(const std::string rows, Copied("accounts"));
    ASSERT_NE(rows, "0");
  }

  std::vector<std::string> Notices() const {
    std::vector<std::string> texts;
    for (const Notice& notice : events_->All<Notice>()) {
      texts.push_back(notice.text);
    }
    return texts;
  }

  void ExpectEqual() {
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  }

  // Rows of a table that the ledger has.
  absl::StatusOr<std::string> Copied(const std::string& table) const {
    return TargetValue(
        absl::StrCat("SELECT coalesce(sum(rows), 0) FROM walferry.copy_range "
                     "WHERE table_name = '",
                     table, "'"));
  }

  std::optional<EventRecorder> events_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_OFFLINE_FIXTURE_H_
