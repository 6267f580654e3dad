// The walferry binary itself, as a user or a script runs it.

#include <poll.h>
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/free_port.h"
#include "tests/testing/read_file.h"
#include "tests/testing/socket.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using testing::HasSubstr;
using testing::Not;

CommandResult Walferry(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment = {}) {
  std::vector<std::string> command = {WalferryBinary()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  absl::StatusOr<CommandResult> result = RunCommand({.command = command,
                                                     .environment = environment,
                                                     .clean_environment = true},
                                                    kTestPatience);
  EXPECT_OK(result);
  return result.ok() ? *result : CommandResult{.exit_code = -1};
}

TEST(Cli, EndsWithTwoOnWrongUsage) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{
           {},
           {"frobnicate"},
           {"migrate"},
           {"migrate", "--jobs"},
           {"migrate", "--jobs", "0"},
           {"migrate", "--frobnicate"},
           {"migrate", "--mode=offline", "--slot=s", "--source=host=x",
            "--target=host=x"},
           {"migrate", "--source=nonsense=1", "--target=host=x"},
           {"follow", "--source=host=x", "--target=host=x"},
           {"cutover"},
           {"status", "--config=/nonexistent", "--target=host=x"},
           {"completion"}}) {
    const CommandResult result = Walferry(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_THAT(result.output, testing::StartsWith("walferry: error: "));
  }
}

TEST(Cli, ReadsItsEnvironment) {
  const CommandResult result =
      Walferry({"config", "migrate"}, {"WALFERRY_JOBS=9"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output,
              testing::ContainsRegex("\njobs = 9 +# WALFERRY_JOBS\n"));
}

// At once: what was never there is not waited for.
TEST(Cli, EndsWithOneWhenAServerIsNotThere) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string uri =
      absl::StrCat("postgres://ada:s3cret@127.0.0.1:", *FreePort(), "/shop");
  const std::vector<std::string> environment = {
      absl::StrCat("WALFERRY_SOURCE=", uri),
      absl::StrCat("WALFERRY_TARGET=", uri), "WALFERRY_RETRY_FOR=1h"};
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{
           {"migrate"},
           {"follow", "--slot=s", "--publication=p"},
           {"check"},
           {"status"},
           {"cutover"},
           {"cleanup"},
           {"capture", "--publication=p",
            "--output=" + directory.path() + "/record"}}) {
    const CommandResult result = Walferry(arguments, environment);
    EXPECT_EQ(result.exit_code, 1) << arguments[0];
    EXPECT_THAT(result.output, HasSubstr("Connection refused"));
    EXPECT_THAT(result.output, Not(HasSubstr("s3cret")));
    EXPECT_THAT(result.output, Not(HasSubstr("trying again")));
  }
}

TEST(Cli, SurvivesAReaderThatWentAway) {
  const absl::StatusOr<CommandResult> result = RunCommand(
      {.command = {"bash", "-c",
                   "exec 3> >(true); wait $!; \"$0\" man >&3; echo \"code "
                   "$?\"",
                   WalferryBinary()}},
      kTestPatience);
  ASSERT_OK(result);
  EXPECT_EQ(result->output,
            "walferry: error: cannot write to standard output: Broken pipe\n"
            "code 1\n");
}

// Waits for a server that says nothing until it is told to stop.
TEST(Cli, HidesPasswordsFromTheListOfProcessesAndStopsOnSigterm) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string output = directory.path() + "/output";
  ASSERT_OK_AND_ASSIGN(const Socket silent, ListenOnPort(0));
  ASSERT_OK_AND_ASSIGN(const int port, PortOf(silent));
  const std::string uri =
      absl::StrCat("postgres://ada:s3cret@127.0.0.1:", port, "/shop");
  ASSERT_OK_AND_ASSIGN(
      ChildProcess child,
      ChildProcess::Start(
          {.command = {WalferryBinary(), "migrate", "--connect-timeout=1h",
                       "--source", uri, absl::StrCat("--target=", uri)},
           .clean_environment = true,
           .stdout_path = output,
           .stderr_path = output}));
  // It speaks first.
  pollfd caller = {silent.fd(), POLLIN, 0};
  ASSERT_EQ(poll(&caller, 1,
                 static_cast<int>(absl::ToInt64Milliseconds(kTestPatience))),
            1)
      << ReadFile(output);
  const std::string command_line =
      ReadFile(absl::StrCat("/proc/", child.pid(), "/cmdline"));
  EXPECT_EQ(command_line,
            absl::StrCat(WalferryBinary(), std::string("\0migrate\0", 9),
                         std::string("--connect-timeout=1h\0--source\0", 30),
                         absl::StrReplaceAll(uri, {{"s3cret", "******"}}),
                         std::string("\0--target=", 10),
                         absl::StrReplaceAll(uri, {{"s3cret", "******"}}),
                         std::string("\0", 1)));
  child.Signal(SIGTERM);
  ASSERT_OK_AND_ASSIGN(const int exit_code, child.Wait(kTestPatience));
  EXPECT_EQ(exit_code, 75);
  EXPECT_THAT(ReadFile(output), testing::AllOf(HasSubstr("walferry: hint: "),
                                               Not(HasSubstr("s3cret"))));
}

TEST(Cli, PrintsCompletionsAndManual) {
  EXPECT_THAT(Walferry({"man"}).output, HasSubstr(".TH WALFERRY"));
  EXPECT_THAT(Walferry({"completion", "bash"}).output,
              HasSubstr("complete -F"));
  EXPECT_EQ(Walferry({"--version"}).output, "walferry " WALFERRY_VERSION "\n");
}

}  // namespace
}  // namespace walferry
