// dump, restore and drill as commands: what they ask for, say and end with.

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"
#include "tests/tools/program_fixture.h"
#include "tests/tools/sample_archives.h"
#include "tools/archive_text.h"
#include "tools/drill_report.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using DumpCommandTest = ProgramTest;

TEST_F(DumpCommandTest, AsksForWhatIsGiven) {
  DumpOptions asked;
  engine_.dump = [&](const DumpOptions& options, Control&, EventSink& events) {
    asked = options;
    events.OnEvent(PhaseStarted{.phase = Phase::kCopy});
    return absl::StatusOr<DumpReport>(SampleDump());
  };
  EXPECT_EQ(Run({"dump"}), ExitCode::kDone);
  EXPECT_EQ(out(), DumpText(SampleDump()));
  EXPECT_THAT(err(), testing::MatchesRegex(".* info    copy: started\n"));
  EXPECT_EQ(asked.source, kProgramSource);
  EXPECT_EQ(asked.format, ArchiveFormat::kDirectory);
  EXPECT_EQ(asked.compression, "");
  EXPECT_EQ(asked.jobs, DumpOptions().jobs);
  EXPECT_EQ(asked.disk_share, DumpOptions().disk_share);
  EXPECT_EQ(asked.connect_timeout, kDefaultConnectTimeout);
  EXPECT_EQ(Run({"dump",
                 "--format",
                 "custom",
                 "--compress",
                 "lz4:3",
                 "--output",
                 "o",
                 "--archive-dir",
                 "d",
                 "--jobs",
                 "7",
                 "--schema-only",
                 "--no-owner",
                 "--no-acl",
                 "--exclude-schema",
                 "a",
                 "--exclude-table",
                 "b",
                 "--exclude-table-data",
                 "c",
                 "--disk-share",
                 "0",
                 "--pg-dump",
                 "p"}),
            ExitCode::kDone);
  EXPECT_EQ(asked.format, ArchiveFormat::kCustom);
  EXPECT_EQ(asked.compression, "lz4:3");
  EXPECT_EQ(asked.output, "o");
  EXPECT_EQ(asked.archive_folder, "d");
  EXPECT_EQ(asked.jobs, 7);
  EXPECT_TRUE(asked.schema_only);
  EXPECT_FALSE(asked.data_only);
  EXPECT_TRUE(asked.no_owner);
  EXPECT_TRUE(asked.no_acl);
  EXPECT_THAT(asked.scope.exclude_schemas, ElementsAre("a"));
  EXPECT_THAT(asked.scope.exclude_tables, ElementsAre("b"));
  EXPECT_THAT(asked.scope.exclude_table_data, ElementsAre("c"));
  EXPECT_EQ(asked.disk_share, 0);
  EXPECT_EQ(asked.pg_dump, "p");
}

TEST_F(DumpCommandTest, FindsWrongUsageFirst) {
  EXPECT_EQ(Run({"dump", "--compress", "bzip2"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --compress: \"bzip2\" is no way to compress\n"
            "walferry: hint: use zstd, lz4, gzip or none, the first three also "
            "with a level, such as zstd:3\n");
  EXPECT_EQ(Run({"dump", "--schema-only", "--data-only"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --schema-only and --data-only exclude each "
            "other\n"
            "walferry: hint: leave both out for everything\n");
}

TEST_F(DumpCommandTest, StopsOnASignal) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    engine_.dump = [&](const DumpOptions&, Control& control,
                       EventSink&) -> absl::StatusOr<DumpReport> {
      kill(getpid(), signal_number);
      EXPECT_TRUE(WaitUntil([&] { return control.stop_requested(); }));
      EXPECT_TRUE(WaitUntil([&] { return !err().empty(); }));
      return absl::CancelledError("pg_dump: interrupted");
    };
    EXPECT_EQ(Run({"dump"}), ExitCode::kResumable);
    EXPECT_THAT(err(),
                testing::EndsWith(" info    stopping; what was written is "
                                  "removed\n"
                                  "walferry: error: pg_dump: interrupted\n"));
  }
}

class RestoreCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    engine_.restore = [&](const RestoreOptions& options, Control&, EventSink&) {
      asked_ = options;
      return absl::StatusOr<RestoreReport>(SampleRestore());
    };
    environment_["WALFERRY_TARGET"] = "host=new port=5433 dbname=shop";
  }

  // At a terminal, where somebody types `answer`.
  ExitCode RunAndAnswer(std::vector<std::string> arguments,
                        std::optional<std::string> answer) {
    ask_ = [this, answer](absl::string_view question) {
      question_ = std::string(question);
      return answer;
    };
    const ExitCode code = Run(std::move(arguments));
    ask_ = nullptr;
    return code;
  }

  std::optional<RestoreOptions> asked_;
  std::string question_;
};

