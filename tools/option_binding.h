#ifndef TOOLS_OPTION_BINDING_H_
#define TOOLS_OPTION_BINDING_H_

// From option values to what the engine is asked for. kInvalidArgument is a
// usage error: something is missing, or two values do not go together.

#include "absl/status/statusor.h"
#include "engine/options.h"
#include "engine/server/servers.h"
#include "engine/stream/capture.h"
#include "tools/option_values.h"

namespace walferry {

absl::StatusOr<CheckOptions> BindCheck(const OptionValues& values);
absl::StatusOr<MigrateOptions> BindMigrate(const OptionValues& values);
// Of all databases of a server: with --all-databases.
absl::StatusOr<ServerMigrateOptions> BindServerMigrate(
    const OptionValues& values);
absl::StatusOr<FollowOptions> BindFollow(const OptionValues& values);
absl::StatusOr<CutoverOptions> BindCutover(const OptionValues& values);
absl::StatusOr<StatusOptions> BindStatus(const OptionValues& values);
absl::StatusOr<CleanupOptions> BindCleanup(const OptionValues& values);
absl::StatusOr<CaptureOptions> BindCapture(const OptionValues& values);
absl::StatusOr<ReplayOptions> BindReplay(const OptionValues& values);
absl::StatusOr<GlobalsOptions> BindGlobals(const OptionValues& values);

}  // namespace walferry

#endif  // TOOLS_OPTION_BINDING_H_
