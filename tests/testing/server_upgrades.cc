#include "tests/testing/server_upgrades.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/testing/server_binaries.h"

namespace walferry {

std::vector<ServerUpgrade> TestServerUpgrades() {
  const std::vector<std::string> servers = TestServerBinDirs();
  const auto newest =
      std::max_element(servers.begin(), servers.end(),
                       [](const std::string& a, const std::string& b) {
                         return ServerMajorVersion(a).value_or(0) <
                                ServerMajorVersion(b).value_or(0);
                       });
  std::vector<ServerUpgrade> upgrades;
  for (const std::string& server : servers) {
    upgrades.push_back({.source = server, .target = *newest});
  }
  return upgrades;
}

std::string UpgradeName(const ServerUpgrade& upgrade) {
  return absl::StrCat(ServerName(upgrade.source), "_to_",
                      ServerName(upgrade.target));
}

}  // namespace walferry
