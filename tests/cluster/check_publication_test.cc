// A publication of the user's own.

#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

class CheckPublicationTest : public CheckTest {};

TEST_P(CheckPublicationTest, MustNotPublishGeneratedColumns) {
  if (!ServerIsAtLeast(18)) GTEST_SKIP() << "no server publishes them";
  OnSource(R"(CREATE TABLE plain (a int PRIMARY KEY);
      CREATE TABLE t (a int PRIMARY KEY,
        b int GENERATED ALWAYS AS (a + 1) STORED);
      CREATE PUBLICATION mine FOR ALL TABLES
        WITH (publish_generated_columns = stored))");
  options_.publication = "mine";
  EXPECT_THAT(Found(RunCheck(), "publication"),
              ElementsAre("blocking source: publication mine publishes "
                          "generated columns (publish_generated_columns) of "
                          "public.t"));
  OnSource("DROP TABLE t");
  EXPECT_THAT(Found(RunCheck(), "publication"),
              ElementsAre("ok source: publication mine publishes all that is "
                          "needed"));
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckPublicationTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
