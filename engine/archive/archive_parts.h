#ifndef ENGINE_ARCHIVE_ARCHIVE_PARTS_H_
#define ENGINE_ARCHIVE_ARCHIVE_PARTS_H_

// Whether an archive can be restored in the part that is asked for.

#include "absl/status/status.h"
#include "engine/archive/archive_input.h"

namespace walferry {

struct AskedParts {
  bool schema_only = false;
  bool data_only = false;
  bool no_owner = false;
  bool no_acl = false;
  bool allow_errors = false;
};

// kInvalidArgument: a plain script, of which nothing can be left out any more
// and which ends at its first error. kFailedPrecondition: it has rows alone,
// and more is asked for.
absl::Status CheckParts(const ArchiveInput& input, const AskedParts& asked);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_PARTS_H_