TEST_F(RestoreCommandTest, AsksForWhatIsGiven) {
  EXPECT_EQ(Run({"restore", "--input", "a"}), ExitCode::kDone);
  EXPECT_EQ(out(), RestoreText(*asked_, SampleRestore()));
  EXPECT_EQ(asked_->input, "a");
  EXPECT_EQ(asked_->target, "host=new port=5433 dbname=shop");
  EXPECT_FALSE(asked_->drop_target_first);
  EXPECT_FALSE(asked_->allow_errors);
  EXPECT_TRUE(asked_->analyze);
  EXPECT_EQ(asked_->jobs, RestoreOptions().jobs);
  EXPECT_EQ(asked_->index_jobs, RestoreOptions().index_jobs);
  EXPECT_EQ(asked_->disk_share, RestoreOptions().disk_share);
  EXPECT_EQ(Run({"restore", "--input", "a", "--no-owner", "--no-acl",
                 "--data-only", "--allow-restore-errors", "--no-analyze",
                 "--jobs", "7", "--index-jobs", "3"}),
            ExitCode::kDone);
  EXPECT_TRUE(asked_->no_owner);
  EXPECT_TRUE(asked_->no_acl);
  EXPECT_TRUE(asked_->data_only);
  EXPECT_TRUE(asked_->allow_errors);
  EXPECT_FALSE(asked_->analyze);
  EXPECT_EQ(asked_->jobs, 7);
  EXPECT_EQ(asked_->index_jobs, 3);
  EXPECT_EQ(Run({"restore"}), ExitCode::kUsage);
}

TEST_F(RestoreCommandTest, DropsADatabaseWhoseNameIsTyped) {
  EXPECT_EQ(
      RunAndAnswer({"restore", "--input", "a", "--drop-target-first"}, "shop"),
      ExitCode::kDone);
  EXPECT_TRUE(asked_->drop_target_first);
  EXPECT_EQ(question_,
            "This drops database shop on new:5433 with everything in it.\n"
            "Type its name to go on: ");
}

TEST_F(RestoreCommandTest, DropsNothingForAnotherAnswer) {
  for (const std::optional<std::string>& answer :
       {std::optional<std::string>("y"), std::optional<std::string>()}) {
    EXPECT_EQ(RunAndAnswer({"restore", "--input", "a", "--drop-target-first"},
                           answer),
              ExitCode::kFailed);
    EXPECT_EQ(err(), "walferry: error: nothing was dropped\n");
    EXPECT_FALSE(asked_.has_value());
  }
}

TEST_F(RestoreCommandTest, RefusesToDropWhereNobodyCanBeAsked) {
  EXPECT_EQ(Run({"restore", "--input", "a", "--drop-target-first"}),
            ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --drop-target-first drops a database, and nobody "
            "is here to be asked\n"
            "walferry: hint: give --yes too\n");
  EXPECT_FALSE(asked_.has_value());
  EXPECT_EQ(Run({"restore", "--input", "a", "--drop-target-first", "--yes"}),
            ExitCode::kDone);
  EXPECT_TRUE(asked_->drop_target_first);
}

// The same command would find a database that is not empty.
TEST_F(RestoreCommandTest, IsNotResumable) {
  engine_.restore = [](const RestoreOptions&, Control&,
                       EventSink&) -> absl::StatusOr<RestoreReport> {
    return absl::CancelledError("pg_restore: interrupted");
  };
  EXPECT_EQ(Run({"restore", "--input", "a"}), ExitCode::kFailed);
}

