#ifndef ENGINE_ARCHIVE_ARCHIVE_LOAD_H_
#define ENGINE_ARCHIVE_ARCHIVE_LOAD_H_

// One restore by pg_restore or psql, into a database that is ready for it.

#include <vector>

#include "absl/status/statusor.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/restore_errors.h"
#include "engine/archive/target_database.h"
#include "engine/event.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct LoadOptions {
  bool no_owner = false;
  bool no_acl = false;
  bool schema_only = false;
  bool data_only = false;
  // Publications and subscriptions stay out, too: a scratch database must be
  // droppable, and may touch no other server.
  bool no_replication = false;
  bool allow_errors = false;
  int server_version = 0;  // Of the target: 150018.
  int jobs = 4;
  int index_jobs = 2;
};

// Schema, rows, then indexes and constraints, a phase each. Returns the errors
// if they are allowed, each of which was also told as a warning. Otherwise the
// first one is the error: kFailedPrecondition. kUnavailable: the link was lost;
// kCancelled: told to stop; kInternal: pg_restore counts other errors than we
// have read. What was restored stays after all of these.
absl::StatusOr<std::vector<RestoreErrorKind>> LoadArchive(
    const ArchiveInput& input, const PgTools& tools,
    const TargetDatabase& target, const LoadOptions& options,
    const Interrupt& interrupt, EventSink& events);

// Statistics of every table, over `jobs` sessions; in the phase of indexes.
absl::Status AnalyzeDatabase(const TargetDatabase& target, int jobs,
                             EventSink& events);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_LOAD_H_
