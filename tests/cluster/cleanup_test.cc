// Nothing of a run is left behind, and nothing of another's is taken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/ledger/ledger.h"
#include "engine/migration/migration.h"
#include "engine/stream/capture.h"
#include "protocol/pg_connection.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr char kWaitsForTable[] =
    "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = "
    "'walferry.migration'::regclass";

class CleanupTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() {
    source_.reset();
    target_.reset();
  }

  void SetUp() override {
    if (source_ == nullptr) {
      ASSERT_OK_AND_ASSIGN(source_, PgServer::Start());
      ASSERT_OK_AND_ASSIGN(target_, PgServer::Start());
    }
    for (PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec("DROP DATABASE IF EXISTS app WITH (FORCE)"));
      ASSERT_OK(server->Exec("CREATE DATABASE app"));
      ASSERT_OK(server->Exec("CREATE TABLE t (id int PRIMARY KEY)", "app"));
    }
    ASSERT_OK(source_->Exec("CREATE PUBLICATION pub FOR TABLE t", "app"));
    ASSERT_OK(source_->Exec(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
        "app"));
  }

  void TearDown() override {
    EXPECT_OK(source_->Exec(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots",
        "app"));
  }

  Endpoints Both() const {
    return {.source = source_->ConnInfo("app"),
            .target = target_->ConnInfo("app"),
            .name = "test"};
  }

  absl::StatusOr<PgConnection> OpenTarget() {
    return PgConnection::Open({.conninfo = target_->ConnInfo("app")});
  }

  absl::StatusOr<std::vector<std::string>> Cleanup(bool force = false) {
    Control control;
    return RunCleanup({.endpoints = Both(), .force = force}, control);
  }

  void ExpectNothingOnTarget() {
    EXPECT_THAT(target_->QueryValue(
                    "SELECT (SELECT count(*) FROM pg_replication_origin) + "
                    "(SELECT count(*) FROM pg_namespace WHERE nspname LIKE "
                    "'walferry%')",
                    "app"),
                IsOkAndHolds("0"));
  }

  Lsn Now() const {
    const auto text =
        source_->QueryValue("SELECT pg_current_wal_insert_lsn()", "app");
    return text.ok() ? Lsn::Parse(*text).value_or(Lsn()) : Lsn();
  }

  inline static std::unique_ptr<PgServer> source_;
  inline static std::unique_ptr<PgServer> target_;
};

TEST_F(CleanupTest, DropsTheOriginOfAFollowAndNotItsSlot) {
  Control control;
  EventRecorder events;
  ASSERT_OK(RunFollow({.endpoints = Both(),
                       .slot = "slot",
                       .publications = {"pub"},
                       .until_lsn = Now()},
                      control, events));
  EXPECT_THAT(Cleanup(),
              IsOkAndHolds(::testing::ElementsAre(
                  ::testing::AllOf(
                      ::testing::StartsWith("target: origin walferry_test_"),
                      ::testing::EndsWith(" dropped")),
                  "target: ledger of migration test forgotten")));
  ExpectNothingOnTarget();
  EXPECT_THAT(source_->QueryValue("SELECT count(*) FROM pg_replication_slots"),
              IsOkAndHolds("1"));
}

TEST_F(CleanupTest, TouchesNoOtherSource) {
  ASSERT_OK_AND_ASSIGN(PgConnection target, OpenTarget());
  Ledger ledger(target, {.migration = "test"});
  ASSERT_OK(ledger.Create());
  ASSERT_OK(ledger.Start({.kind = "migrate",
                          .phase = "follow",
                          .source_system_identifier = "1",
                          .source_dbname = "app"}));
  ASSERT_OK(ledger.AddObject(
      {.side = Side::kSource, .kind = "slot", .identity = "slot"}));
  const absl::Status status = Cleanup().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("but the migration was begun with app of "
                                   "system 1"));
  EXPECT_THAT(source_->QueryValue("SELECT count(*) FROM pg_replication_slots"),
              IsOkAndHolds("1"));
  EXPECT_THAT(ledger.Exists(), IsOkAndHolds(true));
}

