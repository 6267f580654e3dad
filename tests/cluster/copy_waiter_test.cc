// Somebody on the source waits for what the copy keeps locked.

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "engine/event.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(CopyWaiter, IsToldOfAndThenGivenWayTo) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PgServer> server,
                       PgServer::Start());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<CopyPair> pair,
                       CopyPair::Create(*server));
  pair->copy.progress_interval = absl::Milliseconds(20);
  pair->copy.waiter_patience = absl::Milliseconds(400);
  ASSERT_OK(
      pair->Both("CREATE TABLE held (id int PRIMARY KEY);"
                 "CREATE TABLE wanted (id int PRIMARY KEY)"));
  ASSERT_OK(pair->Source(
      "INSERT INTO held VALUES (1); INSERT INTO wanted VALUES (1)"));
  ASSERT_OK(pair->Begin());
  // The copy stands still: nothing but its guard is in the way.
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(pair->target_conninfo()));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE held IN SHARE MODE"));
  Control control;
  auto copy = std::async(std::launch::async, [&] {
    return pair->CopyUntilStopped(control).status();
  });
  auto truncation = std::async(std::launch::async, [&] {
    absl::StatusOr<SqlConnection> connection =
        SqlConnection::Open(pair->source_conninfo());
    return connection.ok() ? connection->Exec("TRUNCATE wanted")
                           : connection.status();
  });
  EXPECT_THAT(copy.get(),
              StatusIs(absl::StatusCode::kAborted,
                       AllOf(HasSubstr(" waits for the lock on public.wanted "
                                       "that the copy holds, for "),
                             HasSubstr("gives way"))));
  EXPECT_TRUE(pair->events.WaitFor<Notice>([](const Notice& notice) {
    return notice.text.find("the copy gives way after 400ms") !=
           std::string::npos;
  }));
  pair->snapshot.reset();
  EXPECT_OK(truncation.get());
  ASSERT_OK(holder.Exec("ROLLBACK"));
  ASSERT_OK(pair->Resume());
  ASSERT_OK(pair->Copy());
  EXPECT_TRUE(pair->Equal());
}

}  // namespace
}  // namespace walferry
