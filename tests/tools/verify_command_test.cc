// verify as a command: what it asks for, says and ends with.

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"
#include "tests/tools/program_fixture.h"
#include "tests/tools/sample_verification.h"
#include "tools/event_json.h"
#include "tools/verify_report.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VerifyCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    absl::StatusOr<TempDir> directory = TempDir::Create();
    ASSERT_OK(directory);
    directory_.emplace(*std::move(directory));
    engine_.verify = [&](const VerifyOptions& options, Control&,
                         EventSink& events) {
      asked_ = options;
      events.OnEvent(PhaseStarted{.phase = Phase::kVerify});
      return answer_;
    };
  }

  std::string Path(const std::string& name) const {
    return directory_->path() + "/" + name;
  }

  static VerifyReport Equal() {
    VerifyReport report = SampleVerification();
    report.tables.resize(1);
    report.objects.clear();
    report.checks.clear();
    return report;
  }

  std::optional<TempDir> directory_;
  std::optional<VerifyOptions> asked_;
  absl::StatusOr<VerifyReport> answer_ = Equal();
};

TEST_F(VerifyCommandTest, AsksForWhatIsUsual) {
  EXPECT_EQ(Run({"verify"}), ExitCode::kDone);
  EXPECT_EQ(out(), VerifyText({.report = Equal()}, 20));
  EXPECT_THAT(err(), testing::MatchesRegex(".* info    verify: started\n"));
  const VerifyOptions usual;
  EXPECT_EQ(asked_->endpoints.source, kProgramSource);
  EXPECT_EQ(asked_->endpoints.target, kProgramTarget);
  EXPECT_EQ(asked_->endpoints.name, usual.endpoints.name);
  EXPECT_EQ(asked_->endpoints.ledger_schema, usual.endpoints.ledger_schema);
  EXPECT_EQ(asked_->endpoints.connect_timeout, usual.endpoints.connect_timeout);
  EXPECT_EQ(asked_->method, usual.method);
  EXPECT_EQ(asked_->schema, usual.schema);
  EXPECT_EQ(asked_->privileges, usual.privileges);
  EXPECT_EQ(asked_->scope, usual.scope);
  EXPECT_EQ(asked_->sample_percent, usual.sample_percent);
  EXPECT_EQ(asked_->seed, usual.seed);
  EXPECT_EQ(asked_->max_differences, usual.max_differences);
  EXPECT_EQ(asked_->resume, usual.resume);
  EXPECT_TRUE(asked_->checks.empty());
}

TEST_F(VerifyCommandTest, AsksForWhatIsGiven) {
  std::ofstream(Path("checks.toml"))
      << "[[check]]\nname = \"a\"\nsql = \"SELECT 1\"\n";
  EXPECT_EQ(Run({"verify",
                 "--method",
                 "sample",
                 "--sample",
                 "7",
                 "--seed",
                 "12",
                 "--jobs",
                 "3",
                 "--max-differences",
                 "0",
                 "--privileges",
                 "--checks",
                 Path("checks.toml"),
                 "--schema",
                 "a",
                 "--exclude-schema",
                 "b",
                 "--table",
                 "c",
                 "--exclude-table",
                 "d",
                 "--exclude-table-data",
                 "e",
                 "--restart",
                 "--name",
                 "shop",
                 "--ledger-schema",
                 "moves",
                 "--connect-timeout",
                 "3s"}),
            ExitCode::kDone);
  EXPECT_EQ(asked_->method, VerifyMethod::kSample);
  EXPECT_EQ(asked_->sample_percent, 7);
  EXPECT_EQ(asked_->seed, 12u);
  EXPECT_EQ(asked_->jobs, 3);
  EXPECT_EQ(asked_->max_differences, 0);
  EXPECT_TRUE(asked_->schema);
  EXPECT_TRUE(asked_->privileges);
  EXPECT_THAT(asked_->checks,
              ElementsAre(SqlCheck{.name = "a", .sql = "SELECT 1"}));
  EXPECT_EQ(asked_->scope, (ScopeOptions{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}}));
  EXPECT_FALSE(asked_->resume);
  EXPECT_EQ(asked_->endpoints.name, "shop");
  EXPECT_EQ(asked_->endpoints.ledger_schema, "moves");
  EXPECT_EQ(asked_->endpoints.connect_timeout, absl::Seconds(3));
  for (const VerifyMethod method :
       {VerifyMethod::kEstimate, VerifyMethod::kCounts, VerifyMethod::kSample,
        VerifyMethod::kChecksum}) {
    Run({"verify", "--no-schema", "--method",
         std::string(VerifyMethodName(method))});
    EXPECT_EQ(asked_->method, method);
    EXPECT_FALSE(asked_->schema);
  }
}

