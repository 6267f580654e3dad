#include "engine/copy/range_lift.h"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/busy_tables.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

// WALFERRY_TEST_SEED repeats a run, WALFERRY_TEST_ROUNDS makes it longer.
uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

class RangeLiftTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        server_,
        PgServer::Start({.bin_dir = GetParam(),
                         .settings = {{"max_prepared_transactions", "10"},
                                      {"deadlock_timeout", "50ms"},
                                      {"autovacuum_naptime", "1s"}}}));
    ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_));
    pair_->copy.split_bytes = 64 << 10;
  }

  // The ranges that are done, with the time of each; later ones are not held
  // against a run that was interrupted in mid-commit.
  void RememberRanges() {
    ASSERT_OK(pair_->Target(
        "DROP TABLE IF EXISTS walferry.before; CREATE TABLE walferry.before AS "
        "TABLE walferry.copy_range"));
  }
  void ExpectRangesAreStillThere() {
    EXPECT_THAT(pair_->target().QueryValue(
                    "SELECT count(*) FROM (TABLE walferry.before EXCEPT TABLE "
                    "walferry.copy_range) AS lost"),
                IsOkAndHolds("0"));
  }

  // Every table's ranges follow each other from block 0 to the open end.
  void ExpectEveryRangeOnce() {
    EXPECT_THAT(
        pair_->target().QueryValue(
            "SELECT count(*) FROM (SELECT first_block, end_block, "
            "lag(end_block, 1, 0::bigint) OVER w AS before, lead(first_block) "
            "OVER w AS after FROM walferry.copy_range WINDOW w AS (PARTITION "
            "BY table_name ORDER BY first_block)) AS r WHERE first_block <> "
            "before OR (end_block = -1) <> (after IS NULL)"),
        IsOkAndHolds("0"));
  }

  // Makes the finished copy a partly copied one again, so that all of it can
  // be lifted to the present.
  void Reopen() {
    ASSERT_OK(pair_->Target("UPDATE walferry.table_copy SET copied = false"));
  }

  void CopyInterrupted(std::mt19937_64& random, uint64_t seed);

  std::unique_ptr<PgServer> server_;
  std::unique_ptr<CopyPair> pair_;
};

INSTANTIATE_TEST_SUITE_P(Servers, RangeLiftTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

// Starts a copy and stops it again and again while others write, then finishes
// it, stops the writers and lifts all of it to the present.
void RangeLiftTest::CopyInterrupted(std::mt19937_64& random, uint64_t seed) {
  ASSERT_OK(pair_->Both(BusyTablesSql()));
  ASSERT_OK(pair_->Source(BusyKeysSql()));
  if (random() % 2 == 0) {
    ASSERT_OK(pair_->Target(BusyKeysSql()));
  }
  ASSERT_OK(pair_->Source(BusyRowsSql(6000)));
  BusyWriters writers(pair_->source_conninfo(), 2, seed);
  ASSERT_OK(pair_->Begin());
  int runs = 1;
  while (true) {
    const absl::StatusOr<CopyTotals> copied =
        pair_->Copy(static_cast<int64_t>(random() % 16));
    if (copied.ok()) break;
    ASSERT_THAT(copied, StatusIs(absl::StatusCode::kCancelled, "stopped"));
    RememberRanges();
    ASSERT_OK_AND_ASSIGN(const LiftReport lift, pair_->Resume());
    EXPECT_EQ(lift.restarted, 0);
    ExpectRangesAreStillThere();
    ++runs;
  }
  ASSERT_OK(writers.Stop());
  ExpectEveryRangeOnce();
  Reopen();
  ASSERT_OK_AND_ASSIGN(const LiftReport lift, pair_->Resume());
  EXPECT_EQ(lift.lifted, 5);
  EXPECT_TRUE(pair_->Equal());
  std::cout << "  " << runs << " runs; at the end " << lift.keys << " keys, "
            << lift.rows_removed << " rows removed, " << lift.rows_fetched
            << " fetched\n";
}

TEST_P(RangeLiftTest, AnInterruptedCopyOfBusyTablesEndsEqual) {
  const uint64_t seed = NumberFromEnvironment(
      "WALFERRY_TEST_SEED",
      static_cast<uint64_t>(absl::ToUnixMicros(absl::Now())));
  const uint64_t rounds = NumberFromEnvironment("WALFERRY_TEST_ROUNDS", 3);
  for (uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE(absl::StrCat("WALFERRY_TEST_SEED=", seed + round,
                              " WALFERRY_TEST_ROUNDS=1"));
    std::cout << "seed " << seed + round << "\n";
    std::mt19937_64 random(seed + round);
    ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_));
    pair_->copy.split_bytes = 64 << 10;
    CopyInterrupted(random, seed + round);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace walferry
