#ifndef TOOLS_REQUIRED_OPTION_H_
#define TOOLS_REQUIRED_OPTION_H_

// Options that a command cannot do without.

#include <string>

#include "absl/status/statusor.h"
#include "tools/option_values.h"

namespace walferry {

// kInvalidArgument, with the ways to give it: nobody has.
absl::StatusOr<std::string> Required(const OptionValues& values, OptionId id);

// A connection string that libpq can read; whether a server answers is another
// matter.
absl::StatusOr<std::string> RequiredConnInfo(const OptionValues& values,
                                             OptionId id);

}  // namespace walferry

#endif  // TOOLS_REQUIRED_OPTION_H_
