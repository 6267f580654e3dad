#ifndef TESTS_CLUSTER_SERVER_ONLINE_FIXTURE_H_
#define TESTS_CLUSTER_SERVER_ONLINE_FIXTURE_H_

// A server with three databases that are written all the time, and an empty
// one. For tests/cluster/server_online_*_test.cc.

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/server/servers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/server_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {

class ServerOnlineTest : public ::testing::Test {
 protected:
  // Smallest first.
  static constexpr const char* kNames[] = {"crm", "shop", "large"};

  void SetUp() override { Start({}); }

  void Start(const PgServerOptions& source) {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start(source));
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start({}));
    ASSERT_OK(source_->Exec("CREATE ROLE owner"));
    int accounts = 200;
    for (const char* name : kNames) {
      ASSERT_OK(source_->Exec(
          absl::StrCat("CREATE DATABASE ", name, " OWNER owner")));
      ASSERT_OK(source_->Exec(WriterSchemaSql(accounts), name));
      accounts *= 5;
    }
    ASSERT_OK(source_->Exec("ALTER DATABASE shop SET work_mem = '3MB'"));
  }

  ServerMigrateOptions Options() const {
    ServerMigrateOptions options;
    options.migrate.endpoints = {.source = source_->ConnInfo(),
                                 .target = target_->ConnInfo(),
                                 .name = "move"};
    options.migrate.jobs = 2;
    options.migrate.stream.poll_interval = absl::Milliseconds(50);
    return options;
  }

  std::vector<std::unique_ptr<Writers>> Write() const {
    std::vector<std::unique_ptr<Writers>> writers;
    for (const char* name : kNames) {
      writers.push_back(
          std::make_unique<Writers>(source_->ConnInfo(name), 2, 7));
    }
    return writers;
  }

  void ExpectAllEqual() const {
    for (const char* name : kNames) {
      SCOPED_TRACE(name);
      ExpectDatabasesEqual(source_->ConnInfo(name), target_->ConnInfo(name));
    }
    EXPECT_THAT(target_->QueryValue("SHOW work_mem", "shop"),
                IsOkAndHolds("3MB"));
  }

  void ExpectNothingLeftOnSource() const {
    EXPECT_THAT(
        source_->QueryValue("SELECT count(*) FROM pg_replication_slots"),
        IsOkAndHolds("0"));
    for (const char* name : kNames) {
      EXPECT_THAT(
          source_->QueryValue("SELECT count(*) FROM pg_publication", name),
          IsOkAndHolds("0"));
    }
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
};

// A move on a thread of its own. Stopped, and waited for, when destroyed.
class BackgroundMove {
 public:
  explicit BackgroundMove(ServerMigrateOptions options)
      : result_(std::async(
            std::launch::async, [this, options = std::move(options)] {
              return RunServerMigration(options, control_, events_);
            })) {}
  ~BackgroundMove() {
    control_.RequestStop();
    if (result_.valid()) result_.wait();
  }

  Control& control() { return control_; }
  const ServerEventRecorder& events() const { return events_; }

  bool ended() const {
    return result_.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }
  // The whole comes to that phase. False: it has ended before.
  bool ComesTo(Phase phase, size_t times = 1) const {
    const auto there = [&] {
      size_t found = 0;
      for (const PhaseStarted& one : events_.All<PhaseStarted>("")) {
        found += one.phase == phase ? 1 : 0;
      }
      return found >= times;
    };
    WaitUntil([&] { return there() || ended(); });
    return there();
  }
  // As OutcomeOf; one that goes on and on fails the test, and is stopped.
  absl::Status Outcome() {
    if (!WaitUntil([this] { return ended(); }, 2 * kTestPatience)) {
      ADD_FAILURE() << "the run does not end";
      control_.RequestStop();
    }
    absl::StatusOr<ServerReport> report = result_.get();
    if (!report.ok()) return report.status();
    report_ = *std::move(report);
    return OutcomeOf(report_);
  }
  absl::Status Stop() {
    control_.RequestStop();
    return Outcome();
  }
  const ServerReport& report() const { return report_; }

 private:
  Control control_;
  ServerEventRecorder events_;
  ServerReport report_;
  std::future<absl::StatusOr<ServerReport>> result_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_SERVER_ONLINE_FIXTURE_H_
