#ifndef TOOLS_COMPLETION_H_
#define TOOLS_COMPLETION_H_

// Completion scripts for shells, made from the tables of commands and options.
// They hold everything they need: completing does not run walferry.

#include <string>

namespace walferry {

std::string BashCompletion();
std::string ZshCompletion();

}  // namespace walferry

#endif  // TOOLS_COMPLETION_H_
