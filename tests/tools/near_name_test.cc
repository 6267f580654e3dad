#include "tools/near_name.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

constexpr absl::string_view kNames[] = {"jobs", "index-jobs", "source",
                                        "split-size", "exclude-table-data"};

TEST(NearestName, FindsTypingMistakes) {
  EXPECT_EQ(NearestName("jbos", kNames), "jobs");  // Swapped.
  EXPECT_EQ(NearestName("job", kNames), "jobs");   // Cut off.
  EXPECT_EQ(NearestName("soruce", kNames), "source");
  EXPECT_EQ(NearestName("sourcce", kNames), "source");
  EXPECT_EQ(NearestName("splitsize", kNames), "split-size");
  EXPECT_EQ(NearestName("exclude-table-d", kNames), "exclude-table-data");
  // As near to both.
  for (const std::vector<absl::string_view>& modes :
       {std::vector<absl::string_view>{"online", "offline"},
        {"offline", "online"}}) {
    EXPECT_EQ(NearestName("ofline", modes), "offline");
    EXPECT_EQ(NearestName("onlne", modes), "online");
  }
}

TEST(NearestName, DoesNotGuessWildly) {
  EXPECT_EQ(NearestName("verbose", kNames), "");
  EXPECT_EQ(NearestName("xy", kNames), "");
  EXPECT_EQ(NearestName("", kNames), "");
  EXPECT_EQ(NearestName(std::string(10000, 'j'), kNames), "");
  EXPECT_EQ(NearestName("jobs", {}), "");
}

}  // namespace
}  // namespace walferry
