// RunVerify with a repair, online: rows are repaired while a migration goes on
// to bring changes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/cluster/verify_online_fixture.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// More of `large`, which is repaired first then.
constexpr char kMoreThanStill[] =
    "INSERT INTO large SELECT i, repeat('x', 200) FROM generate_series(1, "
    "20000) i";

// Writes to the rows beside those that are repaired, in small transactions.
class Neighbours {
 public:
  explicit Neighbours(const std::string& source)
      : thread_([this, source] { Write(source); }) {}
  ~Neighbours() {
    stopping_.store(true);
    thread_.join();
  }
  int rounds() const { return rounds_; }

 private:
  void Write(const std::string& source) {
    absl::StatusOr<SqlConnection> writer = SqlConnection::Open(source);
    if (!writer.ok()) return;
    for (int round = 0; !stopping_.load(); ++round) {
      const absl::Status written = writer->Exec(absl::StrCat(
          "UPDATE still SET v = 'n", round, "' WHERE id BETWEEN 100 AND 110"));
      if (!written.ok()) return;
      ++rounds_;
    }
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<int> rounds_ = 0;
  std::thread thread_;
};

class VerifyOnlineRepairTest : public VerifyOnlineTest {
 protected:
  VerifyOptions Repairing() const {
    VerifyOptions options = Online();
    options.repair = RepairMode::kYes;
    return options;
  }
  void Damage() {
    ASSERT_OK(
        OnTarget("SET session_replication_role = replica;"
                 "DELETE FROM still WHERE id = 5;"
                 "UPDATE still SET v = 'damaged' WHERE id IN (6, 19999);"
                 "INSERT INTO still VALUES (-1, 'extra');"
                 "UPDATE large SET body = NULL WHERE id = 1"));
  }
  // What was done to each table, and what could not be.
  static std::vector<std::string> Done(const VerifyReport& report) {
    std::vector<std::string> lines;
    if (!report.repair.has_value()) return {"no repair"};
    for (const TableRepair& table : report.repair->tables) {
      lines.push_back(absl::StrCat(ToDisplay(table.table), " +", table.inserted,
                                   " -", table.deleted, " ~", table.updated));
      lines.insert(lines.end(), table.failures.begin(), table.failures.end());
    }
    return lines;
  }
  // A repair that waits for a lock of somebody else's ...
  void RepairUpTo(const std::string& table) {
    ASSERT_OK_AND_ASSIGN(SqlConnection other,
                         SqlConnection::Open(target_->ConnInfo("app")));
    ASSERT_OK(other.Exec(
        absl::StrCat("BEGIN; LOCK TABLE ", table, " IN ROW EXCLUSIVE MODE")));
    other_.emplace(std::move(other));
    repairing_ =
        std::async(std::launch::async, [this] { return Verify(Repairing()); });
    ASSERT_TRUE(Arrives(
        absl::StrCat("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                     "relation = '",
                     table, "'::regclass"),
        "1"));
  }
  // ... until then.
  absl::StatusOr<VerifyReport> LetItGoOn() {
    RETURN_IF_ERROR(other_->Exec("COMMIT"));
    return repairing_.get();
  }
  int Rounds() const {
    int rounds = 0;
    for (const Notice& notice : events_.All<Notice>()) {
      if (notice.text == "changes are not applied while rows are repaired") {
        ++rounds;
      }
    }
    return rounds;
  }

  void RepairsWhileOthersWrite(int apply_jobs) {
    ASSERT_OK(OnSource("INSERT INTO large VALUES (1, 'body')"));
    MigrateOptions options = Migration();
    options.stream.apply_jobs = apply_jobs;
    ASSERT_NO_FATAL_FAILURE(Start(options));
    ASSERT_NO_FATAL_FAILURE(Damage());
    const Neighbours neighbours(source_->ConnInfo("app"));
    Writers writers(source_->ConnInfo("app"), 2, 1);
    VerifyOptions asked = Repairing();
    asked.range_bytes = 64 << 10;
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(asked));
    EXPECT_THAT(Done(report),
                ElementsAre("public.large +0 -0 ~1", "public.still +1 -1 ~2"));
    EXPECT_THAT(Differences(report), IsEmpty());
    EXPECT_GT(report.repair->held, absl::ZeroDuration());
    EXPECT_LT(report.repair->held, absl::Seconds(30));
    const int before = neighbours.rounds();
    EXPECT_TRUE(WaitUntil([&] { return neighbours.rounds() > before; }));
    EXPECT_THAT(OnlineDifferences(Online()), IsEmpty());
    EXPECT_TRUE(NobodyHolds());
    EXPECT_FALSE(run_->ended()) << run_->Stop();
  }

  std::optional<SqlConnection> other_;
  std::future<absl::StatusOr<VerifyReport>> repairing_;
};

TEST_F(VerifyOnlineRepairTest, RepairsWhileChangesFlow) {
  RepairsWhileOthersWrite(1);
}

// Nobody who has applied ahead of his turn has a lock on what is repaired.
TEST_F(VerifyOnlineRepairTest, RepairsWhileSeveralSessionsApply) {
  RepairsWhileOthersWrite(4);
}

TEST_F(VerifyOnlineRepairTest, ADryRunHoldsNobodyAndChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Damage());
  VerifyOptions asked = Repairing();
  asked.repair = RepairMode::kDryRun;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(asked));
  EXPECT_THAT(Done(report), ElementsAre("public.still +1 -1 ~2"));
  EXPECT_THAT(report.repair->statements, Contains(HasSubstr("('5', 'v')")));
  EXPECT_EQ(report.repair->held, absl::ZeroDuration());
  EXPECT_THAT(report.remarks, Contains(HasSubstr("not to be run by hand")));
  EXPECT_EQ(Rounds(), 0);
  EXPECT_THAT(OnlineDifferences(Online()),
              ElementsAre("public.still", "extra id=-1", "missing id=5",
                          "different id=6; v: v -> damaged",
                          "different id=19999; v: v -> damaged"));
}

