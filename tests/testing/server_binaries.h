#ifndef TESTS_TESTING_SERVER_BINARIES_H_
#define TESTS_TESTING_SERVER_BINARIES_H_

// Which PostgreSQL servers the tests run against.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace walferry {

// Folders with initdb and postgres: those of the environment variable
// WALFERRY_TEST_SERVERS (divided by colons), otherwise the newest of
// /usr/lib/postgresql/*/bin. Empty if there is none.
//
// A test for every one of them:
//
//   INSTANTIATE_TEST_SUITE_P(Servers, CopyTest,
//       ::testing::ValuesIn(TestServerBinDirs()),
//       [](const auto& test) { return ServerName(test.param); });
std::vector<std::string> TestServerBinDirs();

// Servers that are too old to be followed and may still be left: PostgreSQL 10
// to 13, where tools/install-servers has put them. Empty if it was not asked
// for them: tests take GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST.
std::vector<std::string> OldServerBinDirs();

// Where the tools keep what they fetch for tests: /var/cache/walferry, or
// ~/.cache/walferry for who is not root.
std::string TestCacheDirectory();

// 15 for a server that calls itself "postgres (PostgreSQL) 15.4".
absl::StatusOr<int> ServerMajorVersion(const std::string& bin_dir);

// "pg15", fit for the name of a test.
std::string ServerName(const std::string& bin_dir);

}  // namespace walferry

#endif  // TESTS_TESTING_SERVER_BINARIES_H_
