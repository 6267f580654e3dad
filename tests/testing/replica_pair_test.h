#ifndef TESTS_TESTING_REPLICA_PAIR_TEST_H_
#define TESTS_TESTING_REPLICA_PAIR_TEST_H_

// A test with a ReplicaPair on every PostgreSQL server that there is.
//
//   using MyTest = ReplicaPairTest;
//   INSTANTIATE_REPLICA_PAIR_TEST(MyTest);
//   TEST_P(MyTest, DoesSomething) { ASSERT_OK(pair().Source("...")); }

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
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