// What errors were allowed for is done, and a script can tell it from a restore
// without any.
TEST_F(RestoreCommandTest, EndsWithItsOwnCodeAfterErrors) {
  RestoreReport report = SampleRestore();
  report.errors = {
      {"role \"...\" does not exist", 2, {"TABLE t bob", "no bob"}},
      {"type \"...\" does not exist", 1, {"TABLE u bob", "no type"}}};
  engine_.restore = [&](const RestoreOptions& options, Control&, EventSink&) {
    asked_ = options;
    return absl::StatusOr<RestoreReport>(report);
  };
  EXPECT_EQ(Run({"restore", "--input", "a", "--allow-restore-errors"}),
            ExitCode::kDifferences);
  EXPECT_EQ(out(), RestoreText(*asked_, report));
  EXPECT_EQ(
      err(),
      "walferry: error: the restore went on after 3 errors, so the target "
      "is not all that the archive holds\n"
      "walferry: hint: the result and the log name them\n");
}

class DrillCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    engine_.drill = [&](const DrillOptions& options, Control&, EventSink&) {
      asked_ = options;
      return absl::StatusOr<DrillReport>(report_);
    };
    report_.checks.pop_back();
  }

  std::string Path(const std::string& name) const {
    return directory_->path() + "/" + name;
  }

  std::optional<TempDir> directory_;
  DrillReport report_ = SampleDrill();
  DrillOptions asked_;
};

