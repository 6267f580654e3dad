#ifndef TESTS_TOOLS_PROGRAM_FIXTURE_H_
#define TESTS_TOOLS_PROGRAM_FIXTURE_H_

// Runs the program inside the test, with an engine of the test's own.

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/shared_output.h"
#include "tools/program.h"

namespace walferry {

inline constexpr char kProgramSource[] = "postgres://ada:s3cret@old/shop";
inline constexpr char kProgramTarget[] = "host=new password='hunter 2'";

class ProgramTest : public testing::Test {
 protected:
  ExitCode Run(std::vector<std::string> arguments) {
    out_.Clear();
    err_.Clear();
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment_) variables.push_back(name);
    return RunProgram({.arguments = std::move(arguments),
                       .environment = [this](const std::string& name)
                           -> std::optional<std::string> {
                         const auto found = environment_.find(name);
                         if (found == environment_.end()) return std::nullopt;
                         return found->second;
                       },
                       .variables = std::move(variables),
                       .out = *stdout_,
                       .err = err_.stream(),
                       .out_is_terminal = out_is_terminal_,
                       .err_is_terminal = err_is_terminal_,
                       .terminal_size = [] { return TerminalSize{}; },
                       .now = [] { return absl::FromUnixSeconds(1767225600); },
                       .engine = engine_,
                       .ask = ask_});
  }

  std::string out() const { return out_.text(); }
  std::string err() const { return err_.text(); }

  std::map<std::string, std::string> environment_ = {
      {"WALFERRY_SOURCE", kProgramSource}, {"WALFERRY_TARGET", kProgramTarget}};
  EngineCalls engine_;
  Asker ask_;
  SharedOutput out_, err_;
  std::ostream* stdout_ = &out_.stream();
  bool out_is_terminal_ = false;
  bool err_is_terminal_ = false;
};

}  // namespace walferry

#endif  // TESTS_TOOLS_PROGRAM_FIXTURE_H_
