#ifndef ENGINE_ARCHIVE_ARCHIVE_MIGRATION_H_
#define ENGINE_ARCHIVE_ARCHIVE_MIGRATION_H_

// An offline migration through an archive on disk: a dump that is kept, and a
// restore of it.
//
// It writes no ledger, for the two places it could stand in are the database
// that pg_restore wants empty and the archive, which is whole or is not there.
// So what is left of a run that failed is told by what there is: a complete
// archive, which the next run takes if it is named, and a target that holds
// something, which is refused unless it is dropped.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/archive/archive_facts.h"
#include "engine/archive/restore_errors.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/report.h"

namespace walferry {

struct ArchiveMigrationOptions {
  // Offline. Of its scope only exclusions, and not rows alone.
  MigrateOptions migrate;
  // As in DumpOptions and RestoreOptions.
  ArchiveFormat format = ArchiveFormat::kDirectory;
  std::string compression;
  std::string archive_folder;
  int disk_share = 50;
  bool allow_errors = false;
  // A complete archive of the source, which is restored as it is, instead of a
  // new one; "": none.
  std::string input;
};

struct ArchiveMigrationReport {
  // Figures that pg_dump and pg_restore do not tell are 0.
  Report report;
  // Empty unless errors were allowed.
  std::vector<RestoreErrorKind> errors;
};

// check -> dump -> restore. Errors as of RunDump and RunRestore; one after the
// dump says where the archive is.
absl::StatusOr<ArchiveMigrationReport> RunArchiveMigration(
    const ArchiveMigrationOptions& options, Control& control,
    EventSink& events);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_MIGRATION_H_
