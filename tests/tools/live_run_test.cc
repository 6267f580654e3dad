// migrate and follow in the foreground: log, live lines, events, signals.

#include "tools/live_run.h"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"
#include "tests/tools/fake_terminal.h"
#include "tests/tools/program_fixture.h"
#include "tests/tools/sample_events.h"
#include "tools/report_text.h"

namespace walferry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using LiveRunTest = ProgramTest;

TEST_F(LiveRunTest, ReportsAMigration) {
  engine_.migrate = [&](const MigrateOptions& options, Control&,
                        EventSink& events) -> absl::StatusOr<Report> {
    EXPECT_EQ(options.endpoints.source, kProgramSource);
    EXPECT_EQ(options.endpoints.target, kProgramTarget);
    EXPECT_EQ(options.jobs, 7);
    events.OnEvent(PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent(Notice{.text = "hello"});
    events.OnEvent(Done{SampleReport()});
    return SampleReport();
  };
  EXPECT_EQ(Run({"migrate", "--jobs", "7"}), ExitCode::kDone);
  EXPECT_EQ(out(), ReportText(SampleReport()));
  EXPECT_THAT(err(), testing::MatchesRegex(".* info    copy: started\n"
                                           ".* info    hello\n"));
}

TEST_F(LiveRunTest, EndsWithOneOnFailureAndSeventyFiveIfResumable) {
  absl::Status status = absl::FailedPreconditionError("wal_level is minimal");
  engine_.migrate = [&](const MigrateOptions&, Control&, EventSink&) {
    return absl::StatusOr<Report>(status);
  };
  EXPECT_EQ(Run({"migrate"}), ExitCode::kFailed);
  EXPECT_EQ(err(), "walferry: error: wal_level is minimal\n");
  status = absl::CancelledError("stopped");
  EXPECT_EQ(Run({"migrate"}), ExitCode::kResumable);
  EXPECT_EQ(err(),
            "walferry: error: stopped\n"
            "walferry: hint: the same command goes on where this one "
            "stopped\n");
  status = WithHint(absl::UnavailableError("given up"), "look at it");
  EXPECT_EQ(Run({"migrate"}), ExitCode::kResumable);
  EXPECT_EQ(err(),
            "walferry: error: given up\n"
            "walferry: hint: look at it\n");
  // The engine's own opinion of an option is a failure, not our usage error.
  status = absl::InvalidArgumentError("bad pattern");
  EXPECT_EQ(Run({"migrate"}), ExitCode::kFailed);
}

TEST_F(LiveRunTest, WritesEventsToStandardOutputAndTheReportElsewhere) {
  engine_.follow = [](const FollowOptions& options, Control&,
                      EventSink& events) -> absl::StatusOr<Report> {
    EXPECT_EQ(options.slot, "s");
    EXPECT_THAT(options.publications, ElementsAre("p"));
    events.OnEvent(PhaseStarted{.phase = Phase::kFollow});
    return SampleReport();  // Without saying Done.
  };
  EXPECT_EQ(Run({"follow", "--slot=s", "--publication=p", "--events=-"}),
            ExitCode::kDone);
  const std::vector<std::string> lines =
      absl::StrSplit(out(), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["event"], "phase_started");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["event"], "done");
  EXPECT_THAT(err(), testing::EndsWith(ReportText(SampleReport())));
}

TEST_F(LiveRunTest, AppendsEventsThatEndOnceToAFile) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/events";
  bool says_so = false;
  engine_.migrate = [&](const MigrateOptions&, Control&,
                        EventSink& events) -> absl::StatusOr<Report> {
    events.OnEvent(PhaseStarted{.phase = Phase::kCopy});
    const absl::Status status = absl::CancelledError("stopped");
    if (says_so) events.OnEvent(Failed{Phase::kCopy, status});
    return status;
  };
  EXPECT_EQ(Run({"migrate", "--events", path}), ExitCode::kResumable);
  says_so = true;
  EXPECT_EQ(Run({"migrate", "--events", path}), ExitCode::kResumable);
  std::ifstream file(path);
  std::vector<std::string> events;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["phase"], "copy");
    events.push_back(json["event"]);
  }
  EXPECT_THAT(events,
              ElementsAre("phase_started", "error", "phase_started", "error"));
}

std::vector<std::string> NamesOf(absl::string_view lines) {
  std::vector<std::string> names;
  for (absl::string_view line :
       absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    names.push_back(nlohmann::json::parse(line.begin(), line.end())["event"]);
  }
  return names;
}

TEST_F(LiveRunTest, EndsTheEventsOnceWhateverTheRunSaysAfterItsEnd) {
  engine_.migrate = [](const MigrateOptions&, Control&,
                       EventSink& events) -> absl::StatusOr<Report> {
    const absl::Status status = absl::InternalError("broken");
    events.OnEvent(Failed{Phase::kPrepare, status});
    events.OnEvent(Notice{.text = "could not undo"});
    events.OnEvent(Failed{Phase::kPrepare, status});
    return status;
  };
  EXPECT_EQ(Run({"migrate", "--events=-"}), ExitCode::kFailed);
  EXPECT_THAT(NamesOf(out()), ElementsAre("notice", "error"));
}

TEST_F(LiveRunTest, AppendsEventsBehindATornLine) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/events";
  engine_.migrate = [](const MigrateOptions&, Control&, EventSink&) {
    return SampleReport();
  };
  for (const auto& [before, between] :
       std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"{}\n", ""}, {"{\"time", "\n"}}) {
    std::ofstream(path) << before;
    EXPECT_EQ(Run({"migrate", "--events", path}), ExitCode::kDone);
    const std::string content = ReadFile(path);
    ASSERT_THAT(content, testing::StartsWith(before + between + "{"));
    EXPECT_THAT(NamesOf(content.substr(before.size() + between.size())),
                ElementsAre("done"));
  }
}

