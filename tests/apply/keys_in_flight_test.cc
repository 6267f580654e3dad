#include "apply/keys_in_flight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walferry {
namespace {

using ::testing::ElementsAre;

KeysInFlight::Batch BatchOf(std::vector<uint64_t> keys, bool wall = false) {
  KeysInFlight::Batch batch;
  batch.keys = std::move(keys);
  batch.wall = wall;
  return batch;
}

TEST(KeysInFlight, SaysWhichKeysOlderBatchesHave) {
  KeysInFlight in_flight;
  KeysInFlight::Batch first = BatchOf({1, 2, 1});
  in_flight.Enter(first);
  EXPECT_THAT(first.held, ElementsAre(false, false, false));
  KeysInFlight::Batch second = BatchOf({3, 2, 2});
  in_flight.Enter(second);
  // The first time is enough: behind it the batch knows by itself.
  EXPECT_THAT(second.held, ElementsAre(false, true, false));
  KeysInFlight::Batch third = BatchOf({1, 2, 3, 4});
  in_flight.Enter(third);
  EXPECT_THAT(third.held, ElementsAre(true, true, true, false));
}

TEST(KeysInFlight, AKeyIsFreeOnceItsLastBatchIsCommitted) {
  KeysInFlight in_flight;
  KeysInFlight::Batch first = BatchOf({1, 2});
  KeysInFlight::Batch second = BatchOf({2});
  in_flight.Enter(first);
  in_flight.Enter(second);
  in_flight.Leave(first);
  KeysInFlight::Batch third = BatchOf({1, 2});
  in_flight.Enter(third);
  EXPECT_THAT(third.held, ElementsAre(false, true));
  in_flight.Leave(second);
  in_flight.Leave(third);
  KeysInFlight::Batch fourth = BatchOf({1, 2});
  in_flight.Enter(fourth);
  EXPECT_THAT(fourth.held, ElementsAre(false, false));
}

TEST(KeysInFlight, WhatIsBehindAWallWaits) {
  KeysInFlight in_flight;
  KeysInFlight::Batch wall = BatchOf({}, true);
  in_flight.Enter(wall);
  EXPECT_FALSE(wall.behind_wall);
  KeysInFlight::Batch second = BatchOf({1});
  in_flight.Enter(second);
  EXPECT_TRUE(second.behind_wall);
  in_flight.Leave(wall);
  KeysInFlight::Batch third = BatchOf({1});
  in_flight.Enter(third);
  EXPECT_FALSE(third.behind_wall);
  EXPECT_THAT(third.held, ElementsAre(true));
}

}  // namespace
}  // namespace walferry
