#ifndef TOOLS_SERVER_MIGRATION_H_
#define TOOLS_SERVER_MIGRATION_H_

// With --all-databases a name is that of a move of all databases, or nobody's.

#include "absl/status/status.h"
#include "engine/control.h"
#include "engine/options.h"
#include "tools/command.h"

namespace walferry {

// kNotFound, with what to look at.
absl::Status NoServerMigration(const StatusOptions& asked);

// OK also without --all-databases. NoServerMigration: the target has none of
// that name.
absl::Status RequireServerMigration(const CommandContext& context,
                                    const StatusOptions& asked,
                                    Control& control);

}  // namespace walferry

#endif  // TOOLS_SERVER_MIGRATION_H_
