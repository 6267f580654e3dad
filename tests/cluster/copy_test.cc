#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

class CopyTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
  }
  std::unique_ptr<PgServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Servers, CopyTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(CopyTest, CarriesATable) {
  ASSERT_OK_AND_ASSIGN(auto pair, CopyPair::Create(*server_));
  ASSERT_OK(pair->Both("CREATE TABLE t (id int PRIMARY KEY, x text)"));
  ASSERT_OK(pair->Source(
      "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, "
      "100000) i"));
  ASSERT_OK(pair->Begin());
  pair->copy.split_bytes = 1 << 20;
  ASSERT_OK_AND_ASSIGN(const CopyTotals totals, pair->Copy());
  EXPECT_EQ(totals.rows, 100000);
  EXPECT_TRUE(pair->Equal());
  EXPECT_EQ(totals.items, 14);
}

}  // namespace
}  // namespace walferry
