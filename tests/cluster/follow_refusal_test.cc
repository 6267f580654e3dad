// RunFollow refuses what it could not follow, before it creates anything.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

TEST(FollowRefusal, OfASlotThatSendsPreparedTransactions) {
  ASSERT_OK_AND_ASSIGN(const auto source, PgServer::Start());
  ASSERT_OK_AND_ASSIGN(const auto target, PgServer::Start());
  ASSERT_OK(
      source->Exec("CREATE TABLE t (id int); CREATE PUBLICATION pub FOR TABLE "
                   "t"));
  ASSERT_OK(
      source->Exec("SELECT pg_create_logical_replication_slot('two', "
                   "'pgoutput', false, true)"));
  Control control;
  EventRecorder events;
  const absl::Status refused =
      RunFollow({.endpoints = {.source = source->ConnInfo(),
                               .target = target->ConnInfo()},
                 .slot = "two",
                 .publications = {"pub"}},
                control, events)
          .status();
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "source: slot two sends prepared transactions "
                       "(two_phase) before they are committed, and walferry "
                       "applies what is committed"));
  EXPECT_EQ(HintOf(refused),
            "a slot keeps that option: create it anew without it");
  EXPECT_THAT(target->QueryValue("SELECT count(*) FROM pg_namespace WHERE "
                                 "nspname LIKE 'walferry%'"),
              IsOkAndHolds("0"));
}

}  // namespace
}  // namespace walferry
