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

class CopyExtensionTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Servers, CopyExtensionTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(CopyExtensionTest, CarriesTheUsersRowsOfAConfigurationTable) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       PgServer::Start({.bin_dir = GetParam()}));
  ASSERT_OK_AND_ASSIGN(auto pair, CopyPair::Create(*server));
  // Rows up to 1000 are the extension's, which the target has already, in its
  // own version.
  ASSERT_OK(pair->Both(R"(CREATE TABLE config (id int PRIMARY KEY, x text);
      ALTER EXTENSION plpgsql ADD TABLE config;
      UPDATE pg_extension SET extconfig = ARRAY['config'::regclass::oid],
        extcondition = ARRAY['WHERE id > 1000'] WHERE extname = 'plpgsql')"));
  ASSERT_OK(pair->Source(
      "INSERT INTO config SELECT i, 'old' FROM generate_series(1, 50000) i"));
  ASSERT_OK(pair->Target(
      "INSERT INTO config SELECT i, 'new' FROM generate_series(1, 1000) i"));
  ASSERT_OK(pair->Begin());
  // Too small for the table, were it an ordinary one.
  pair->copy.split_bytes = 1 << 17;
  ASSERT_OK_AND_ASSIGN(const CopyTotals totals, pair->Copy());
  EXPECT_EQ(totals.rows, 49000);
  EXPECT_EQ(totals.items, 1);
  EXPECT_THAT(
      pair->target().QueryValue(
          "SELECT string_agg(x || ' ' || n, ', ' ORDER BY x) FROM (SELECT x,"
          " count(*) AS n FROM config GROUP BY x) c"),
      IsOkAndHolds("new 1000, old 49000"));
}

}  // namespace
}  // namespace walferry
