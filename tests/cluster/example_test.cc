// The example of docs/ does what it says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

TEST(Example, MovesADatabase) {
  ASSERT_OK_AND_ASSIGN(const auto source, PgServer::Start());
  ASSERT_OK_AND_ASSIGN(const auto target, PgServer::Start());
  ASSERT_OK(source->Exec(
      "CREATE TABLE t AS SELECT i FROM generate_series(1, 100) i; ALTER TABLE "
      "t ADD PRIMARY KEY (i)"));
  ASSERT_OK_AND_ASSIGN(
      const CommandResult result,
      RunCommand(
          {.command = {EmbedExample(), source->ConnInfo(), target->ConnInfo()}},
          absl::Minutes(2)));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output,
              ::testing::AllOf(::testing::HasSubstr("phase copy\n"),
                               ::testing::HasSubstr("phase cutover\n"),
                               ::testing::HasSubstr("copied 100 rows")));
  ExpectDatabasesEqual(source->ConnInfo(), target->ConnInfo());
}

}  // namespace
}  // namespace walferry
