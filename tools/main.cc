#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/debugging/failure_signal_handler.h"
#include "absl/debugging/symbolize.h"
#include "absl/time/clock.h"
#include "tools/engine_calls.h"
#include "tools/program.h"
#include "tools/redaction.h"
#include "tools/signal_watch.h"

namespace {

std::optional<std::string> ReadVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::vector<std::string> VariableNames() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    names.push_back(text.substr(0, text.find('=')));
  }
  return names;
}

walferry::TerminalSize SizeOfTerminal() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

// On standard error, as standard output carries the result.
std::optional<std::string> Ask(absl::string_view question) {
  std::cerr << question << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) return std::nullopt;
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  absl::InitializeSymbolizer(argv[0]);
  absl::InstallFailureSignalHandler({});
  signal(SIGTERM, SIG_DFL);  // No failure of ours.
  walferry::IgnoreBrokenPipes();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  walferry::WipePasswords(argc, argv);
  const walferry::EngineCalls engine = walferry::RealEngineCalls();
  const bool can_ask = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  return static_cast<int>(
      walferry::RunProgram({.arguments = arguments,
                            .environment = ReadVariable,
                            .variables = VariableNames(),
                            .out = std::cout,
                            .err = std::cerr,
                            .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                            .err_is_terminal = isatty(STDERR_FILENO) == 1,
                            .terminal_size = SizeOfTerminal,
                            .now = absl::Now,
                            .engine = engine,
                            .ask = can_ask ? Ask : walferry::Asker()}));
}
