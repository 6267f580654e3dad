#ifndef TESTS_TESTING_SERVER_UPGRADES_H_
#define TESTS_TESTING_SERVER_UPGRADES_H_

// From which PostgreSQL server to which the tests move databases.

#include <string>
#include <vector>

namespace walferry {

// Both are folders as in TestServerBinDirs().
struct ServerUpgrade {
  std::string source;
  std::string target;
};

// From every server that there is to the newest of them, itself among them: the
// only pair where there is only one. walferry promises nothing for the other
// direction.
//
//   INSTANTIATE_TEST_SUITE_P(Upgrades, MigrateVersionsTest,
//       ::testing::ValuesIn(TestServerUpgrades()),
//       [](const auto& test) { return UpgradeName(test.param); });
std::vector<ServerUpgrade> TestServerUpgrades();

// "pg14_to_pg18".
std::string UpgradeName(const ServerUpgrade& upgrade);

}  // namespace walferry

#endif  // TESTS_TESTING_SERVER_UPGRADES_H_
