// Large objects, which only an offline migration carries.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(OfflineTest, LeavesALargeObjectAloneThatIsNotItsOwn) {
  ASSERT_OK(OnSource(kLargeObjects));
  ASSERT_OK(OnTarget(
      "CREATE ROLE reader; SELECT lo_from_bytea(7002, '\\x0001ff5c23')"));
  const absl::Status status = Migrate(Options()).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("large objects 7001 to 7003: target: ")));
  EXPECT_THAT(HintOf(status), HasSubstr("lo_unlink"));
  EXPECT_THAT(TargetValue("SELECT lo_get(7002)"),
              IsOkAndHolds("\\x0001ff5c23"));
  ASSERT_OK(OnTarget("SELECT lo_unlink(7002); SELECT lo_create(7009)"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(),
              Contains("the target has large objects that the source does not "
                       "have, and keeps them: 7009"));
  EXPECT_THAT(TargetValue("SELECT md5(lo_get(7003))"),
              IsOkAndHolds(*SourceValue("SELECT md5(lo_get(7003))")));
}

// All are of the state that the last run has seen.
TEST_F(OfflineTest, CopiesLargeObjectsAnewWhenItGoesOn) {
  ASSERT_OK(OnSource(kLargeObjects));
  // A hundred more, so that there are two pieces; the second one fails.
  ASSERT_OK(
      OnSource("SELECT lo_create(oid) FROM generate_series(7101, 7200) oid"));
  ASSERT_OK(OnTarget("CREATE ROLE reader; SELECT lo_create(7200)"));
  EXPECT_THAT(Migrate(Options()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("large objects 7162 to 7200")));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("65"));
  ASSERT_OK(OnTarget("SELECT lo_unlink(7200)"));
  ASSERT_OK(OnSource(
      "SELECT lo_unlink(7001); SELECT lo_put(7002, 1, '\\x77'); REVOKE SELECT "
      "ON LARGE OBJECT 7002 FROM reader; COMMENT ON LARGE OBJECT 7003 IS "
      "NULL"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(), Contains("resuming: 64 large objects of an earlier "
                                  "run are copied anew"));
  EXPECT_EQ(TargetValue(kLargeObjectFacts).value(),
            SourceValue(kLargeObjectFacts).value());
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const MigrationStatus status,
      RunStatus({.target = target_->ConnInfo("app"), .name = "test"}, control));
  EXPECT_EQ(status.steps_done, status.steps_total);
}

TEST_F(OfflineTest, ChecksThatLargeObjectsMayBeRead) {
  ASSERT_OK(OnSource(kLargeObjects));
  ASSERT_OK(OnTarget("CREATE ROLE reader"));
  ASSERT_OK(
      OnSource("CREATE ROLE reading LOGIN; GRANT pg_read_all_data TO "
               "reading; GRANT reader TO reading"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reading", "", "app");
  Control control;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = options}, control));
  std::vector<std::string> blocking;
  for (const Finding* finding : report.Blocking({})) {
    blocking.push_back(finding->text);
  }
  EXPECT_THAT(blocking, testing::ElementsAre(
                            "the role may not read 1 of 3 large objects"));
}

// They belong to the whole database.
TEST_F(OfflineTest, CarriesNoLargeObjectsWithAPartOfTheDatabase) {
  ASSERT_OK(OnSource(kLargeObjects));
  MigrateOptions options = Options();
  options.scope.tables = {"accounts"};
  EXPECT_THAT(Migrate(options).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("[large-object]")));
  options.accept = {"large-object"};
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(options));
  // Whoever reads the report later has accepted nothing.
  EXPECT_THAT(report.remarks,
              testing::Contains(testing::AllOf(
                  HasSubstr("large objects"),
                  HasSubstr("which was accepted (--accept large-object)"))));
  EXPECT_THAT(Notices(),
              testing::Contains(HasSubstr("(--accept large-object)")));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"),
              IsOkAndHolds("3000"));
}

}  // namespace
}  // namespace walferry
