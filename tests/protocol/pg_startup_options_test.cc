#include "protocol/pg_startup_options.h"

#include <stdlib.h>

#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

class OptionsWithSettingTest : public ::testing::Test {
 protected:
  void SetUp() override { unsetenv("PGOPTIONS"); }
  void TearDown() override { unsetenv("PGOPTIONS"); }
};

TEST_F(OptionsWithSettingTest, PutsItBehindWhatIsAskedForAlready) {
  EXPECT_THAT(OptionsWithSetting("host=/tmp", "a=1"),
              IsOkAndHolds("options='-c a=1'"));
  EXPECT_THAT(OptionsWithSetting("host=/tmp options='-c b=it\\'s'", "a=1"),
              IsOkAndHolds("options='-c b=it\\'s -c a=1'"));
  setenv("PGOPTIONS", "-c c=3", 1);
  EXPECT_THAT(OptionsWithSetting("host=/tmp", "a=1"),
              IsOkAndHolds("options='-c c=3 -c a=1'"));
}

}  // namespace
}  // namespace walferry