// The repair waits for a lock of somebody else's while the process that held
// the appliers ends, and another one brings what was committed since. What it
// has read is old then.
TEST_F(VerifyOnlineRepairTest, ReadsAnewWhatWasAppliedMeanwhile) {
  ASSERT_OK(OnSource(kMoreThanStill));
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Damage());
  ASSERT_NO_FATAL_FAILURE(RepairUpTo("large"));
  EXPECT_EQ(run_->Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_OK(
      OnSource("UPDATE still SET v = 'newer' WHERE id = 6;"
               "UPDATE still SET v = 'newer' WHERE id = 7"));
  Start();
  EXPECT_TRUE(Arrives("SELECT v FROM still WHERE id = 6", "newer"));
  EXPECT_TRUE(Arrives("SELECT v FROM still WHERE id = 7", "newer"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, LetItGoOn());
  EXPECT_EQ(Rounds(), 2);
  // The stream has repaired one row itself.
  EXPECT_THAT(Done(report),
              ElementsAre("public.large +0 -0 ~1", "public.still +1 -1 ~1"));
  EXPECT_THAT(Differences(report), IsEmpty());
  EXPECT_THAT(OnlineDifferences(Online()), IsEmpty());
}

TEST_F(VerifyOnlineRepairTest, TellsWhatItHasRepairedWhenACutoverEndsIt) {
  ASSERT_OK(OnSource(kMoreThanStill));
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Damage());
  ASSERT_NO_FATAL_FAILURE(RepairUpTo("still"));
  run_->control().RequestCutover();
  EXPECT_OK(run_->Result());
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, LetItGoOn());
  EXPECT_THAT(
      Done(report),
      ElementsAre("public.large +0 -0 ~1", "public.still +0 -0 ~0",
                  "public.still, 2 ranges: migration test is done: the "
                  "target does not follow any more (leave out --online, "
                  "and compare while nobody writes)"));
  EXPECT_TRUE(report.uncertain());
  EXPECT_EQ(Of(report, "still").outcome, TableVerdict::Outcome::kUnknown);
  EXPECT_THAT(TargetValue("SELECT v FROM still WHERE id = 6"),
              IsOkAndHolds("damaged"));
}

// The appliers could not empty what the source has emptied.
TEST_F(VerifyOnlineRepairTest, TheSourceMayBeTruncatedMeanwhile) {
  ASSERT_OK(OnSource(kMoreThanStill));
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Damage());
  ASSERT_NO_FATAL_FAILURE(RepairUpTo("still"));
  EXPECT_OK(OnSource("SET lock_timeout = '20s'; TRUNCATE large, still"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, LetItGoOn());
  EXPECT_TRUE(Arrives("SELECT count(*) FROM still", "0"));
  EXPECT_TRUE(Arrives("SELECT count(*) FROM large", "0"));
  EXPECT_THAT(OnlineDifferences(Online()), IsEmpty());
}

TEST_F(VerifyOnlineRepairTest, OthersAreToldWhatTheyWaitFor) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(auto asked, AskForMeeting(Asking(true)));
  EXPECT_TRUE(Arrives("SELECT waiting_for FROM walferry.migration",
                      "a repair of rows to end"));
  std::vector<std::string> found = {"not asked"};
  std::thread asker([&] { found = OnlineDifferences(Online()); });
  EXPECT_TRUE(events_.WaitFor<Notice>([](const Notice& notice) {
    return notice.text ==
           "waiting for one state of both sides: no changes are applied now, "
           "as another process repairs rows";
  }));
  asked.reset();
  asker.join();
  EXPECT_THAT(found, IsEmpty());
  EXPECT_TRUE(Arrives("SELECT waiting_for FROM walferry.migration", ""));
}

TEST_F(VerifyOnlineRepairTest, HoldsTheAppliersIfItIsAskedTo) {
  MigrateOptions options = Migration();
  options.stream.apply_jobs = 3;
  ASSERT_NO_FATAL_FAILURE(Start(options));
  ASSERT_OK_AND_ASSIGN(auto asked, AskForMeeting(Asking(true)));
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(
        OnSource(absl::StrCat("UPDATE still SET v = 'w' WHERE id = ", i + 1)));
  }
  // One that is answered behind all of that.
  ASSERT_TRUE(WaitUntil([&] {
    return TargetValue("SELECT received_lsn > '" +
                       asked->states().met().position.ToString() +
                       "' FROM walferry.migration")
               .value_or("") == "t";
  }));
  EXPECT_OK(asked->Renew());
  EXPECT_THAT(TargetValue("SELECT count(*) FROM still WHERE v = 'w'"),
              IsOkAndHolds("0"));
  asked.reset();
  EXPECT_TRUE(Arrives("SELECT count(*) FROM still WHERE v = 'w'", "20"));
  EXPECT_TRUE(NobodyHolds());
}

TEST_F(VerifyOnlineRepairTest, ACutoverDoesNotWaitForHeldAppliers) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(auto asked, AskForMeeting(Asking(true)));
  run_->control().RequestCutover();
  ASSERT_OK(run_->Result());
  EXPECT_THAT(asked->Renew(), StatusIs(absl::StatusCode::kUnavailable,
                                       "changes are applied again: a cutover "
                                       "has begun"));
  EXPECT_THAT(Verify(Online()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "migration test is done: the target does not follow "
                       "any more"));
}

}  // namespace
}  // namespace walferry
