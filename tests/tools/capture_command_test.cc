// capture and replay as commands: what they ask for, say and end with.

#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/wait_until.h"
#include "tests/tools/fake_terminal.h"
#include "tests/tools/program_fixture.h"
#include "tools/report_text.h"

namespace walferry {
namespace {

using CaptureCommandTest = ProgramTest;
using ReplayCommandTest = ProgramTest;

const std::vector<std::string> kCapture = {"capture", "--publication", "p",
                                           "--output", "o.capture"};

CaptureReport SampleCapture() {
  return {.slot = "walferry_capture_7",
          .frames = 12345,
          .bytes = 3600000,
          .elapsed = absl::Seconds(12)};
}

TEST_F(CaptureCommandTest, RecordsAndSaysHowMuch) {
  engine_.capture =
      [](const CaptureOptions& options, Control&,
         const CaptureProgress& progress) -> absl::StatusOr<CaptureReport> {
    EXPECT_EQ(options.source, kProgramSource);
    EXPECT_EQ(options.output, "o.capture");
    progress({.slot = "walferry_capture_7"});
    // Ten seconds have not gone by.
    progress(SampleCapture());
    return SampleCapture();
  };
  EXPECT_EQ(Run(kCapture), ExitCode::kDone);
  EXPECT_EQ(out(), CaptureText("o.capture", SampleCapture()));
  EXPECT_THAT(err(), testing::MatchesRegex(
                         ".* info    recording slot walferry_capture_7 to "
                         "o.capture\n"));
}

TEST_F(CaptureCommandTest, EndsTheRecordOnSigintAndSigterm) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    engine_.capture =
        [&](const CaptureOptions&, Control& control,
            const CaptureProgress&) -> absl::StatusOr<CaptureReport> {
      kill(getpid(), signal_number);
      EXPECT_TRUE(WaitUntil([&] { return control.stop_requested(); }));
      EXPECT_TRUE(WaitUntil([&] { return !err().empty(); }));
      return SampleCapture();
    };
    EXPECT_EQ(Run(kCapture), ExitCode::kDone);
    EXPECT_THAT(err(), testing::EndsWith(" info    ending the record\n"));
    EXPECT_EQ(out(), CaptureText("o.capture", SampleCapture()));
  }
}

TEST_F(CaptureCommandTest, DrawsALiveLineOnATerminal) {
  err_is_terminal_ = true;
  environment_["TERM"] = "xterm";
  environment_["NO_COLOR"] = "1";
  engine_.capture =
      [&](const CaptureOptions&, Control&,
          const CaptureProgress& progress) -> absl::StatusOr<CaptureReport> {
    progress({.slot = "s"});
    progress(SampleCapture());
    EXPECT_TRUE(WaitUntil([&] {
      return absl::StrContains(
          err(), "capture  12,345 frames, 3.4 MiB, 293 KiB/s, 12 s");
    })) << err();
    return SampleCapture();
  };
  EXPECT_EQ(Run(kCapture), ExitCode::kDone);
  const std::vector<std::string> lines = ShownLines(err());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0],
              testing::EndsWith(" info    recording slot s to o.capture"));
}

TEST_F(CaptureCommandTest, SaysWhatFailed) {
  absl::Status error =
      WithHint(absl::AlreadyExistsError("capture o.capture: File exists"),
               "name another file");
  engine_.capture = [&](const CaptureOptions&, Control&,
                        const CaptureProgress&) {
    return absl::StatusOr<CaptureReport>(error);
  };
  EXPECT_EQ(Run(kCapture), ExitCode::kFailed);
  EXPECT_EQ(err(),
            "walferry: error: capture o.capture: File exists\n"
            "walferry: hint: name another file\n");
  error = absl::CancelledError("source: interrupted");
  EXPECT_EQ(Run(kCapture), ExitCode::kResumable);
  EXPECT_EQ(Run({"capture", "--publication", "p"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: no output is given\n"
            "walferry: hint: use --output PATH\n");
}

TEST_F(ReplayCommandTest, RunsARecordAndSaysHowFast) {
  ReplayOptions asked;
  const ReplayReport report = {.messages = 3,
                               .bytes = 4000000,
                               .changes = 1,
                               .transactions = 1,
                               .elapsed = absl::Seconds(2)};
  engine_.replay = [&](const ReplayOptions& options, Control&) {
    asked = options;
    return absl::StatusOr<ReplayReport>(report);
  };
  EXPECT_EQ(Run({"replay", "--input", "f", "--decode", "--repeat", "4"}),
            ExitCode::kDone);
  // The environment's target is not asked.
  EXPECT_EQ(asked.target, "");
  EXPECT_EQ(asked.repeat, 4);
  EXPECT_EQ(out(), ReplayText(asked, report));
  EXPECT_EQ(err(), "");
  EXPECT_EQ(Run({"replay", "--input", "f", "--apply", "host=lab"}),
            ExitCode::kDone);
  EXPECT_EQ(asked.target, "host=lab");
  EXPECT_EQ(out(), ReplayText(asked, report));
}

TEST_F(ReplayCommandTest, StopsOnSigterm) {
  engine_.replay = [](const ReplayOptions&,
                      Control& control) -> absl::StatusOr<ReplayReport> {
    raise(SIGTERM);
    EXPECT_TRUE(control.stop_requested());
    return absl::CancelledError("stopped");
  };
  EXPECT_EQ(Run({"replay", "--input", "f", "--decode"}), ExitCode::kResumable);
}

TEST_F(ReplayCommandTest, TakesExactlyOneWay) {
  EXPECT_EQ(Run({"replay", "--input", "f"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: neither --decode nor --apply is given\n"
            "walferry: hint: use --decode, or --apply URI of a server whose "
            "data may be changed\n");
  EXPECT_EQ(Run({"replay", "--input", "f", "--decode", "--apply", "host=lab"}),
            ExitCode::kUsage);
  EXPECT_EQ(Run({"replay", "--input", "f", "--apply", "hots=lab"}),
            ExitCode::kUsage);
}

}  // namespace
}  // namespace walferry
