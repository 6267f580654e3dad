#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

class CheckToolsTest : public CheckTest {};

TEST_P(CheckToolsTest, LooksForAPgDumpThatIsNewEnough) {
  EXPECT_THAT(
      Found(RunCheck(), "pg-dump"),
      ElementsAre(absl::StrCat("ok client: pg_dump 99.0, ", options_.pg_dump,
                               ", reads the schema")));
  UseClient("12.22");
  const int major = source_->major_version();
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "pg-dump"),
              ElementsAre(absl::StrCat(
                  "blocking client: no pg_dump is new enough: the source is "
                  "PostgreSQL ",
                  major, " and the target ", major, ", found 12.22 (",
                  options_.pg_dump, ")")));
  EXPECT_EQ(HintFor(report, "pg-dump"),
            absl::StrCat("install the package postgresql-client-", major,
                         ", or name a newer pg_dump with --pg-dump"));
  EXPECT_EQ(report.Blocking({"pg-dump"}).size(), 1u);
}

TEST_P(CheckToolsTest, SaysThatTheNamedPgDumpIsNotThere) {
  options_.pg_dump = "/nowhere/pg_dump";
  const CheckReport report = RunCheck();
  EXPECT_THAT(
      Found(report, "pg-dump"),
      ElementsAre("blocking client: run /nowhere/pg_dump: No such file or "
                  "directory"));
  EXPECT_EQ(HintFor(report, "pg-dump"),
            "name the program itself with --pg-dump, or leave the option out: "
            "it is looked for on PATH and in the distribution's folders");
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckToolsTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