TEST_F(CleanupTest, WaitsForTheWalsenderThatItEnds) {
  ASSERT_OK_AND_ASSIGN(PgConnection target, OpenTarget());
  Ledger ledger(target, {.migration = "test"});
  ASSERT_OK(ledger.Create());
  ASSERT_OK_AND_ASSIGN(
      const std::string system,
      source_->QueryValue("SELECT system_identifier FROM pg_control_system()"));
  ASSERT_OK(ledger.Start({.kind = "migrate",
                          .phase = "follow",
                          .source_system_identifier = system,
                          .source_dbname = "app"}));
  ASSERT_OK(ledger.AddObject(
      {.side = Side::kSource, .kind = "slot", .identity = "slot"}));
  ASSERT_OK_AND_ASSIGN(PgConnection walsender,
                       PgConnection::Open({.conninfo = source_->ConnInfo("app"),
                                           .replication = true}));
  ASSERT_OK_AND_ASSIGN(
      const auto stream,
      ReplicationStream::Start(std::move(walsender),
                               {.slot = "slot", .publications = {"pub"}}));
  EXPECT_THAT(Cleanup(), ::testing::Not(IsOk()));
  // Told to end, it does not at once.
  ASSERT_OK_AND_ASSIGN(
      const std::string text,
      source_->QueryValue("SELECT active_pid FROM pg_replication_slots"));
  pid_t pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(text, &pid));
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  auto cleaned = std::async(std::launch::async, [&] { return Cleanup(true); });
  const bool told = WaitUntil([&] {
    return source_->QueryValue(
                      "SELECT count(*) FROM pg_stat_activity WHERE state = "
                      "'idle' "
                      "AND application_name = 'walferry test: cleanup' AND "
                      "query LIKE "
                      "'%pg_terminate_backend%'")
                   .value_or("0") == "1" ||
           cleaned.wait_for(std::chrono::seconds(0)) ==
               std::future_status::ready;
  });
  kill(pid, SIGCONT);
  EXPECT_TRUE(told);
  EXPECT_THAT(cleaned.get(), IsOkAndHolds(::testing::ElementsAre(
                                 "source: slot slot dropped",
                                 "target: ledger of migration test "
                                 "forgotten")));
}

TEST_F(CleanupTest, LeavesTheLedgerToAMigrationThatBeginsMeanwhile) {
  ASSERT_OK_AND_ASSIGN(PgConnection ours, OpenTarget());
  Ledger ending(ours, {.migration = "ending"});
  ASSERT_OK(ending.Create());
  ASSERT_OK(ending.Start({.kind = "migrate", .phase = "follow"}));
  ASSERT_OK_AND_ASSIGN(PgConnection theirs, OpenTarget());
  Ledger beginning(theirs, {.migration = "beginning"});
  ASSERT_OK(theirs.Exec("BEGIN"));
  ASSERT_OK(beginning.Start({.kind = "migrate", .phase = "prepare"}));
  auto forgotten =
      std::async(std::launch::async, [&] { return ending.Forget(); });
  EXPECT_TRUE(WaitUntil([&] {
    return target_->QueryValue(kWaitsForTable, "app").value_or("f") == "t";
  }));
  ASSERT_OK(theirs.Exec("COMMIT"));
  EXPECT_OK(forgotten.get());
  EXPECT_THAT(beginning.Exists(), IsOkAndHolds(true));
  // And the last one takes all with it.
  ASSERT_OK(beginning.Forget());
  ExpectNothingOnTarget();
}

TEST_F(CleanupTest, LeavesAMigrationAloneThatHasTheNameOfAReplay) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const ReplayOptions options{.input = directory.path() + "/record",
                              .target = target_->ConnInfo("app"),
                              .ledger_schema = "walferry"};
  Control control;
  ASSERT_OK(RunCapture({.source = source_->ConnInfo("app"),
                        .publications = {"pub"},
                        .slot = "slot",
                        .output = options.input,
                        .until_lsn = Now()},
                       control, [](const CaptureReport&) {}));
  ASSERT_OK_AND_ASSIGN(PgConnection target, OpenTarget());
  Ledger ledger(target, {.migration = "replay"});
  ASSERT_OK(ledger.Create());
  ASSERT_OK(
      ledger.Start({.kind = "migrate", .phase = "copy", .slot = "theirs"}));
  const absl::Status taken = RunReplay(options, control).status();
  EXPECT_THAT(taken, StatusIs(absl::StatusCode::kAlreadyExists,
                              "target: the name replay is taken by a migrate "
                              "of slot theirs"));
  EXPECT_EQ(HintOf(taken), "name another schema with --ledger-schema");
  EXPECT_THAT(ledger.Exists(), IsOkAndHolds(true));
}

}  // namespace
}  // namespace walferry
