// A run that gets no further ends after retry_for, wherever it stands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/cluster/migrate_fixture.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Each attempt finds the schema, the rows and the other indexes done.
TEST_F(MigrateTest, GivesUpAnIndexThatATargetWithoutRoomCannotBuild) {
  ASSERT_OK(OnSource(
      "CREATE FUNCTION fill(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS "
      "$$ BEGIN IF current_setting('test.crammed', true) = 'on' THEN RAISE "
      "'no space left on device' USING ERRCODE = 'disk_full'; END IF; RETURN "
      "id; END $$;"
      "CREATE TABLE filling (id int PRIMARY KEY); INSERT INTO filling VALUES "
      "(1); CREATE INDEX filler ON filling (public.fill(id))"));
  ASSERT_OK(target_->Exec("ALTER DATABASE app SET test.crammed = 'on'"));
  MigrateOptions options = Options();
  options.stream.retry_for = absl::Seconds(2);
  const absl::Status status = Migrate(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("given up after"), HasSubstr("filler"),
                    HasSubstr("no space left on device")));
  // There is room again: the same command goes on.
  ASSERT_OK(target_->Exec("ALTER DATABASE app RESET test.crammed"));
  options.cutover = CutoverMode::kAuto;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
}

}  // namespace
}  // namespace walferry
