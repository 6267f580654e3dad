#ifndef TESTS_TESTING_REPLICA_PAIR_TEST_H_
#define TESTS_TESTING_REPLICA_PAIR_TEST_H_

// A test with a ReplicaPair on every PostgreSQL server that there is, once with
// changes applied one by one and once in sets, however few they are.
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

struct ReplicaPairParam {
  std::string bin_dir;
  bool sets = false;
};

class ReplicaPairTest : public ::testing::TestWithParam<ReplicaPairParam> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_,
                         PgServer::Start({.bin_dir = GetParam().bin_dir}));
    ASSERT_NO_FATAL_FAILURE(UsePair({}));
  }

  // Instead of the pair that is there.
  void UsePair(ReplicaPairOptions options) {
    pair_.reset();
    options.applier = ApplierOptions();
    ASSERT_OK_AND_ASSIGN(pair_,
                         ReplicaPair::Create(*server_, std::move(options)));
  }

  static BatchApplierOptions ApplierOptions() {
    return {.sets = GetParam().sets,
            .min_set_changes = 1,
            .min_changes_per_apart = 1,
            .min_copy_rows = 2};
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

inline std::vector<ReplicaPairParam> AllPairs() {
  std::vector<ReplicaPairParam> params;
  for (const std::string& bin_dir : TestServerBinDirs()) {
    for (const bool sets : {false, true}) {
      params.push_back({.bin_dir = bin_dir, .sets = sets});
    }
  }
  return params;
}

}  // namespace walferry

#define INSTANTIATE_REPLICA_PAIR_TEST(suite)                             \
  INSTANTIATE_TEST_SUITE_P(Servers, suite,                               \
                           ::testing::ValuesIn(::walferry::AllPairs()),  \
                           [](const auto& test) {                        \
                             return ServerName(test.param.bin_dir) +     \
                                    (test.param.sets ? "sets" : "rows"); \
                           })

#endif  // TESTS_TESTING_REPLICA_PAIR_TEST_H_
