#include "engine/server/database_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

ServerMigrateOptions Options() {
  ServerMigrateOptions options;
  options.migrate.endpoints = {.source = "postgresql://old/postgres",
                               .target = "postgresql://new/postgres",
                               .name = "move"};
  options.migrate.jobs = 7;
  options.migrate.fast_target = true;
  options.delay_table_data = {"shop.log", "crm.public.notes", "*.old"};
  return options;
}

TEST(OptionsOfDatabase, AreThoseOfAllWithWhatIsItsOwn) {
  ASSERT_OK_AND_ASSIGN(
      const MigrateOptions migrate,
      OptionsOfDatabase(Options(), {.name = "shop", .oid = "16384"}));
  EXPECT_THAT(migrate.endpoints.source, ::testing::HasSubstr("shop"));
  EXPECT_THAT(migrate.endpoints.target, ::testing::HasSubstr("shop"));
  EXPECT_EQ(migrate.endpoints.name, "move");
  EXPECT_EQ(migrate.jobs, 7);
  EXPECT_EQ(migrate.slot, "walferry_move_16384");
  EXPECT_THAT(migrate.scope.delay_table_data,
              ::testing::ElementsAre("log", "old"));
  EXPECT_TRUE(migrate.of_server_move);
  EXPECT_FALSE(migrate.fast_target);
}

TEST(OptionsOfDatabase, HaveNoSlotOffline) {
  ServerMigrateOptions options = Options();
  options.migrate.mode = MigrateMode::kOffline;
  ASSERT_OK_AND_ASSIGN(
      const MigrateOptions migrate,
      OptionsOfDatabase(options, {.name = "shop", .oid = "16384"}));
  EXPECT_EQ(migrate.slot, "");
}

}  // namespace
}  // namespace walferry
