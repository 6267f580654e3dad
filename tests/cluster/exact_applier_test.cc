#include "apply/exact_applier.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/replica_pair.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

class ExactApplierTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    ASSERT_OK_AND_ASSIGN(pair_, ReplicaPair::Create(*server_));
  }

  std::unique_ptr<PgServer> server_;
  std::unique_ptr<ReplicaPair> pair_;
};

INSTANTIATE_TEST_SUITE_P(Servers, ExactApplierTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(ExactApplierTest, AppliesInsertsUpdatesAndDeletes) {
  ASSERT_OK(pair_->Both("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair_->Source("INSERT INTO t SELECT i, 'x' || i FROM "
                    "generate_series(1, 100) i"));
  ASSERT_OK(pair_->Source("UPDATE t SET v = 'y' WHERE id % 2 = 0"));
  ASSERT_OK(pair_->Source("UPDATE t SET id = id + 1000 WHERE id % 10 = 0"));
  ASSERT_OK(pair_->Source("DELETE FROM t WHERE id % 3 = 0"));
  ASSERT_OK_AND_ASSIGN(const ApplyCounts counts, pair_->Replicate());
  EXPECT_EQ(counts.inserts, 100);
  EXPECT_EQ(counts.updates, 60);
  EXPECT_EQ(counts.transactions, 4);
  EXPECT_TRUE(pair_->Equal());
}

}  // namespace
}  // namespace walferry
