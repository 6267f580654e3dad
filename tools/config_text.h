#ifndef TOOLS_CONFIG_TEXT_H_
#define TOOLS_CONFIG_TEXT_H_

// Settings as text: what `walferry config` prints. Both are configuration
// files in form.

#include <string>
#include <utility>
#include <vector>

#include "tools/command_table.h"
#include "tools/option_values.h"
#include "tools/redaction.h"

namespace walferry {

// Every setting of `command`, its value and where that comes from. Passwords
// are shown as ***.
std::string ShowConfig(Command command, const OptionValues& values,
                       const Redactor& redactor);

// A section with the settings that `command` sees differently from `top`; ""
// if there are none.
std::string ShowSection(Command command, const OptionValues& values,
                        const OptionValues& top, const Redactor& redactor);

// A file to start from: every key with its help, commented out.
std::string ExampleConfig();

}  // namespace walferry

#endif  // TOOLS_CONFIG_TEXT_H_
