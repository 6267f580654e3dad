#ifndef TOOLS_CONFIRM_DROP_H_
#define TOOLS_CONFIRM_DROP_H_

// The question before a database is dropped.

#include <string>

#include "absl/status/status.h"
#include "tools/command.h"

namespace walferry {

// Of --drop-target-first: asks for the name of the database that `target` is a
// connection string of, unless --yes is given. kCancelled: somebody has thought
// better of it. kInvalidArgument: nobody is there to be asked.
absl::Status ConfirmDrop(const CommandContext& context,
                         const std::string& target);

// How a command ends to which that was said.
CommandOutcome NotConfirmed(const absl::Status& status);

}  // namespace walferry

#endif  // TOOLS_CONFIRM_DROP_H_
