// RunMigration: what ends it early, and what it goes on in spite of.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/migration/migration.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

class MigrateRefusalTest : public AppTest {
 protected:
  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.cutover = CutoverMode::kAuto;
    return options;
  }
};

// Makes the ledger unusable when prepare begins, and keeps the order.
class LedgerBreaker : public EventSink {
 public:
  explicit LedgerBreaker(const PgServer& target) : target_(target) {}

  void OnEvent(const Event& event) override {
    if (const auto* started = std::get_if<PhaseStarted>(&event);
        started != nullptr && started->phase == Phase::kPrepare) {
      EXPECT_OK(target_.Exec(
          "ALTER TABLE walferry.object RENAME COLUMN kind TO sort", "app"));
    }
    events_.push_back(event);
  }

  const std::vector<Event>& events() const { return events_; }

 private:
  const PgServer& target_;
  std::vector<Event> events_;
};

TEST_F(MigrateRefusalTest, TellsWhatItCouldNotUndoBeforeItsEnd) {
  ASSERT_OK(source_->Exec("CREATE TABLE t (id int PRIMARY KEY)", "app"));
  LedgerBreaker events(*target_);
  Control control;
  EXPECT_FALSE(RunMigration(Options(), control, events).ok());
  ASSERT_GE(events.events().size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Failed>(events.events().back()));
  const auto* notice =
      std::get_if<Notice>(&events.events()[events.events().size() - 2]);
  ASSERT_NE(notice, nullptr);
  EXPECT_THAT(notice->text,
              ::testing::StartsWith("could not undo what was begun: "));
}

TEST_F(MigrateRefusalTest, LeavesTablespacesOutIfAcceptedForTheTarget) {
  if (source_->major_version() < 15) {
    GTEST_SKIP() << "no tablespace without a directory before 15";
  }
  ASSERT_OK_AND_ASSIGN(auto sql, SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(sql.Exec("SET allow_in_place_tablespaces = on"));
  ASSERT_OK(sql.Exec("CREATE TABLESPACE fast LOCATION ''"));
  ASSERT_OK(source_->Exec("CREATE TABLE t (id int PRIMARY KEY) TABLESPACE fast",
                          "app"));
  MigrateOptions options = Options();
  Control control;
  EventRecorder events;
  EXPECT_EQ(RunMigration(options, control, events).status().code(),
            absl::StatusCode::kFailedPrecondition);
  options.accept = {"tablespace:target"};
  ASSERT_OK(RunMigration(options, control, events));
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM t", "app"),
              IsOkAndHolds("0"));
}

}  // namespace
}  // namespace walferry
