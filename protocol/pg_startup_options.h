#ifndef PROTOCOL_PG_STARTUP_OPTIONS_H_
#define PROTOCOL_PG_STARTUP_OPTIONS_H_

// The startup options that a connection string asks for.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// "options='-c work_mem=5MB -c lc_messages=C'": what the string asks for, and
// `setting` behind it. Of one keyword the last counts, and a string's own hides
// the variable PGOPTIONS. kInvalidArgument: libpq refuses the string.
absl::StatusOr<std::string> OptionsWithSetting(const std::string& conninfo,
                                               absl::string_view setting);

}  // namespace walferry

#endif  // PROTOCOL_PG_STARTUP_OPTIONS_H_
