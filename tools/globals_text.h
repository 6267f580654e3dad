#ifndef TOOLS_GLOBALS_TEXT_H_
#define TOOLS_GLOBALS_TEXT_H_

// What became of a server's globals, as a person reads it.

#include <string>

#include "engine/server/servers.h"

namespace walferry {

// Of a dry run the whole text is SQL: findings are comments in front of the
// statements. Otherwise a few lines.
std::string GlobalsText(const GlobalsReport& report);

}  // namespace walferry

#endif  // TOOLS_GLOBALS_TEXT_H_
