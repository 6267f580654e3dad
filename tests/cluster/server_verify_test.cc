// A move of all databases with a comparison of each, as a function and as a
// command.

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/synchronization/mutex.h"
#include "protocol/status.h"
#include "tests/cluster/server_fixture.h"
#include "tests/cluster/status_of_move.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using State = ComparisonResult::State;

constexpr char kFirstAccount[] = "DELETE FROM accounts WHERE id = 1";

class ServerVerifyTest : public ServerTest {
 protected:
  // `act` is called before each comparison, and may fail it.
  ServerMigrateOptions Comparing(
      VerifyMethod method,
      std::function<absl::Status(const std::string& database)> act = nullptr) {
    ServerMigrateOptions options = MoveOptions();
    options.verify = method;
    options.verify_concurrency = 1;
    options.compare = [this, act = std::move(act), compare = CompareBy(method)](
                          const MigrateOptions& migrate, VerifyShare share,
                          Control& control,
                          EventSink& events) -> absl::StatusOr<std::string> {
      const std::string database = DatabaseOf(migrate);
      Begin(database);
      absl::StatusOr<std::string> found = std::string();
      const absl::Status acted = act ? act(database) : absl::OkStatus();
      found = acted.ok() ? compare(migrate, share, control, events)
                         : absl::StatusOr<std::string>(acted);
      absl::MutexLock lock(&mutex_);
      --running_;
      return found;
    };
    return options;
  }

  // The first comparison of shop does.
  ServerMigrateOptions FindingADifference(VerifyMethod method) {
    return Comparing(method, [this](const std::string& database) {
      if (database != "shop" || std::exchange(planted_, true)) {
        return absl::OkStatus();
      }
      return target_->Exec(kFirstAccount, "shop");
    });
  }

  static std::string DatabaseOf(const MigrateOptions& migrate) {
    const std::string& target = migrate.endpoints.target;
    const std::string name = target.substr(target.rfind("dbname="));
    for (const char* const one : kNames) {
      const bool odd = absl::StrContains(one, "Odd");
      if (absl::StrContains(name, odd ? "Odd" : one)) return one;
    }
    return name;
  }

  void Begin(const std::string& database) {
    absl::MutexLock lock(&mutex_);
    compared_.insert(database);
    most_ = std::max(most_, ++running_);
  }

