// Random applications, applied in three ways: see differential_run.h.
//
// A seed that fails is run again by WALFERRY_TEST_SEEDS=SEED; more of them by
// WALFERRY_TEST_SEEDS=1-200.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/applied_sets.h"
#include "tests/differential/differential_run.h"
#include "tests/differential/seeds.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

// Starting a server takes as long as some seeds.
constexpr uint64_t kSeedsOfATest = 10;

struct Param {
  std::string bin_dir;
  Seeds seeds;
};

std::vector<Param> AllParams() {
  const Seeds all = SeedsOfEnvironment();
  std::vector<Param> params;
  for (const std::string& bin_dir : TestServerBinDirs()) {
    for (uint64_t first = all.first; first <= all.last;
         first += kSeedsOfATest) {
      const uint64_t last = std::min(first + kSeedsOfATest - 1, all.last);
      params.push_back(
          {.bin_dir = bin_dir, .seeds = {.first = first, .last = last}});
    }
  }
  return params;
}

class DifferentialTest : public ::testing::TestWithParam<Param> {};

INSTANTIATE_TEST_SUITE_P(Servers, DifferentialTest,
                         ::testing::ValuesIn(AllParams()),
                         [](const auto& test) {
                           const Seeds& seeds = test.param.seeds;
                           return absl::StrCat(ServerName(test.param.bin_dir),
                                               "seeds", seeds.first, "to",
                                               seeds.last);
                         });

TEST_P(DifferentialTest, AllTargetsHoldWhatTheSourceHolds) {
  const Seeds seeds = GetParam().seeds;
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      PgServer::Start(
          {.bin_dir = GetParam().bin_dir,
           .settings = {{"autovacuum", "off"}, {"deadlock_timeout", "20ms"}}}));
  int64_t fallbacks = 0;
  for (uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    DifferentialRun run(*server, seed);
    EXPECT_TRUE(run.Run()) << "Again: WALFERRY_TEST_SEEDS=" << seed << "\n"
                           << run.Report();
    fallbacks += run.fallbacks();
  }
  const AppliedSets applied = ReadAppliedSets(server->Log());
  std::cout << ToText(applied) << ", " << fallbacks << " fallbacks\n";
  // One seed alone may have drawn batches that are too small for sets.
  if (seeds.last - seeds.first + 1 < kSeedsOfATest) return;
  EXPECT_GT(applied.deletes, 0);
  EXPECT_GT(applied.updates, 0);
  EXPECT_GT(applied.inserts, 0);
  EXPECT_GT(applied.copies, 0);
  EXPECT_GT(applied.single, 0);
  EXPECT_GT(applied.replaced + applied.halved, 0);
}

}  // namespace
}  // namespace walferry
