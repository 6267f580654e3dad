#ifndef TOOLS_ARCHIVE_BINDING_H_
#define TOOLS_ARCHIVE_BINDING_H_

// As option_binding.h, for the commands on archives.

#include "absl/status/statusor.h"
#include "engine/archive/archive_migration.h"
#include "engine/archive/archives.h"
#include "engine/options.h"
#include "tools/option_values.h"

namespace walferry {

absl::StatusOr<DumpOptions> BindDump(const OptionValues& values);
absl::StatusOr<RestoreOptions> BindRestore(const OptionValues& values);
// Without the checks, which stand in a file. An archive that is given wins over
// a source that the environment or a file names.
absl::StatusOr<DrillOptions> BindDrill(const OptionValues& values);

// Of what BindMigrate has read. kInvalidArgument also if --via is stream, and
// something else was asked for that goes with archives only.
absl::StatusOr<ArchiveMigrationOptions> BindArchiveMigration(
    const OptionValues& values, MigrateOptions migrate);

}  // namespace walferry

#endif  // TOOLS_ARCHIVE_BINDING_H_