  std::set<std::string> TakeCompared() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(compared_, {});
  }

  DatabaseStatus StatusOf(const std::string& database) const {
    const absl::StatusOr<ServerStatus> status = StatusOfMove(*target_);
    EXPECT_OK(status);
    if (!status.ok()) return {};
    for (const DatabaseStatus& one : status->databases) {
      if (one.database == database) return one;
    }
    ADD_FAILURE() << "no database " << database;
    return {};
  }

  int64_t CopiesOf(const std::string& database) const {
    return absl::c_count_if(moves_.All<PhaseStarted>(database),
                            [](const PhaseStarted& started) {
                              return started.phase == Phase::kCopy;
                            });
  }

  static std::vector<std::string> States(const ServerReport& report) {
    std::vector<std::string> states;
    for (const DatabaseReport& database : report.databases) {
      states.emplace_back(ComparisonStateName(database.comparison.state));
    }
    return states;
  }

  CommandResult MigrateByCommand(const std::vector<std::string>& more) const {
    std::vector<std::string> command = {WalferryBinary(),
                                        "migrate",
                                        "--all-databases",
                                        "--mode",
                                        "offline",
                                        "--name",
                                        "move",
                                        "--poll-interval",
                                        "100ms",
                                        "--tablespace-mapping",
                                        "fast=" + target_space_};
    command.insert(command.end(), more.begin(), more.end());
    absl::StatusOr<CommandResult> result = RunCommand(
        {.command = command,
         .environment = {absl::StrCat("WALFERRY_SOURCE=", source_->ConnInfo()),
                         absl::StrCat("WALFERRY_TARGET=",
                                      target_->ConnInfo())}},
        absl::Minutes(5));
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : CommandResult{.exit_code = -1};
  }

  absl::Mutex mutex_;
  std::set<std::string> compared_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool planted_ = false;
  int most_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST_F(ServerVerifyTest, ComparesEachOnceItIsCompleteAndEqualOnesOnce) {
  ServerMigrateOptions options =
      Comparing(VerifyMethod::kCounts, [&](const std::string& database) {
        if (database != "shop") return absl::OkStatus();
        const DatabaseStatus status = StatusOf("shop");
        EXPECT_EQ(status.phase, "verify");
        EXPECT_TRUE(status.running);
        EXPECT_EQ(status.tables_copied, status.tables);
        return absl::OkStatus();
      });
  ASSERT_OK_AND_ASSIGN(ServerReport report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_OK(ShortfallOf(report));
  EXPECT_EQ(States(report), std::vector<std::string>(8, "equal"));
  EXPECT_THAT(TakeCompared(), SizeIs(8));
  {
    absl::MutexLock lock(&mutex_);
    EXPECT_EQ(most_, 1);
  }
  EXPECT_EQ(StatusOf("shop").phase, "done");
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kEqual);
  ExpectAllEqual();

  ASSERT_OK_AND_ASSIGN(report, Move(options));
  EXPECT_THAT(TakeCompared(), IsEmpty());
  EXPECT_EQ(States(report), std::vector<std::string>(8, "equal"));
  // More is asked for, and then less.
  ASSERT_OK(Move(Comparing(VerifyMethod::kChecksum)));
  EXPECT_THAT(TakeCompared(), SizeIs(8));
  ASSERT_OK(Move(options));
  EXPECT_THAT(TakeCompared(), IsEmpty());
}

TEST_F(ServerVerifyTest, NamesWhatDiffersAndComparesThatAgain) {
  ServerMigrateOptions options = FindingADifference(VerifyMethod::kCounts);
  ASSERT_OK_AND_ASSIGN(ServerReport report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  const absl::Status shortfall = ShortfallOf(report);
  EXPECT_THAT(shortfall, StatusIs(absl::StatusCode::kFailedPrecondition,
                                  "1 of 8 databases is not as on the source\n"
                                  "database shop: rows differ"));
  EXPECT_EQ(HintOf(shortfall),
            "walferry verify with --source and --target of such a database "
            "names the rows; what was written to the source since its rows "
            "were read is not on the target; the same command compares these "
            "databases again");
  EXPECT_EQ(StatusOf("shop").phase, "done");
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kDifferent);
  EXPECT_EQ(StatusOf("shop").comparison.found, "rows differ");
  EXPECT_EQ(StatusOf("large").comparison.state, State::kEqual);
  EXPECT_EQ(Facts(*target_), Facts(*source_));
  TakeCompared();

  ASSERT_OK(target_->Exec("INSERT INTO accounts VALUES (1, 'a1', 0)", "shop"));
  ASSERT_OK_AND_ASSIGN(report, Move(options));
  EXPECT_THAT(TakeCompared(), ElementsAre("shop"));
  EXPECT_OK(ShortfallOf(report));
  ExpectAllEqual();
}

