#include "apply/stream_lock.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

// Two versions of walferry on one stream must ask for the same lock.
TEST(StreamLockKeyTest, NeverChanges) {
  EXPECT_EQ(StreamLockKeyOf("walferry", "app"),
            (StreamLockKey{.first = 2061820668, .second = -1512475026}));
}

TEST(StreamLockKeyTest, DiffersBetweenStreams) {
  EXPECT_NE(StreamLockKeyOf("walferry", "app"),
            StreamLockKeyOf("walferr", "yapp"));
  EXPECT_NE(StreamLockKeyOf("walferry", "app"),
            StreamLockKeyOf("walferry", "app2"));
}

TEST(StreamLockHolderTest, TellsWhatIsKnown) {
  StreamLockHolder holder{.pid = 4711};
  EXPECT_EQ(holder.ToString(), "process 4711");
  holder.application_name = "walferry";
  EXPECT_EQ(holder.ToString(), "process 4711 (\"walferry\")");
  holder.client_address = "10.0.0.7";
  EXPECT_EQ(holder.ToString(), "process 4711 (\"walferry\" at 10.0.0.7)");
}

}  // namespace
}  // namespace walferry
