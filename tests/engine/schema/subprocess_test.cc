#include "engine/schema/subprocess.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::EndsWith;

SubprocessOptions Shell(const std::string& script) {
  return {.argv = {"/bin/sh", "-c", script}};
}

bool Gone(pid_t pid) { return kill(pid, 0) != 0 && errno == ESRCH; }

// The number that a child has written into a file, once it is there whole.
pid_t PidIn(const std::string& path) {
  pid_t pid = 0;
  EXPECT_TRUE(WaitUntil([&] {
    const auto read = RunSubprocess({.argv = {"/bin/cat", path}});
    return read.ok() && read->ok() && read->output.ends_with('\n') &&
           absl::SimpleAtoi(read->output, &pid);
  }));
  return pid;
}

TEST(Subprocess, GivesOutputErrorsAndExitCode) {
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result,
                       RunSubprocess(Shell("echo out; echo err >&2; exit 3")));
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.ok());
}

TEST(Subprocess, CountsASignalAsAShellDoes) {
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result,
                       RunSubprocess(Shell("kill -9 $$")));
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
}

TEST(Subprocess, PassesArgumentsWithoutAShell) {
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result,
                       RunSubprocess({.argv = {"/usr/bin/printf", "%s|", "a b",
                                               "$HOME;'\"\n", ""}}));
  EXPECT_EQ(result.output, "a b|$HOME;'\"\n||");
}

TEST(Subprocess, AddsAndReplacesVariables) {
  setenv("WALFERRY_TEST_VARIABLE", "ours", 1);
  setenv("WALFERRY_TEST_VARIABLE_2", "kept", 1);
  SubprocessOptions options =
      Shell("echo $WALFERRY_TEST_VARIABLE $WALFERRY_TEST_VARIABLE_2 $NEW");
  options.environment = {{"WALFERRY_TEST_VARIABLE", "theirs"}, {"NEW", "new"}};
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result, RunSubprocess(options));
  EXPECT_EQ(result.output, "theirs kept new\n");
}

TEST(Subprocess, HandsNoVariableOfADroppedPrefixOn) {
  ASSERT_EQ(setenv("WALFERRY_TEST_DROPPED", "1", 1), 0);
  SubprocessOptions options =
      Shell("echo \"$WALFERRY_TEST_DROPPED,$WALFERRY_TEST_GIVEN\"");
  options.environment = {{"WALFERRY_TEST_GIVEN", "2"}};
  options.dropped_prefix = "WALFERRY_TEST_";
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result, RunSubprocess(options));
  EXPECT_EQ(result.output, ",2\n");
}

TEST(Subprocess, FeedsMoreThanAPipeHoldsToAProgramThatReadsLate) {
  const std::string input(size_t{3} << 20, 'x');
  SubprocessOptions options = Shell("head -c 100000 /dev/zero; cat");
  options.input = input;
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result, RunSubprocess(options));
  EXPECT_EQ(result.output, std::string(100000, '\0') + input);
}

TEST(Subprocess, DoesNotMindAProgramThatReadsNothing) {
  const std::string input(size_t{1} << 20, 'x');
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result,
                       RunSubprocess({.argv = {"/bin/true"}, .input = input}));
  EXPECT_TRUE(result.ok());
}

TEST(Subprocess, KeepsTheLastOfTheErrors) {
  ASSERT_OK_AND_ASSIGN(
      const SubprocessResult result,
      RunSubprocess(Shell("head -c 1000000 /dev/zero >&2; echo last >&2")));
  EXPECT_EQ(result.errors.size(), size_t{64} << 10);
  EXPECT_THAT(result.errors, EndsWith("last\n"));
}

TEST(Subprocess, EndsAProgramThatSaysTooMuch) {
  SubprocessOptions options = Shell("cat /dev/zero");
  options.max_output_bytes = 1000;
  EXPECT_THAT(RunSubprocess(options),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "/bin/sh: more than 1000 bytes of output"));
}

TEST(Subprocess, HandsOutputOnInPieces) {
  SubprocessOptions options =
      Shell("head -c 3000000 /dev/zero; echo err >&2; echo last >&2");
  options.max_output_bytes = 1000;
  size_t bytes = 0;
  std::string errors;
  int ticks = 0;
  options.on_output = [&](absl::string_view piece) { bytes += piece.size(); };
  options.on_errors = [&](absl::string_view piece) {
    errors.append(piece.data(), piece.size());
  };
  options.while_running = [&] { ++ticks; };
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result, RunSubprocess(options));
  EXPECT_EQ(bytes, 3000000u);
  EXPECT_EQ(errors, "err\nlast\n");
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.errors, "err\nlast\n");
  EXPECT_GT(ticks, 0);
}