TEST_F(LiveRunTest, GivesFollowItsPhaseFromTheFirstEventOn) {
  engine_.follow = [](const FollowOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = "the source is starting"});
    return absl::StatusOr<Report>(absl::UnavailableError("away"));
  };
  EXPECT_EQ(Run({"follow", "--slot=s", "--publication=p", "--events=-"}),
            ExitCode::kResumable);
  for (absl::string_view line :
       absl::StrSplit(out(), '\n', absl::SkipEmpty())) {
    EXPECT_EQ(nlohmann::json::parse(line.begin(), line.end())["phase"],
              "follow");
  }
}

TEST_F(LiveRunTest, SaysWhenEventsCannotBeWritten) {
  engine_.migrate = [&](const MigrateOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = "one"});
    events.OnEvent(Notice{.text = "two"});
    return SampleReport();
  };
  EXPECT_EQ(Run({"migrate", "--events", "/nonexistent/e"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: cannot open --events /nonexistent/e: No such "
            "file or directory\n");
  EXPECT_EQ(Run({"migrate", "--events", "/dev/full"}), ExitCode::kDone);
  EXPECT_EQ(out(), ReportText(SampleReport()));
  EXPECT_THAT(err(), testing::MatchesRegex(
                         ".* info    one\n"
                         ".* error   cannot write events: No space left on "
                         "device; the run goes on without\n"
                         ".* info    two\n"));
}

TEST_F(LiveRunTest, CutsOverOnSigintAndStopsOnTheNext) {
  engine_.migrate = [&](const MigrateOptions&, Control& control,
                        EventSink&) -> absl::StatusOr<Report> {
    kill(getpid(), SIGINT);
    EXPECT_TRUE(WaitUntil([&] { return control.cutover_requested(); }));
    EXPECT_TRUE(WaitUntil([&] { return !err().empty(); }));
    kill(getpid(), SIGINT);
    EXPECT_TRUE(WaitUntil([&] { return control.stop_requested(); }));
    return absl::CancelledError("stopped");
  };
  EXPECT_EQ(Run({"migrate"}), ExitCode::kResumable);
  EXPECT_THAT(err(),
              testing::MatchesRegex(
                  ".* info    cutover requested: it begins once the target has "
                  "caught up; Ctrl.C again stops now\n"
                  "(.* info    stopping; .*\n)?"
                  "walferry: error: stopped\n"
                  "walferry: hint: .*\n"));
}

TEST_F(LiveRunTest, DrawsLiveLinesOnATerminal) {
  err_is_terminal_ = true;
  environment_["TERM"] = "xterm";
  environment_["NO_COLOR"] = "1";
  engine_.migrate = [&](const MigrateOptions&, Control&,
                        EventSink& events) -> absl::StatusOr<Report> {
    events.OnEvent(PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent(SampleProgress());
    // Drawn about once a second.
    EXPECT_TRUE(
        WaitUntil([&] { return absl::StrContains(err(), "public.orders"); }));
    events.OnEvent(Notice{.text = "between"});
    return SampleReport();
  };
  EXPECT_EQ(Run({"migrate"}), ExitCode::kDone);
  const std::vector<std::string> lines = ShownLines(err());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], testing::EndsWith(" info    copy: started"));
  EXPECT_THAT(lines[1], testing::EndsWith(" info    between"));
}

TEST_F(LiveRunTest, DrawsNothingWhereEventsComeInBetween) {
  err_is_terminal_ = true;
  environment_["TERM"] = "xterm";
  environment_["NO_COLOR"] = "1";
  engine_.migrate = [&](const MigrateOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.text = "x"});
    return SampleReport();
  };
  out_is_terminal_ = true;
  EXPECT_EQ(Run({"migrate", "--events", "-"}), ExitCode::kDone);
  EXPECT_THAT(err(), Not(HasSubstr("\x1b")));
  out_is_terminal_ = false;
  EXPECT_EQ(Run({"migrate", "--events", "-"}), ExitCode::kDone);
  EXPECT_THAT(err(), HasSubstr("\x1b"));
}

TEST_F(LiveRunTest, DrawsNothingOnADumbTerminal) {
  err_is_terminal_ = true;
  environment_["TERM"] = "dumb";
  engine_.migrate = [&](const MigrateOptions&, Control&, EventSink& events) {
    events.OnEvent(Notice{.level = Notice::Level::kWarning, .text = "x"});
    return SampleReport();
  };
  EXPECT_EQ(Run({"migrate"}), ExitCode::kDone);
  EXPECT_THAT(err(), Not(HasSubstr("\x1b")));
}

TEST_F(LiveRunTest, WritesOnlyJsonToTheLogIfAskedTo) {
  err_is_terminal_ = true;
  environment_["TERM"] = "xterm";
  engine_.migrate = [&](const MigrateOptions&, Control&,
                        EventSink& events) -> absl::StatusOr<Report> {
    for (const Event& event : SampleEvents()) events.OnEvent(event);
    return absl::InternalError("broken");
  };
  EXPECT_EQ(Run({"migrate", "--log-format", "json"}), ExitCode::kFailed);
  std::vector<std::string> messages;
  for (absl::string_view line : absl::StrSplit(err(), '\n')) {
    if (line.empty()) continue;
    messages.push_back(
        nlohmann::json::parse(std::string(line))["message"].get<std::string>());
  }
  EXPECT_EQ(messages.back(), "broken");
  EXPECT_GT(messages.size(), 5u);
}

}  // namespace
}  // namespace walferry