TEST_F(ServerVerifyTest, ComparesAgainWhatNobodyKnowsAndCopiesNothingAgain) {
  bool failed = false;
  ServerMigrateOptions options =
      Comparing(VerifyMethod::kChecksum, [&](const std::string& database) {
        if (database != "win" || std::exchange(failed, true)) {
          return absl::OkStatus();
        }
        return absl::PermissionDeniedError("target: not yours");
      });
  ASSERT_OK_AND_ASSIGN(ServerReport report, Move(options));
  EXPECT_THAT(OutcomeOf(report), StatusIs(absl::StatusCode::kPermissionDenied,
                                          "7 of 8 databases done\n"
                                          "database win: target: not yours"));
  const DatabaseStatus status = StatusOf("win");
  EXPECT_EQ(status.phase, "verify");
  EXPECT_FALSE(status.running);
  EXPECT_EQ(status.comparison.state, State::kUnknown);
  EXPECT_EQ(status.comparison.found, "target: not yours");
  TakeCompared();
  ASSERT_OK_AND_ASSIGN(report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_THAT(TakeCompared(), ElementsAre("win"));
  EXPECT_EQ(CopiesOf("win"), 1);
  ExpectAllEqual();
}

TEST_F(ServerVerifyTest, GoesOnWithTheComparisonInWhichItWasStopped) {
  Control control;
  const ServerMigrateOptions stopped =
      Comparing(VerifyMethod::kChecksum, [&](const std::string& database) {
        if (database == "shop") control.RequestStop();
        return absl::OkStatus();
      });
  ASSERT_OK_AND_ASSIGN(ServerReport report,
                       RunServerMigration(stopped, control, moves_));
  EXPECT_EQ(OutcomeOf(report).code(), absl::StatusCode::kCancelled);
  const DatabaseStatus status = StatusOf("shop");
  EXPECT_EQ(status.phase, "verify");
  EXPECT_FALSE(status.running);
  EXPECT_EQ(status.comparison.state, State::kComparing);
  ASSERT_OK_AND_ASSIGN(report, Move(Comparing(VerifyMethod::kChecksum)));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_EQ(CopiesOf("shop"), 1);
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kEqual);
  ExpectAllEqual();
}

// Orders of shop come behind all else, with clients.
TEST_F(ServerVerifyTest, KeepsClientsOutOfADatabaseThatDiffers) {
  ServerMigrateOptions options = FindingADifference(VerifyMethod::kChecksum);
  options.delay_table_data = {"*.orders"};
  ASSERT_OK_AND_ASSIGN(ServerReport report, Move(options));
  EXPECT_THAT(
      OutcomeOf(report),
      StatusIs(
          absl::StatusCode::kFailedPrecondition,
          "7 of 8 databases done\n"
          "database shop: rows differ; clients were not told that they may "
          "work on it (look at the rows with walferry verify, and run the same "
          "command again: it compares again; with --verify off it lets clients "
          "in as it is)"));
  EXPECT_THAT(moves_.All<Usable>("shop"), IsEmpty());
  EXPECT_THAT(moves_.All<Usable>("large"), SizeIs(1));
  EXPECT_FALSE(StatusOf("shop").usable);
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kDifferent);
  // Other databases have no such table, and are compared as a whole.
  EXPECT_EQ(StatusOf("win").comparison.state, State::kEqual);

  ASSERT_OK(target_->Exec("INSERT INTO accounts VALUES (1, 'a1', 0)", "shop"));
  ASSERT_OK_AND_ASSIGN(report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_THAT(moves_.All<Usable>("shop"), SizeIs(1));
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kEqual);
  ExpectAllEqual();
}

// A comparison of the delayed tables alone does not make it equal.
TEST_F(ServerVerifyTest, RemembersWhatDifferedWhenClientsWereLetIn) {
  ServerMigrateOptions options = FindingADifference(VerifyMethod::kCounts);
  options.delay_table_data = {"shop.orders"};
  ASSERT_OK_AND_ASSIGN(ServerReport report, Move(options));
  EXPECT_EQ(OutcomeOf(report).code(), absl::StatusCode::kFailedPrecondition);
  ServerMigrateOptions off = MoveOptions();
  off.delay_table_data = options.delay_table_data;
  ASSERT_OK_AND_ASSIGN(report, Move(off));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_TRUE(StatusOf("shop").usable);
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kDifferent);

  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(report, Move(options));
    EXPECT_OK(OutcomeOf(report));
    EXPECT_THAT(ShortfallOf(report),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         "1 of 8 databases is not as on the source\n"
                         "database shop: rows differ; clients were let in as "
                         "it was"));
    EXPECT_EQ(StatusOf("shop").comparison.state, State::kDifferent);
  }
}

