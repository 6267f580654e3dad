#ifndef TESTS_CLUSTER_AHEAD_FIXTURE_H_
#define TESTS_CLUSTER_AHEAD_FIXTURE_H_

// Several appliers side by side, step by step: what the engine's pool does with
// threads, a test does in the order it likes.

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/batch_applier.h"
#include "apply/keys_in_flight.h"
#include "gtest/gtest.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/replica_pair.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

inline constexpr size_t kAppliers = 3;

// Once the appliers know of each other's rows, and once they are blind: then
// nothing is ever seen to depend on anything, and only the server's locks are
// left to keep the order.
struct AheadParam {
  std::string bin_dir;
  bool blind = false;
};

class AheadTest : public ::testing::TestWithParam<AheadParam> {
 protected:
  struct Side {
    std::unique_ptr<ApplySession> session;
    std::unique_ptr<KeysInFlight> in_flight;  // If it is blind.
    std::unique_ptr<AheadApplier> applier;
  };

  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_,
                         PgServer::Start({.bin_dir = GetParam().bin_dir}));
    ASSERT_OK_AND_ASSIGN(pair_, ReplicaPair::Create(*server_));
    ASSERT_OK(pair_->Open());
    const ApplySessionOptions options{
        .target = {.conninfo = pair_->target_conninfo(),
                   .client_encoding = "UTF8"},
        .identity = {.name = pair_->session().name()}};
    for (size_t number = 1; number <= kAppliers; ++number) {
      Side side;
      ASSERT_OK_AND_ASSIGN(side.session,
                           ApplySession::Join(options, pair_->session(),
                                              static_cast<int>(number) + 1));
      side.in_flight = std::make_unique<KeysInFlight>();
      side.applier = MakeAheadApplier(
          *side.session, GetParam().blind ? side.in_flight.get() : &in_flight_,
          {.min_set_changes = 1,
           .min_changes_per_apart = 1,
           .min_copy_rows = 2,
           .min_share_ahead = 0,
           .ask_for_taken_values = !GetParam().blind,
           .longest_pause = 0});
      sides_.push_back(std::move(side));
    }
  }

  void CreateTables(const std::string& sql) {
    ASSERT_OK(pair_->Both(sql));
    ASSERT_OK(pair_->Receive().status());
  }

  // One batch of what `sql` does on the source.
  std::unique_ptr<ChangeBatch> BatchOf(const std::string& sql) {
    EXPECT_OK(pair_->Source(sql));
    const auto messages = pair_->Receive();
    EXPECT_OK(messages);
    auto batch = pair_->Build(*messages);
    EXPECT_OK(batch);
    return *std::move(batch);
  }

  // As the pool does: while one has its turn, those behind it look whether they
  // are in its way.
  absl::Status Turn(size_t which, const ChangeBatch& batch) {
    auto done = std::async(std::launch::async, [&] {
      return sides_[which].applier->Apply(batch).status();
    });
    const int pid = sides_[which].applier->session_pid();
    while (done.wait_for(std::chrono::milliseconds(20)) !=
           std::future_status::ready) {
      for (size_t behind = which + 1; behind < sides_.size(); ++behind) {
        sides_[behind].applier->GiveWay(pid);
      }
    }
    return done.get();
  }

  // Two batches: the second one goes ahead of the first, then both have their
  // turns.
  void RunSecondAhead(const std::string& first, const std::string& second) {
    const std::unique_ptr<ChangeBatch> batches[] = {BatchOf(first),
                                                    BatchOf(second)};
    sides_[0].applier->Enter(*batches[0]);
    sides_[1].applier->Enter(*batches[1]);
    sides_[1].applier->ApplyAhead(*batches[1]);
    ASSERT_OK(Turn(0, *batches[0]));
    ASSERT_OK(Turn(1, *batches[1]));
    EXPECT_TRUE(pair_->Equal());
  }

  // `steps`: what the source does, batch by batch. `order`: which batches are
  // ahead when; kTurn: the next one has its turn first. The turns that are left
  // come at the end.
  static constexpr size_t kTurn = SIZE_MAX;
  void Run(const std::vector<std::string>& steps,
           const std::vector<size_t>& order) {
    ASSERT_EQ(steps.size(), sides_.size());
    std::vector<std::unique_ptr<ChangeBatch>> batches;
    std::vector<std::string> states;
    for (const std::string& sql : steps) {
      batches.push_back(BatchOf(sql));
      states.push_back(State(pair_->source()));
    }
    for (size_t which = 0; which < batches.size(); ++which) {
      sides_[which].applier->Enter(*batches[which]);
    }
    size_t committed = 0;
    const auto take_turn = [&] {
      ASSERT_OK(Turn(committed, *batches[committed]));
      ASSERT_EQ(State(pair_->target()), states[committed])
          << "batch " << committed;
      ++committed;
    };
    for (const size_t which : order) {
      if (which == kTurn) {
        ASSERT_NO_FATAL_FAILURE(take_turn());
      } else {
        sides_[which].applier->ApplyAhead(*batches[which]);
      }
    }
    while (committed < batches.size()) ASSERT_NO_FATAL_FAILURE(take_turn());
  }

  // `steps(round)` of every order in which the batches can be ahead.
  void RunInEveryOrder(
      const std::function<std::vector<std::string>(int)>& steps) {
    const std::vector<std::vector<size_t>> orders = {
        {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0},     {2, 0, 1},
        {2, 1, 0}, {2},       {1},       {1, kTurn, 2}, {kTurn, 2}};
    int round = 0;
    for (const std::vector<size_t>& order : orders) {
      ASSERT_NO_FATAL_FAILURE(Run(steps(round), order)) << "round " << round;
      ++round;
    }
    ASSERT_TRUE(pair_->Equal());
  }

  // All rows of table t.
  static std::string State(SqlConnection& connection) {
    const auto rows = connection.QueryValue(
        "SELECT coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') "
        "FROM public.t");
    return rows.ok() ? *rows : rows.status().ToString();
  }

  // Sessions that have something ahead.
  std::string Ahead() const {
    return server_
        ->QueryValue(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in "
            "transaction'")
        .value_or("?");
  }

  int64_t Undone() const {
    int64_t undone = 0;
    for (const Side& side : sides_) undone += side.applier->undone();
    return undone;
  }

  KeysInFlight in_flight_;
  std::unique_ptr<PgServer> server_;
  std::unique_ptr<ReplicaPair> pair_;
  std::vector<Side> sides_;
};

inline std::vector<AheadParam> AllAheadParams() {
  std::vector<AheadParam> params;
  for (const std::string& bin_dir : TestServerBinDirs()) {
    for (const bool blind : {false, true}) params.push_back({bin_dir, blind});
  }
  return params;
}

}  // namespace walferry

#define INSTANTIATE_AHEAD_TEST(suite)                                         \
  INSTANTIATE_TEST_SUITE_P(Servers, suite,                                    \
                           ::testing::ValuesIn(::walferry::AllAheadParams()), \
                           [](const auto& test) {                             \
                             return ServerName(test.param.bin_dir) +          \
                                    (test.param.blind ? "blind" : "seeing");  \
                           })

#endif  // TESTS_CLUSTER_AHEAD_FIXTURE_H_
