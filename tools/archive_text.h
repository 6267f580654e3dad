#ifndef TOOLS_ARCHIVE_TEXT_H_
#define TOOLS_ARCHIVE_TEXT_H_

// What dump and restore have done, as a person reads it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/archive/archives.h"

namespace walferry {

// Several lines, the last one ended too.
std::string DumpText(const DumpReport& report);
std::string RestoreText(const RestoreOptions& options,
                        const RestoreReport& report);

// Whoever has allowed errors still has to know that there were some: how many
// `errors`, which is not empty, are.
absl::Status IncompleteRestore(const std::vector<RestoreErrorKind>& errors);

}  // namespace walferry

#endif  // TOOLS_ARCHIVE_TEXT_H_
