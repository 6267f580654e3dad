// What the target's role needs of other roles.

#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

class CheckRolesTest : public CheckTest {};

TEST_P(CheckRolesTest, TriesToSetDefaultPrivilegesForTheirRoles) {
  OnSource(
      "CREATE ROLE creator; ALTER DEFAULT PRIVILEGES FOR ROLE creator"
      " GRANT SELECT ON TABLES TO PUBLIC");
  options_.no_acl = false;
  options_.no_owner = true;
  EXPECT_THAT(Found(RunCheck(), "target-role"),
              ElementsAre("blocking target: role creator does not exist: the "
                          "source has default privileges for its objects"));
  OnTarget("CREATE ROLE creator");
  EXPECT_THAT(Found(RunCheck(), "target-membership"),
              ElementsAre("ok target: everything will belong to the role "
                          "itself"));
  UseRoleOnTarget("roles_guest", "");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "target-membership"),
              ElementsAre("blocking target: the role is no member of creator "
                          "and cannot set its default privileges"));
  EXPECT_EQ(HintFor(report, "target-membership"),
            "GRANT \"creator\" TO \"roles_guest\"; or --no-acl");
  OnTarget("GRANT creator TO roles_guest");
  EXPECT_THAT(Found(RunCheck(), "target-membership"),
              ElementsAre("ok target: everything will belong to the role "
                          "itself"));
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckRolesTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