TEST_F(VerifyCommandTest, FindsWrongUsageFirst) {
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  for (const Case& c : std::vector<Case>{
           {{"verify", "--sample", "7"},
            "walferry: error: --sample goes with --method sample only\n"
            "walferry: hint: the other methods look at every row, or at "
            "none\n"},
           {{"verify", "--method", "counts", "--seed", "7"},
            "walferry: error: --seed goes with --method sample only\n"
            "walferry: hint: the other methods look at every row, or at "
            "none\n"},
           {{"verify", "--dry-run"},
            "walferry: error: --dry-run goes with --repair only\n"
            "walferry: hint: a comparison alone changes nothing\n"},
           {{"verify", "--repair", "--yes", "--method", "counts"},
            "walferry: error: --repair and --method counts exclude each "
            "other\n"
            "walferry: hint: --method checksum and --method sample name the "
            "rows that differ\n"},
           {{"verify", "--repair"},
            "walferry: error: --repair changes rows of the target, and nobody "
            "is here to be asked\n"
            "walferry: hint: give --yes too; with --dry-run nothing is "
            "changed\n"},
           {{"verify", "--no-schema", "--privileges"},
            "walferry: error: --no-schema and --privileges exclude each "
            "other\n"
            "walferry: hint: privileges are compared with the schemas\n"},
           {{"verify", "--json", "--events", "-"},
            "walferry: error: --json and --events - exclude each other\n"
            "walferry: hint: both are written to the standard output; "
            "--report FILE.json takes the result elsewhere\n"},
           {{"verify", "--report", "r.pdf"},
            "walferry: error: --report r.pdf: no form is known by that name\n"
            "walferry: hint: let it end in .txt, .json or .html\n"}}) {
    EXPECT_EQ(Run(c.arguments), ExitCode::kUsage);
    EXPECT_EQ(err(), c.error);
    EXPECT_EQ(out(), "");
  }
  EXPECT_FALSE(asked_.has_value());
}

TEST_F(VerifyCommandTest, RepairsATargetWhoseNameIsTyped) {
  environment_["WALFERRY_TARGET"] = "host=new port=5433 dbname=shop";
  Run({"verify"});
  EXPECT_EQ(asked_->repair, RepairMode::kNo);
  Run({"verify", "--repair", "--dry-run"});
  EXPECT_EQ(asked_->repair, RepairMode::kDryRun);
  Run({"verify", "--repair", "--yes", "--online"});
  EXPECT_EQ(asked_->repair, RepairMode::kYes);
  EXPECT_TRUE(asked_->online);
  Run({"verify", "--repair", "--yes", "--method", "sample"});
  EXPECT_EQ(asked_->repair, RepairMode::kYes);
  asked_.reset();
  std::string question;
  ask_ = [&](absl::string_view text) {
    question = std::string(text);
    return std::optional<std::string>("shop");
  };
  EXPECT_EQ(Run({"verify", "--repair"}), ExitCode::kDone);
  EXPECT_EQ(question,
            "This makes rows of database shop on new:5433 as they are on the "
            "source.\nType its name to go on: ");
  EXPECT_EQ(asked_->repair, RepairMode::kYes);
  asked_.reset();
  ask_ = [&](absl::string_view) { return std::optional<std::string>("y"); };
  EXPECT_EQ(Run({"verify", "--repair"}), ExitCode::kFailed);
  EXPECT_EQ(err(), "walferry: error: nothing was repaired\n");
  EXPECT_FALSE(asked_.has_value());
}

TEST_F(VerifyCommandTest, EndsWithThreeIfSomethingDiffers) {
  answer_ = SampleVerification();
  EXPECT_EQ(Run({"verify", "--max-differences", "1"}), ExitCode::kDifferences);
  EXPECT_EQ(out(), VerifyText({.report = SampleVerification()}, 1));
  EXPECT_THAT(err(), testing::EndsWith(
                         "walferry: error: new:5433/shop is not as "
                         "old:5432/shop: 5 rows in 2 of 4 tables, 1 object, 1 "
                         "check; 1 of 4 tables could not be compared\n"));
  EXPECT_EQ(Run({"verify", "--json"}), ExitCode::kDifferences);
  EXPECT_EQ(out(), VerifyJson({.report = SampleVerification()}, Redactor()));
}

TEST_F(VerifyCommandTest, EndsWithOneIfNobodyKnows) {
  VerifyReport report = Equal();
  report.tables.push_back(SampleVerification().tables.back());
  answer_ = report;
  EXPECT_EQ(Run({"verify"}), ExitCode::kFailed);
  EXPECT_THAT(err(),
              testing::EndsWith("walferry: error: 1 of 2 tables could not be "
                                "compared; nothing else differs\n"));
  answer_ = absl::NotFoundError("source: no such database");
  EXPECT_EQ(Run({"verify"}), ExitCode::kFailed);
  EXPECT_EQ(out(), "");
}