TEST_F(ServerVerifyTest, DoesNotCallEqualWhatClientsHadBeforeItWasCompared) {
  ServerMigrateOptions off = MoveOptions();
  off.delay_table_data = {"shop.orders"};
  ASSERT_OK_AND_ASSIGN(ServerReport report, Move(off));
  EXPECT_OK(OutcomeOf(report));
  ServerMigrateOptions options = Comparing(VerifyMethod::kCounts);
  options.delay_table_data = off.delay_table_data;
  ASSERT_OK_AND_ASSIGN(report, Move(options));
  EXPECT_THAT(
      OutcomeOf(report),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "7 of 8 databases done\n"
               "database shop: but for its delayed tables it was not compared "
               "before clients came (walferry verify compares all of it, and "
               "with it what clients have written; with --verify off the same "
               "command ends as it is)"));
  EXPECT_EQ(StatusOf("shop").phase, "verify");
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kUnknown);
  EXPECT_EQ(StatusOf("win").comparison.state, State::kEqual);
  // Where nothing is compared, nothing waits for it.
  ASSERT_OK_AND_ASSIGN(report, Move(off));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_EQ(StatusOf("shop").phase, "done");
  EXPECT_EQ(StatusOf("shop").comparison.state, State::kNone);
}

TEST_F(ServerVerifyTest, ComparesADatabaseThatWasBegunAnew) {
  ServerMigrateOptions options = Comparing(VerifyMethod::kCounts);
  ASSERT_OK(Move(options));
  TakeCompared();
  // With the database's own ledger.
  ASSERT_OK(
      target_->Exec("DROP SCHEMA public, walferry CASCADE; "
                    "CREATE SCHEMA public",
                    "win"));
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_THAT(TakeCompared(), ElementsAre("win"));
  EXPECT_EQ(CopiesOf("win"), 2);
}

TEST_F(ServerVerifyTest, TheCommandEndsWithThreeAndSaysWhichDiffer) {
  ASSERT_OK(source_->Exec(R"sql(
    CREATE FUNCTION plant() RETURNS int LANGUAGE plpgsql AS
      'BEGIN DELETE FROM public.words WHERE id = 7; RETURN 1; END';
    CREATE MATERIALIZED VIEW planted AS SELECT public.plant();
    INSERT INTO words VALUES (7, 'spaced7');
  )sql",
                          "spaced"));
  const auto named = [&](const PgServer& server) {
    return absl::StrCat("127.0.0.1:", server.port(), "/spaced");
  };
  const CommandResult result = MigrateByCommand({"--verify", "checksum"});
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("spaced: public.words: 1 row missing on the target; "
                        "5,000 rows on the source, 4,999 on the target\n"));
  EXPECT_THAT(result.output, HasSubstr("spaced      done, different"));
  EXPECT_THAT(result.output, HasSubstr("shop        done, equal"));
  EXPECT_THAT(
      result.output,
      EndsWith(absl::Substitute(
          "walferry: error: 1 of 8 databases is not as on the source\n"
          "database spaced: $1 is not as $0: 1 row in 1 of 1 table\n"
          "walferry: hint: walferry verify with --source and --target of such "
          "a database names the rows; what was written to the source since its "
          "rows were read is not on the target; the same command compares "
          "these databases again\n",
          named(*source_), named(*target_))));
  // The same command, and nothing is compared but that.
  const CommandResult again = MigrateByCommand({});
  EXPECT_EQ(again.exit_code, 3) << again.output;
  EXPECT_THAT(again.output, HasSubstr("spaced: verify: started"));
  EXPECT_THAT(again.output, testing::Not(HasSubstr("shop: verify: started")));
  const CommandResult off = MigrateByCommand({"--verify", "off"});
  EXPECT_EQ(off.exit_code, 0) << off.output;
}

}  // namespace
}  // namespace walferry
