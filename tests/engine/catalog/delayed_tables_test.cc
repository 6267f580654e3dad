#include "engine/catalog/delayed_tables.h"

#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MigrateOptions Delaying() {
  MigrateOptions options;
  options.mode = MigrateMode::kOffline;
  options.scope.delay_table_data = {"log"};
  return options;
}

TEST(DelayedTables, GoWithAnOrdinaryOfflineMigrationOnly) {
  EXPECT_OK(CheckMayDelay(Delaying()));
  const struct {
    std::function<void(MigrateOptions&)> change;
    std::string error;
  } kCases[] = {{[](auto& options) { options.mode = MigrateMode::kOnline; },
                 "--delay-table-data goes with --mode offline only"},
                {[](auto& options) { options.scope.part = ScopePart::kSchema; },
                 "--delay-table-data does not go with --schema-only"},
                {[](auto& options) { options.scope.part = ScopePart::kRows; },
                 "--delay-table-data does not go with --data-only"},
                {[](auto& options) { options.inserts = true; },
                 "--delay-table-data does not go with --inserts"},
                {[](auto& options) { options.sequence_sync = false; },
                 "--delay-table-data does not go with --no-sequence-sync"}};
  for (const auto& [change, error] : kCases) {
    MigrateOptions options = Delaying();
    change(options);
    const absl::Status refused = CheckMayDelay(options);
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, error));
    EXPECT_NE(HintOf(refused), "");
    options.scope.delay_table_data.clear();
    EXPECT_OK(CheckMayDelay(options));
  }
}

TEST(DelayedTables, AreNamedWithTheirDatabaseWhereAllAreMoved) {
  const std::vector<std::string> patterns = {"shop.log", "s*.audit.*", "*.x"};
  EXPECT_OK(CheckDelayPatterns(patterns));
  EXPECT_THAT(DelayPatternsOf(patterns, "shop"),
              ElementsAre("log", "audit.*", "x"));
  EXPECT_THAT(DelayPatternsOf(patterns, "other"), ElementsAre("x"));
  EXPECT_THAT(DelayPatternsOf({"a.b"}, "b"), IsEmpty());
  EXPECT_THAT(CheckDelayPatterns({"log"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "delay-table-data pattern \"log\" names no database"));
  EXPECT_THAT(CheckDelayPatterns({".log"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "delay-table-data pattern \".log\": \"\" is empty"));
  EXPECT_THAT(
      CheckDelayPatterns({"a.b["}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "delay-table-data pattern \"b[\" has a [ without its ]"));
}

}  // namespace
}  // namespace walferry
