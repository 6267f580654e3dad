#include "engine/server/replication_budget.h"

#include <string>

#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

constexpr int kReaders = 2;

TEST(ReplicationBudget, NamesSlotsAfterTheDatabase) {
  EXPECT_EQ(DatabaseSlotName("move", "16385"), "walferry_move_16385");
  EXPECT_LE(DatabaseSlotName(std::string(40, 'x'), "4294967295").size(), 63u);
}

TEST(ReplicationBudget, NeedsASlotAndAWalsenderForEachDatabase) {
  const ReplicationRoom room = {.wal_level = "logical",
                                .max_slots = 10,
                                .slots_in_use = 7,
                                .max_senders = 5,
                                .senders_in_use = 1};
  EXPECT_OK(CheckWalLevel(room));
  EXPECT_OK(CheckSlots(room, 3, kReaders));
  EXPECT_OK(CheckSenders(room, 4, kReaders));
  const absl::Status slots = CheckSlots(room, 4, kReaders);
  EXPECT_THAT(slots, StatusIs(absl::StatusCode::kFailedPrecondition,
                              "4 replication slots are needed, one for each "
                              "database, and 3 are free: "
                              "max_replication_slots is 10, 7 are in use"));
  EXPECT_EQ(HintOf(slots),
            "ALTER SYSTEM SET max_replication_slots = 13; and restart the "
            "server, or move fewer databases");
  EXPECT_THAT(CheckSenders(room, 5, kReaders),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "5 walsenders are needed, one for each database, and 4 "
                       "are free: max_wal_senders is 5, 1 are in use"));
}

TEST(ReplicationBudget, NeedsALogThatCanBeDecoded) {
  EXPECT_THAT(CheckWalLevel({.wal_level = "replica"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "wal_level is replica, not logical"));
}

}  // namespace
}  // namespace walferry
