#ifndef TOOLS_PROGRAM_H_
#define TOOLS_PROGRAM_H_

// The whole walferry command but for the process around it.

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tools/command.h"
#include "tools/engine_calls.h"
#include "tools/exit_code.h"
#include "tools/option_values.h"
#include "tools/terminal_progress.h"

namespace walferry {

// What the process gives. Everything outlives the call.
struct ProgramInputs {
  std::vector<std::string> arguments;  // Without the program's name.
  EnvironmentReader environment;
  std::vector<std::string> variables;  // The names that are set.
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::function<TerminalSize()> terminal_size;
  std::function<absl::Time()> now;
  const EngineCalls& engine;
  Asker ask = {};
};

// Reads the arguments, runs the command, prints its result or its error.
ExitCode RunProgram(const ProgramInputs& inputs);

}  // namespace walferry

#endif  // TOOLS_PROGRAM_H_
