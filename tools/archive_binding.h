#ifndef TOOLS_ARCHIVE_BINDING_H_
#define TOOLS_ARCHIVE_BINDING_H_

// As option_binding.h, for the commands on archives.

#include "absl/status/statusor.h"
#include "engine/archive/archives.h"
#include "tools/option_values.h"

namespace walferry {

absl::StatusOr<DumpOptions> BindDump(const OptionValues& values);
absl::StatusOr<RestoreOptions> BindRestore(const OptionValues& values);
// Without the checks, which stand in a file. An archive that is given wins over
// a source that the environment or a file names.
absl::StatusOr<DrillOptions> BindDrill(const OptionValues& values);

}  // namespace walferry

#endif  // TOOLS_ARCHIVE_BINDING_H_