TEST_F(DrillCommandTest, PrefersAnArchiveToTheEnvironmentsSource) {
  EXPECT_EQ(Run({"drill", "--input", "a"}), ExitCode::kDone);
  EXPECT_EQ(asked_.input, "a");
  EXPECT_EQ(asked_.source, "");
  EXPECT_EQ(asked_.target, kProgramTarget);
  EXPECT_EQ(out(), DrillText(report_));
  EXPECT_EQ(Run({"drill", "--keep"}), ExitCode::kDone);
  EXPECT_EQ(asked_.input, "");
  EXPECT_EQ(asked_.source, kProgramSource);
  EXPECT_TRUE(asked_.keep);
  EXPECT_EQ(Run({"drill", "--input", "a", "--source", "host=x"}),
            ExitCode::kUsage);
  environment_.erase("WALFERRY_SOURCE");
  EXPECT_EQ(Run({"drill"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: neither an archive nor a source is given\n"
            "walferry: hint: use --input PATH, or --source URI for a fresh "
            "dump\n");
}

TEST_F(DrillCommandTest, ReadsChecksAndWritesTheReport) {
  std::ofstream(Path("checks.toml"))
      << "[[check]]\nname = \"one\"\nsql = \"SELECT 1\"\nexpect = 1\n";
  for (const char* name : {"r.json", "r.html", "r.txt"}) {
    EXPECT_EQ(Run({"drill", "--input", "a", "--checks", Path("checks.toml"),
                   "--report", Path(name)}),
              ExitCode::kDone);
  }
  EXPECT_THAT(
      asked_.checks,
      ElementsAre(SqlCheck{.name = "one", .sql = "SELECT 1", .expect = "1"}));
  EXPECT_EQ(ReadFile(Path("r.json")), DrillJson(report_, Redactor()));
  EXPECT_EQ(ReadFile(Path("r.html")), DrillHtml(report_));
  EXPECT_EQ(ReadFile(Path("r.txt")), DrillText(report_));
}

TEST_F(DrillCommandTest, FindsWrongUsageFirst) {
  engine_.drill = nullptr;
  EXPECT_EQ(Run({"drill", "--input", "a", "--checks", Path("none")}),
            ExitCode::kUsage);
  EXPECT_EQ(Run({"drill", "--input", "a", "--report", "a.pdf"}),
            ExitCode::kUsage);
}

// Whatever the source in the environment is dumped with.
TEST_F(DrillCommandTest, LeavesNothingOutOfAnArchiveThatIsThere) {
  for (const char* option :
       {"--exclude-schema", "--exclude-table", "--exclude-table-data"}) {
    EXPECT_EQ(Run({"drill", "--input", "a", option, "x"}), ExitCode::kUsage);
    EXPECT_EQ(err(), absl::StrCat("walferry: error: --input and ", option,
                                  " exclude each other\n"
                                  "walferry: hint: an archive that is there is "
                                  "drilled as it is\n"));
    EXPECT_EQ(Run({"drill", option, "x"}), ExitCode::kDone);
  }
}

TEST_F(DrillCommandTest, FailsWithTheChecksThatDid) {
  report_ = SampleDrill();
  EXPECT_EQ(Run({"drill", "--input", "a", "--report", Path("r.txt")}),
            ExitCode::kDifferences);
  EXPECT_EQ(out(), DrillText(report_));
  EXPECT_EQ(ReadFile(Path("r.txt")), DrillText(report_));
  EXPECT_EQ(err(),
            "walferry: error: the drill failed: orders < 5 (7 instead of at "
            "most 5)\n");
}

// Somebody would take yesterday's for today's.
TEST_F(DrillCommandTest, WritesAReportAlsoWhereThereWasNoDrill) {
  const auto report_after = [&](absl::Status error, ExitCode code) {
    std::ofstream(Path("r.txt")) << "drill passed";
    std::string meanwhile;
    engine_.drill = [&](const DrillOptions&, Control&,
                        EventSink&) -> absl::StatusOr<DrillReport> {
      meanwhile = ReadFile(Path("r.txt"));
      return error;
    };
    EXPECT_EQ(Run({"drill", "--input", "a", "--report", Path("r.txt")}), code);
    EXPECT_EQ(meanwhile,
              "a: drill could not be held to its end in 0 ms\n"
              "  trouble            it has not come to its end\n");
    return ReadFile(Path("r.txt"));
  };
  EXPECT_EQ(report_after(absl::NotFoundError("a: no such archive"),
                         ExitCode::kFailed),
            "a: drill could not be held to its end in 0 ms\n"
            "  trouble            a: no such archive\n");
  EXPECT_EQ(report_after(WithHint(absl::UnavailableError("target: gone"),
                                  "DROP DATABASE scratch"),
                         ExitCode::kResumable),
            "a: drill could not be held to its end in 0 ms\n"
            "  trouble            target: gone; DROP DATABASE scratch\n");
  std::ofstream(Path("r.txt")) << "drill passed";
  EXPECT_EQ(Run({"drill", "--input", "a", "--checks", Path("none"), "--report",
                 Path("r.txt")}),
            ExitCode::kUsage);
  EXPECT_THAT(ReadFile(Path("r.txt")), HasSubstr("could not be held"));
}

TEST_F(DrillCommandTest, FailsWhereSomethingIsLeftBehind) {
  report_.trouble = "scratch database s could not be dropped: why";
  EXPECT_EQ(Run({"drill", "--input", "a"}), ExitCode::kFailed);
  EXPECT_EQ(out(), DrillText(report_));
  EXPECT_EQ(err(),
            "walferry: error: scratch database s could not be dropped: "
            "why\n");
  report_ = SampleDrill();
  report_.trouble = "s is left";
  EXPECT_EQ(Run({"drill", "--input", "a"}), ExitCode::kDifferences);
  EXPECT_EQ(err(),
            "walferry: error: the drill failed: orders < 5 (7 instead "
            "of at most 5); s is left\n");
}

TEST_F(DrillCommandTest, AsksForWhatIsAccepted) {
  EXPECT_EQ(Run({"drill", "--input", "a"}), ExitCode::kDone);
  EXPECT_FALSE(asked_.allow_partial);
  EXPECT_EQ(asked_.max_age, absl::InfiniteDuration());
  EXPECT_EQ(
      Run({"drill", "--input", "a", "--allow-partial", "--max-age", "36h"}),
      ExitCode::kDone);
  EXPECT_TRUE(asked_.allow_partial);
  EXPECT_EQ(asked_.max_age, absl::Hours(36));
}

TEST_F(DrillCommandTest, SaysThatTheReportCannotBeWritten) {
  EXPECT_EQ(Run({"drill", "--input", "a", "--report", "/nowhere/r.txt"}),
            ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("cannot write --report /nowhere/r.txt: No such "
                               "file or directory"));
}

}  // namespace
}  // namespace walferry