TEST_F(VerifyCommandTest, TakesWarningsForNoDifference) {
  VerifyReport report = Equal();
  report.tables[0].outcome = TableVerdict::Outcome::kWarning;
  report.objects = {SampleVerification().objects.front()};
  answer_ = report;
  EXPECT_EQ(Run({"verify"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("  warnings           2\n"));
}

// A misspelt pattern proves nothing.
TEST_F(VerifyCommandTest, DoesNotTakeNoTableForEqualTables) {
  VerifyReport report = Equal();
  report.tables.clear();
  answer_ = report;
  EXPECT_EQ(Run({"verify", "--table", "odrers"}), ExitCode::kFailed);
  EXPECT_THAT(out(), testing::StartsWith(
                         "NOT KNOWN: no table matches --schema and --table\n"));
  // As database postgres, by mistake.
  EXPECT_EQ(Run({"verify"}), ExitCode::kFailed);
  EXPECT_THAT(out(),
              testing::StartsWith(
                  "NOT KNOWN: neither side has a table, so nothing was "
                  "proved: see that --source and --target name the databases "
                  "that are meant\n"));
}

TEST_F(VerifyCommandTest, WritesTheReportInEveryForm) {
  answer_ = SampleVerification();
  const VerifyAccount account = {.report = SampleVerification()};
  for (const char* const name : {"r.txt", "r.json", "r.html"}) {
    EXPECT_EQ(Run({"verify", "--report", Path(name)}), ExitCode::kDifferences);
  }
  EXPECT_EQ(ReadFile(Path("r.txt")), VerifyText(account, 20));
  EXPECT_EQ(ReadFile(Path("r.json")), VerifyJson(account, Redactor()));
  EXPECT_EQ(ReadFile(Path("r.html")), VerifyHtml(account, Redactor()));
}

// Somebody would take yesterday's for today's.
TEST_F(VerifyCommandTest, WritesAReportAlsoWhereNothingWasCompared) {
  std::ofstream(Path("r.txt")) << "equal";
  std::string meanwhile;
  engine_.verify = [&](const VerifyOptions&, Control&,
                       EventSink&) -> absl::StatusOr<VerifyReport> {
    meanwhile = ReadFile(Path("r.txt"));
    return WithHint(absl::NotFoundError("source: no such database"), "make it");
  };
  EXPECT_EQ(Run({"verify", "--report", Path("r.txt")}), ExitCode::kFailed);
  EXPECT_EQ(meanwhile, "NOT KNOWN: the comparison has not come to its end\n");
  EXPECT_EQ(ReadFile(Path("r.txt")),
            "NOT KNOWN: source: no such database; make it\n");
  std::ofstream(Path("r.txt")) << "equal";
  EXPECT_EQ(
      Run({"verify", "--checks", Path("none"), "--report", Path("r.txt")}),
      ExitCode::kUsage);
  EXPECT_THAT(ReadFile(Path("r.txt")), testing::StartsWith("NOT KNOWN: "));
}

TEST_F(VerifyCommandTest, StopsOnASignalAndSaysHowToGoOn) {
  engine_.verify = [&](const VerifyOptions&, Control& control,
                       EventSink&) -> absl::StatusOr<VerifyReport> {
    kill(getpid(), SIGINT);
    EXPECT_TRUE(WaitUntil([&] { return control.stop_requested(); }));
    EXPECT_TRUE(WaitUntil([&] { return !err().empty(); }));
    return absl::CancelledError("interrupted");
  };
  EXPECT_EQ(Run({"verify"}), ExitCode::kResumable);
  EXPECT_THAT(err(), testing::EndsWith(
                         " info    stopping; the same command goes on where "
                         "this one stopped\n"
                         "walferry: error: interrupted\n"
                         "walferry: hint: the same command goes on where this "
                         "one stopped\n"));
  EXPECT_EQ(Run({"verify", "--restart"}), ExitCode::kResumable);
  EXPECT_THAT(err(), testing::EndsWith(
                         "walferry: error: interrupted\n"
                         "walferry: hint: the same command without --restart "
                         "goes on where this one stopped\n"));
  EXPECT_EQ(Run({"verify", "--method", "counts"}), ExitCode::kResumable);
  EXPECT_THAT(err(), testing::EndsWith(
                         " info    stopping; the same command begins anew\n"
                         "walferry: error: interrupted\n"
                         "walferry: hint: the same command begins anew\n"));
}

TEST_F(VerifyCommandTest, TellsItsProgressAsEvents) {
  EXPECT_EQ(Run({"verify", "--events", Path("events")}), ExitCode::kDone);
  std::ifstream file(Path("events"));
  std::string first, last;
  std::getline(file, first);
  std::getline(file, last);
  EXPECT_EQ(nlohmann::json::parse(first)["event"], "phase_started");
  EXPECT_EQ(nlohmann::json::parse(first)["phase"], "verify");
  EXPECT_EQ(last,
            ComparisonToJson({.report = Equal()},
                             absl::FromUnixSeconds(1767225600), Redactor()));
  // Standard output is theirs.
  EXPECT_EQ(Run({"verify", "--events", "-"}), ExitCode::kDone);
  EXPECT_THAT(out(), testing::EndsWith(last + "\n"));
  EXPECT_THAT(err(), HasSubstr("equal: all rows"));
  answer_ = absl::NotFoundError("source: no such database");
  EXPECT_EQ(Run({"verify", "--events", "-"}), ExitCode::kFailed);
  EXPECT_THAT(out(), HasSubstr(R"("phase":"verify","event":"error",)"
                               R"("code":"NOT_FOUND")"));
}

}  // namespace
}  // namespace walferry
