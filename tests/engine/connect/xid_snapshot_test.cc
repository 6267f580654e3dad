#include "engine/connect/xid_snapshot.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(XidSnapshot, ReadsWhatTheServerPrints) {
  ASSERT_OK_AND_ASSIGN(const XidSnapshot snapshot,
                       XidSnapshot::Parse("4294967296:4294967300:4294967296,"
                                          "4294967298"));
  EXPECT_EQ(snapshot.xmin, 4294967296u);
  EXPECT_EQ(snapshot.xmax, 4294967300u);
  EXPECT_THAT(snapshot.running, ElementsAre(4294967296u, 4294967298u));
  EXPECT_EQ(snapshot.ToString(), "4294967296:4294967300:4294967296,4294967298");
}

TEST(XidSnapshot, SeesWhatHadEndedWhenItWasTaken) {
  ASSERT_OK_AND_ASSIGN(const XidSnapshot snapshot,
                       XidSnapshot::Parse("4294967290:4294967300:4294967291,"
                                          "4294967298"));
  EXPECT_TRUE(snapshot.Sees(4294967289u));
  EXPECT_TRUE(snapshot.Sees(4294967290u));
  EXPECT_FALSE(snapshot.Sees(4294967291u));
  EXPECT_TRUE(snapshot.Sees(4294967292u));
  // Of the next epoch.
  EXPECT_TRUE(snapshot.Sees(1));
  EXPECT_FALSE(snapshot.Sees(2));
  EXPECT_TRUE(snapshot.Sees(3));
  EXPECT_FALSE(snapshot.Sees(4));
  EXPECT_FALSE(snapshot.Sees(100));
}

TEST(XidSnapshot, MayHaveNobodyRunning) {
  ASSERT_OK_AND_ASSIGN(const XidSnapshot snapshot, XidSnapshot::Parse("7:7:"));
  EXPECT_THAT(snapshot.running, IsEmpty());
  EXPECT_EQ(snapshot.ToString(), "7:7:");
}

TEST(XidSnapshot, RaisesAnXmaxThatLiesBeforeXmin) {
  ASSERT_OK_AND_ASSIGN(const XidSnapshot snapshot,
                       XidSnapshot::Parse("7315:7313:"));
  EXPECT_EQ(snapshot.ToString(), "7315:7315:");
}

TEST(XidSnapshot, RejectsEverythingElse) {
  for (const char* const text :
       {"", "1", "1:2", "1:2:3:4", "a:2:", "1:b:", "1:2:c", "1:2:3,d"}) {
    EXPECT_THAT(XidSnapshot::Parse(text),
                StatusIs(absl::StatusCode::kInternal,
                         absl::StrCat("not a snapshot: \"", text, "\"")));
  }
}

}  // namespace
}  // namespace walferry
