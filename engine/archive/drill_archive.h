#ifndef ENGINE_ARCHIVE_DRILL_ARCHIVE_H_
#define ENGINE_ARCHIVE_DRILL_ARCHIVE_H_

// Drill: whether the archive is one that can prove what is to be proved.

#include "absl/time/time.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/drill_finding.h"

namespace walferry {

// Fails if it was made of less than the whole database, unless that is
// accepted; skipped where it does not say.
DrillFinding CheckWhole(const ArchiveInput& input, bool accept_partial);

// Fails if it is older than `max_age` at `now`, or does not say when it is of.
DrillFinding CheckAge(const ArchiveInput& input, absl::Time now,
                      absl::Duration max_age);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DRILL_ARCHIVE_H_
