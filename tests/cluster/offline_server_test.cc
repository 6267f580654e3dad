// Offline migrations of sources to which something happens: a standby, a crash,
// a failover, another kind of table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/cluster/offline_fixture.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class OfflineServerTest : public OfflineTest {
 protected:
  void SetUp() override {
    StartServers();
    if (HasFatalFailure()) return;
    CreateApp();
    ASSERT_OK(OnSource(WriterSchemaSql(3000)));
    ASSERT_OK(OnSource(
        "INSERT INTO notes SELECT md5(i::text), i % 7 FROM "
        "generate_series(1, 2000) i; SELECT lo_from_bytea(7002, '\\x0001ff');"
        "CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM orders"));
  }

  void StartStandby() {
    ASSERT_OK_AND_ASSIGN(standby_, PgServer::StartStandby(*source_));
  }
  // From now on the other one is the source.
  void ExchangeSources() { std::swap(source_, standby_); }

  bool StandbyHasAll() const {
    const auto position =
        source_->QueryValue("SELECT pg_current_wal_insert_lsn()");
    return position.ok() && WaitUntil([&] {
             return standby_
                        ->QueryValue(
                            absl::StrCat("SELECT pg_last_wal_replay_lsn() >= '",
                                         *position, "'"))
                        .value_or("") == "t";
           });
  }

  std::unique_ptr<PgServer> standby_;
};

TEST_F(OfflineServerTest, MovesAStandby) {
  ASSERT_NO_FATAL_FAILURE(StartStandby());
  ASSERT_OK(OnSource("INSERT INTO notes VALUES ('streamed', 1)"));
  ASSERT_TRUE(StandbyHasAll());
  ExchangeSources();
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(TargetValue("SELECT count(*) FROM notes WHERE body = 'streamed'"),
              IsOkAndHolds("1"));
  EXPECT_THAT(TargetValue("SELECT lo_get(7002)"), IsOkAndHolds("\\x0001ff"));
}

// What is dropped there is gone on the standby, too.
TEST_F(OfflineServerTest, NeverDropsThePrimaryOfItsSource) {
  ASSERT_NO_FATAL_FAILURE(StartStandby());
  ASSERT_TRUE(StandbyHasAll());
  MigrateOptions options = Options();
  options.endpoints.source = standby_->ConnInfo("app");
  options.endpoints.target = source_->ConnInfo("app");
  options.drop_target_first = true;
  const absl::Status status = Migrate(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is the one that the data comes from, and is not "
                        "dropped"));
  EXPECT_THAT(SourceValue("SELECT count(*) FROM accounts"),
              IsOkAndHolds("3000"));
}

TEST_F(OfflineServerTest, GoesOnFromAStandbyWithoutTrustingIt) {
  ASSERT_NO_FATAL_FAILURE(StartStandby());
  ExchangeSources();
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(Notices(), Contains("table public.accounts is copied anew: a "
                                  "standby cannot say whether it has changed"));
}

// What was copied was on disk before, so that a crash takes nothing of it back;
// an unlogged table is emptied by one.
TEST_F(OfflineServerTest, GoesOnAfterACrashOfTheSource) {
  ASSERT_OK(
      OnSource("CREATE UNLOGGED TABLE sessions AS SELECT md5(i::text) FROM "
               "generate_series(1, 4000) i"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_OK(source_->Kill9());
  ASSERT_OK(source_->Restart());
  ASSERT_OK(OnSource("UPDATE orders SET amount = amount + 1 WHERE id = 1"));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(TargetValue("SELECT count(*) FROM sessions"), IsOkAndHolds("0"));
  EXPECT_THAT(Notices(), Contains(HasSubstr("public.sessions is copied anew")));
  EXPECT_THAT(Notices(),
              Not(Contains(HasSubstr("public.accounts is copied anew"))));
}

TEST_F(OfflineServerTest, TrustsNothingAfterAFailover) {
  ASSERT_NO_FATAL_FAILURE(StartStandby());
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_TRUE(StandbyHasAll());
  ASSERT_OK(source_->Kill9());
  ExchangeSources();
  ASSERT_OK(source_->Exec("SELECT pg_promote()"));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(Notices(), Contains("table public.accounts is copied anew: "
                                  "another server has taken over"));
}

TEST_F(OfflineServerTest, TrustsNoAccessMethodThatItDoesNotKnow) {
  ASSERT_OK(OnSource(
      "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;"
      "CREATE TABLE odd USING other AS SELECT i, repeat('x', 300) AS t FROM "
      "generate_series(1, 4000) i; CREATE TABLE last AS SELECT 1 AS i"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("last", "i > 1"));
  ASSERT_OK_AND_ASSIGN(const std::string copied, Copied("odd"));
  EXPECT_EQ(copied, "4000");
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(Notices(),
              Contains("table public.odd is copied anew: access method other "
                       "may not tell whether it has changed"));
}

}  // namespace
}  // namespace walferry
