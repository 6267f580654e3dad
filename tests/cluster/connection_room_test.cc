// ReadConnectionRoom: what a server has left for a role.

#include <memory>
#include <string>
#include <vector>

#include "engine/server/connection_budget.h"
#include "gtest/gtest.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

class ConnectionRoomTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Servers, ConnectionRoomTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(ConnectionRoomTest, IsCountedForTheRoleThatAsks) {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"max_connections", "30"}, {"superuser_reserved_connections", "4"}};
  ASSERT_OK_AND_ASSIGN(const int version, ServerMajorVersion(GetParam()));
  if (version >= 16) settings.emplace_back("reserved_connections", "5");
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      PgServer::Start({.bin_dir = GetParam(), .settings = settings}));
  ASSERT_OK(server->Exec("CREATE ROLE mover LOGIN CONNECTION LIMIT 9"));
  ASSERT_OK_AND_ASSIGN(const SqlConnection others,
                       SqlConnection::Open(server->ConnInfo()));
  ASSERT_OK_AND_ASSIGN(const SqlConnection own,
                       SqlConnection::Open(server->ConnInfoAs("mover", "")));
  ASSERT_OK_AND_ASSIGN(
      PgConnection mover,
      PgConnection::Open({.conninfo = server->ConnInfoAs("mover", "")}));
  ASSERT_OK_AND_ASSIGN(const ConnectionRoom room, ReadConnectionRoom(mover));
  EXPECT_EQ(room.max_connections, 30);
  EXPECT_EQ(room.reserved, version >= 16 ? 9 : 4);
  EXPECT_EQ(room.in_use, 2);
  EXPECT_EQ(room.role_limit, 9);
  EXPECT_EQ(room.role_in_use, 1);
  ASSERT_OK_AND_ASSIGN(PgConnection postgres,
                       PgConnection::Open({.conninfo = server->ConnInfo()}));
  ASSERT_OK_AND_ASSIGN(const ConnectionRoom all, ReadConnectionRoom(postgres));
  EXPECT_EQ(all.reserved, 0);
  EXPECT_EQ(all.in_use, 3);
  EXPECT_EQ(all.role_limit, -1);
}

}  // namespace
}  // namespace walferry
