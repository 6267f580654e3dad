#ifndef TOOLS_CONFIRM_REPAIR_H_
#define TOOLS_CONFIRM_REPAIR_H_

// The question before rows of a target are changed.

#include <string>

#include "absl/status/status.h"
#include "tools/command.h"

namespace walferry {

// Of --repair: asks for the name of the database that `target` is a connection
// string of, unless --yes or --dry-run is given. Errors as of ConfirmDrop, for
// NotConfirmed.
absl::Status ConfirmRepair(const CommandContext& context,
                           const std::string& target);

}  // namespace walferry

#endif  // TOOLS_CONFIRM_REPAIR_H_
