#ifndef TESTS_TESTING_REPLICA_PAIR_TEST_H_
#define TESTS_TESTING_REPLICA_PAIR_TEST_H_

// A test with a ReplicaPair on every PostgreSQL server that there is.
//
//   using MyTest = ReplicaPairTest;
//   INSTANTIATE_REPLICA_PAIR_TEST(MyTest);
//   TEST_P(MyTest, DoesSomething) {
//     ASSERT_OK(pair().Source("..."));
//     ExpectReplicates();
//   }

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/replica_pair.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

class ReplicaPairTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    ASSERT_OK_AND_ASSIGN(pair_, ReplicaPair::Create(*server_));
  }

  // Instead of the pair that is there.
  void UsePair(ReplicaPairOptions options) {
    pair_.reset();
    ASSERT_OK_AND_ASSIGN(pair_,
                         ReplicaPair::Create(*server_, std::move(options)));
  }

  PgServer& server() { return *server_; }
  ReplicaPair& pair() { return *pair_; }

  void ExpectReplicates() {
    ASSERT_OK(pair().Replicate());
    ASSERT_TRUE(pair().Equal());
  }
  // The operator has to act, and is told so.
  void ExpectFails(absl::string_view text) {
    EXPECT_THAT(pair().Replicate(),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         ::testing::HasSubstr(std::string(text))));
  }

  // One value from the target, or the error in its place.
  std::string TargetValue(const std::string& sql) {
    const absl::StatusOr<std::string> value = pair().target().QueryValue(sql);
    return value.ok() ? *value : value.status().ToString();
  }

  // Tables on both sides. A server before 15 tells of them as empty
  // transactions: left out, for tests that count.
  absl::Status CreateTables(const std::string& sql) {
    RETURN_IF_ERROR(pair().Both(sql));
    return pair().Receive().status();
  }
  // What came in since the last call, in one batch.
  std::unique_ptr<ChangeBatch> ReceiveBatch() {
    const absl::StatusOr<std::vector<std::string>> messages = pair().Receive();
    EXPECT_OK(messages);
    absl::StatusOr<std::unique_ptr<ChangeBatch>> batch =
        pair().Build(*messages);
    EXPECT_OK(batch);
    return *std::move(batch);
  }

 private:
  std::unique_ptr<PgServer> server_;
  std::unique_ptr<ReplicaPair> pair_;
};

}  // namespace walferry

#define INSTANTIATE_REPLICA_PAIR_TEST(suite)                    \
  INSTANTIATE_TEST_SUITE_P(                                     \
      Servers, suite, ::testing::ValuesIn(TestServerBinDirs()), \
      [](const auto& test) { return ServerName(test.param); })

#endif  // TESTS_TESTING_REPLICA_PAIR_TEST_H_