TEST(Subprocess, SaysWhatCannotBeRun) {
  EXPECT_THAT(RunSubprocess({.argv = {"/nowhere/at/all"}}),
              StatusIs(absl::StatusCode::kNotFound,
                       "run /nowhere/at/all: No such file or directory"));
  EXPECT_THAT(RunSubprocess({.argv = {"/etc/passwd"}}),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "run /etc/passwd: Permission denied"));
}

TEST(Subprocess, EndsAtItsDeadline) {
  SubprocessOptions options = Shell("sleep 1000");
  options.timeout = absl::Milliseconds(50);
  EXPECT_THAT(RunSubprocess(options),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       "/bin/sh: not done after 50ms"));
}

TEST(Subprocess, KillsAProgramThatIgnoresItsDeadline) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string pid_file = directory.path() + "/pid";
  SubprocessOptions options =
      Shell("trap '' TERM; echo $$ > " + pid_file + "; while :; do :; done");
  options.timeout = absl::Milliseconds(200);
  EXPECT_THAT(RunSubprocess(options),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       "/bin/sh: not done after 200ms"));
  EXPECT_TRUE(Gone(PidIn(pid_file)));
}

TEST(Subprocess, EndsWhenInterrupted) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string pid_file = directory.path() + "/pid";
  Interrupt interrupt;
  // A child of the child, in the same process group.
  SubprocessOptions options =
      Shell("sleep 1000 & echo $! > " + pid_file + "; wait");
  options.interrupt = &interrupt;
  absl::Status status;
  std::thread runner([&] { status = RunSubprocess(options).status(); });
  const pid_t sleeper = PidIn(pid_file);
  interrupt.Raise();
  runner.join();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kCancelled, "/bin/sh: interrupted"));
  // Reaped by whoever is init here, perhaps never: a zombie will do.
  EXPECT_TRUE(WaitUntil([&] {
    const auto state = RunSubprocess(
        {.argv = {"/bin/sed", "-n", "s/^State:\t\\(.\\).*/\\1/p",
                  "/proc/" + std::to_string(sleeper) + "/status"}});
    return state.ok() && (!state->ok() || state->output == "Z\n");
  }));
}

TEST(Subprocess, DoesNotWaitForAGrandchildThatKeepsTheOutputOpen) {
  SubprocessOptions options = Shell("sleep 1000 & echo $!");
  options.timeout = absl::Minutes(1);
  ASSERT_OK_AND_ASSIGN(const SubprocessResult result, RunSubprocess(options));
  pid_t grandchild = 0;
  ASSERT_TRUE(absl::SimpleAtoi(result.output, &grandchild));
  EXPECT_EQ(kill(grandchild, SIGKILL), 0);
}

TEST(Subprocess, GivesAChildItsOwnSessionAndNoBlockedSignals) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto result =
      RunSubprocess({.argv = {"/bin/grep", "-E", "^SigBlk|^NSpgid|^NSsid",
                              "/proc/self/status"}});
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_OK(result);
  EXPECT_THAT(result->output, EndsWith("SigBlk:\t0000000000000000\n"));
  EXPECT_EQ(result->output.find("\t" + std::to_string(getpgrp()) + "\n"),
            std::string::npos);
}

TEST(Subprocess, LeavesNoZombieAndNoOpenFile) {
  const auto open_files = [] {
    std::set<std::string> files;
    for (const auto& file :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      files.insert(file.path());
    }
    return files;
  };
  const std::set<std::string> before = open_files();
  ASSERT_OK(RunSubprocess(Shell("exit 1")));
  ASSERT_FALSE(RunSubprocess({.argv = {"/nowhere"}}).ok());
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Subprocess, DiesWithItsParent) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string pid_file = directory.path() + "/pid";
  const pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const auto unused =
        RunSubprocess(Shell("echo $$ > " + pid_file + "; exec sleep 1000"));
    _exit(unused.ok() ? 0 : 1);
  }
  const pid_t child = PidIn(pid_file);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_TRUE(WaitUntil([&] {
    const auto state =
        RunSubprocess({.argv = {"/bin/sed", "-n", "s/^State:\t\\(.\\).*/\\1/p",
                                "/proc/" + std::to_string(child) + "/status"}});
    return state.ok() && (!state->ok() || state->output == "Z\n");
  }));
}

}  // namespace
}  // namespace walferry
