#include "tools/program.h"

#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/tools/program_fixture.h"
#include "tests/tools/sample_events.h"
#include "tools/report_text.h"

namespace walferry {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(ProgramTest, PrintsHelpForEverything) {
  environment_ = {{"WALFERRY_CONFIG", "/nonexistent"}};
  EXPECT_EQ(Run({"--help"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("Usage: walferry COMMAND"));
  for (const CommandSpec& spec : Commands()) {
    EXPECT_EQ(Run({std::string(spec.name), "--help"}), ExitCode::kDone);
    EXPECT_THAT(out(), HasSubstr(absl::StrCat("Usage: walferry ", spec.name)));
    EXPECT_EQ(err(), "");
  }
}

TEST_F(ProgramTest, PrintsVersionManualAndCompletions) {
  EXPECT_EQ(Run({"--version"}), ExitCode::kDone);
  EXPECT_EQ(out(), "walferry " WALFERRY_VERSION "\n");
  EXPECT_EQ(Run({"man"}), ExitCode::kDone);
  EXPECT_THAT(out(), testing::StartsWith(".TH WALFERRY 1"));
  EXPECT_EQ(Run({"completion", "bash"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("complete -F _walferry walferry"));
  EXPECT_EQ(Run({"completion", "zsh"}), ExitCode::kDone);
  EXPECT_THAT(out(), testing::StartsWith("#compdef walferry"));
}

TEST_F(ProgramTest, EndsWithTwoOnWrongUsage) {
  EXPECT_EQ(Run({"migrate", "--jbos", "3"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: unknown option --jbos\n"
            "walferry: hint: did you mean --jobs?\n");
  EXPECT_EQ(Run({"migrate", "--jobs", "x"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --jobs must be a whole number from 1 to 256, not "
            "\"x\"\n");
  EXPECT_EQ(Run({"migrate", "--mode", "offline", "--freeze", "read-only"}),
            ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --freeze goes with --mode online only\n"
            "walferry: hint: an offline migration copies one state of the "
            "source and ends\n");
  EXPECT_EQ(Run({"migrate", "--config", "/nonexistent"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: cannot read /nonexistent: No such file or "
            "directory\n");
  environment_ = {};
  EXPECT_EQ(Run({"status"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: no target is given\n"
            "walferry: hint: use --target URI or set WALFERRY_TARGET\n");
}

TEST_F(ProgramTest, WarnsOfVariablesThatAreNoOptions) {
  environment_["WALFERRY_JOB"] = "3";
  environment_["WALFERRY_TEST_SEEDS"] = "1-3";
  environment_["PGHOST"] = "h";
  EXPECT_EQ(Run({"version"}), ExitCode::kDone);
  EXPECT_THAT(
      err(), testing::AllOf(HasSubstr("warning environment: WALFERRY_JOB is no "
                                      "option's variable; did you mean "
                                      "WALFERRY_JOBS?"),
                            testing::Not(HasSubstr("TEST_SEEDS")),
                            testing::Not(HasSubstr("PGHOST")),
                            testing::Not(HasSubstr("WALFERRY_SOURCE"))));
}

TEST_F(ProgramTest, ReadsTheConfigurationFile) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/w.toml";
  std::ofstream(path) << "jobs = 5\n[migrate]\njobs = 6\n";
  environment_["WALFERRY_CONFIG"] = path;
  int jobs = 0;
  engine_.migrate = [&](const MigrateOptions& options, Control&, EventSink&) {
    jobs = options.jobs;
    return SampleReport();
  };
  EXPECT_EQ(Run({"migrate"}), ExitCode::kDone);
  EXPECT_EQ(jobs, 6);
  std::ofstream(path) << "jobs = 5\njbos = 6\n";
  EXPECT_EQ(Run({"migrate"}), ExitCode::kUsage);
  EXPECT_EQ(err(), absl::StrCat("walferry: error: ", path,
                                ":2: unknown key \"jbos\"\n"
                                "walferry: hint: did you mean jobs?\n"));
}

TEST_F(ProgramTest, ShowsTheConfiguration) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/w.toml";
  std::ofstream(path) << "jobs = 5\n[check]\njobs = 6\n";
  EXPECT_EQ(Run({"config", "--show", "--config", path, "--freeze=read-only"}),
            ExitCode::kDone);
  EXPECT_THAT(out(),
              AllOf(HasSubstr("source = \"postgres://ada:***@old/shop\""),
                    HasSubstr("target = \"host=new password='***'\""),
                    HasSubstr(absl::StrCat("\njobs = 5", std::string(31, ' '),
                                           " # ", path, ":1: jobs\n")),
                    HasSubstr(absl::StrCat("\n\n[check]\njobs = 6",
                                           std::string(31, ' '), " # ", path,
                                           ":3: jobs\n"))));
  EXPECT_EQ(Run({"config", "check", "--config", path}), ExitCode::kDone);
  EXPECT_THAT(out(), AllOf(HasSubstr("jobs = 6"), Not(HasSubstr("[check]"))));
  EXPECT_EQ(Run({"config", "--example"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("\n#jobs = 4\n"));
}

TEST_F(ProgramTest, FailsIfTheResultCannotBeWritten) {
  std::ofstream full("/dev/full");
  stdout_ = &full;
  for (const char* const argument : {"man", "--help"}) {
    full.clear();
    EXPECT_EQ(Run({argument}), ExitCode::kFailed);
    EXPECT_EQ(err(),
              "walferry: error: cannot write to standard output: No space left "
              "on device\n");
  }
}

TEST_F(ProgramTest, StopsACheckOnSigint) {
  engine_.check = [](const CheckOptions&,
                     Control& control) -> absl::StatusOr<CheckReport> {
    raise(SIGINT);
    EXPECT_TRUE(control.stop_requested());
    return absl::CancelledError("stopped");
  };
  EXPECT_EQ(Run({"check"}), ExitCode::kResumable);
}

TEST_F(ProgramTest, PrintsWhatCheckFound) {
  CheckReport report;
  report.findings = {{.id = "replica-identity",
                      .severity = Severity::kBlocking,
                      .acceptable = true,
                      .subject = "public.log",
                      .text = "has no key"}};
  engine_.check = [&](const CheckOptions&, Control&) { return report; };
  EXPECT_EQ(Run({"check"}), ExitCode::kFailed);
  EXPECT_EQ(out(), FormatCheckReport(report, {}, false));
  EXPECT_EQ(err(), "");
  EXPECT_EQ(Run({"check", "--accept", "replica-identity", "--json"}),
            ExitCode::kDone);
  EXPECT_EQ(out(), CheckReportToJson(report, {"replica-identity"}) + "\n");
}

TEST_F(ProgramTest, PrintsStatusCutoverAndCleanup) {
  engine_.status = [](const StatusOptions& options, Control&) {
    EXPECT_EQ(options.name, "shop");
    MigrationStatus status;
    status.name = "shop";
    return absl::StatusOr<MigrationStatus>(status);
  };
  EXPECT_EQ(Run({"status", "--name", "shop"}), ExitCode::kDone);
  EXPECT_THAT(out(), testing::StartsWith("shop: "));
  EXPECT_EQ(Run({"status", "--name", "shop", "--json"}), ExitCode::kDone);
  EXPECT_EQ(nlohmann::json::parse(out())["name"], "shop");

  engine_.cutover = [](const CutoverOptions& options, Control&,
                       EventSink& events) {
    EXPECT_EQ(options.wait, absl::Minutes(1));
    Lag lag = SampleLag();
    lag.phase = Phase::kCutover;
    lag.waiting_for = "writes to stop";
    events.OnEvent(lag);
    return absl::StatusOr<Report>(SampleReport());
  };
  EXPECT_EQ(Run({"cutover", "--wait", "1m"}), ExitCode::kDone);
  EXPECT_EQ(out(), ReportText(SampleReport()));
  EXPECT_THAT(err(), HasSubstr("cutover: waiting for writes to stop\n"));
  EXPECT_EQ(Run({"cutover", "--wait", "1m", "--json"}), ExitCode::kDone);
  EXPECT_EQ(nlohmann::json::parse(out())["tables"], 40);

  engine_.cleanup = [&](const CleanupOptions& options, Control&) {
    EXPECT_TRUE(options.force);
    return absl::StatusOr<std::vector<std::string>>(
        {"dropped slot x", "dropped ledger"});
  };
  EXPECT_EQ(Run({"cleanup", "--force"}), ExitCode::kDone);
  EXPECT_EQ(out(), "dropped slot x\ndropped ledger\n");
}

// Whatever the engine says, in whatever place.
TEST_F(ProgramTest, KeepsPasswordsOutOfEverything) {
  const std::string leak = "s3cret and hunter 2 in postgres://b:word@x/";
  const absl::Status error = WithHint(absl::UnknownError(leak), leak);
  Report leaking = SampleReport();
  leaking.remarks = {leak};
  MigrationStatus status;
  status.last_error = leak;
  CheckReport check;
  check.findings = {{.id = "x", .text = leak, .hint = leak}};
  bool fail = false;
  const auto migrate = [&](EventSink& events) -> absl::StatusOr<Report> {
    Lag lag = SampleLag();
    lag.waiting_for = leak;
    ConflictFound conflict = SampleConflict();
    conflict.conflict.message = leak;
    for (const Event& event :
         std::vector<Event>{Notice{.text = leak}, lag, conflict}) {
      events.OnEvent(event);
    }
    if (fail) return error;
    return leaking;
  };
  engine_.migrate = [&](const MigrateOptions&, Control&, EventSink& events) {
    return migrate(events);
  };
  engine_.follow = [&](const FollowOptions&, Control&, EventSink& events) {
    return migrate(events);
  };
  engine_.check = [&](const CheckOptions&, Control&) {
    return fail ? absl::StatusOr<CheckReport>(error) : check;
  };
  engine_.cutover = [&](const CutoverOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = leak});
    return fail ? absl::StatusOr<Report>(error) : leaking;
  };
  engine_.status = [&](const StatusOptions&, Control&) {
    return fail ? absl::StatusOr<MigrationStatus>(error) : status;
  };
  engine_.cleanup = [&](const CleanupOptions&, Control&) {
    return fail ? absl::StatusOr<std::vector<std::string>>(error)
                : std::vector<std::string>{leak};
  };
  engine_.capture = [&](const CaptureOptions&, Control&,
                        const CaptureProgress& progress) {
    progress({.slot = leak});
    return fail ? absl::StatusOr<CaptureReport>(error) : CaptureReport();
  };
  engine_.replay = [&](const ReplayOptions& options, Control&) {
    EXPECT_EQ(options.target, "host=x password=rabbit");
    return fail ? absl::StatusOr<ReplayReport>(absl::UnknownError("a rabbit"))
                : ReplayReport();
  };
  engine_.dump = [&](const DumpOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = leak});
    return fail ? absl::StatusOr<DumpReport>(error) : DumpReport{.path = leak};
  };
  engine_.restore = [&](const RestoreOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = leak});
    return fail ? absl::StatusOr<RestoreReport>(error)
                : RestoreReport{.database = leak};
  };
  engine_.drill = [&](const DrillOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = leak});
    return fail ? absl::StatusOr<DrillReport>(error)
                : DrillReport{.subject = leak};
  };
  engine_.verify = [&](const VerifyOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = leak});
    return fail ? absl::StatusOr<VerifyReport>(error)
                : VerifyReport{.source = leak, .remarks = {leak}};
  };
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{
           {"migrate"},
           {"migrate", "--events", "-"},
           {"migrate", "--log-format", "json"},
           {"follow", "--slot", "s", "--publication", "p"},
           {"check"},
           {"check", "--json"},
           {"cutover"},
           {"cutover", "--json"},
           {"status"},
           {"status", "--json"},
           {"cleanup"},
           {"capture", "--publication", "p", "--output", leak},
           {"replay", "--input", leak, "--apply=host=x password=rabbit"},
           {"dump"},
           {"restore", "--input", leak},
           {"drill"},
           {"verify"},
           {"verify", "--json"},
           {"verify", "--events", "-"},
           {"config", "--show"}}) {
    for (bool failing : {false, true}) {
      fail = failing;
      Run(arguments);
      EXPECT_THAT(out() + err(),
                  AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("hunter")),
                        Not(HasSubstr(":word")), Not(HasSubstr("rabbit"))))
          << arguments.back();
    }
  }
}

}  // namespace
}  // namespace walferry
