#ifndef ENGINE_ARCHIVE_ARCHIVES_H_
#define ENGINE_ARCHIVE_ARCHIVES_H_

// Archives of one database, on disk: made, restored, and proven to be
// restorable. pg_dump and pg_restore read and write them; what is here makes
// them whole, checked and told of.
//
// Each function blocks until done. Errors: kCancelled after
// Control::RequestStop(), kUnavailable where a link was lost, kDataLoss for an
// archive that is not what its manifest says; all others are for the operator.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/archive/archive_facts.h"
#include "engine/archive/restore_errors.h"
#include "engine/archive/sql_check.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/scope.h"

namespace walferry {

struct DumpOptions {
  std::string source;
  ArchiveFormat format = ArchiveFormat::kDirectory;
  // "zstd", "gzip:6", "none"; "": the best that the client can, see
  // engine/archive/compression.h.
  std::string compression;
  // The folder to make. "": DATABASE-TIME, in archive_folder.
  std::string output;
  std::string archive_folder;  // "": the current directory.
  int jobs = 4;                // Tables read at once, in a directory.
  bool schema_only = false;
  bool data_only = false;
  // Only a plain script can do without owners; all other archives keep them,
  // and a notice says so.
  bool no_owner = false;
  bool no_acl = false;
  // Without publications and subscriptions; a plain script only, as above.
  bool no_replication = false;
  // Only exclusions: schemas and tables are empty.
  ScopeOptions scope;
  // The free disk space that is asked for, in percent of the database's size.
  // 0: none.
  int disk_share = 50;
  std::string pg_dump;  // "": found by itself.
  absl::Duration connect_timeout = kDefaultConnectTimeout;
};

struct DumpReport {
  std::string path;  // Of the folder.
  ArchiveFacts facts;
  absl::Duration elapsed;
};

// Makes a folder that holds the archive, walferry.json (ArchiveFacts) and
// MANIFEST.sha256, which `sha256sum -c` reads. Until it is complete and on
// disk it is called PATH.unfinished; after an error that is removed.
// kAlreadyExists: something of that name is there.
absl::StatusOr<DumpReport> RunDump(const DumpOptions& options, Control& control,
                                   EventSink& events);

struct RestoreOptions {
  // A folder that RunDump has made, or anything that pg_dump has written.
  std::string input;
  std::string target;
  bool no_owner = false;
  bool no_acl = false;
  bool schema_only = false;
  // Into tables that are there.
  bool data_only = false;
  // Publications and subscriptions stay out. Of a plain script, which is
  // restored as it is, a subscription is kFailedPrecondition.
  bool no_replication = false;
  // Drops the target's database and creates it again as it was, empty, before
  // anything is restored, but after the archive was checked.
  bool drop_target_first = false;
  // Others in a database that is dropped: their sessions are ended, or they are
  // kFailedPrecondition.
  bool end_sessions = true;
  // Goes on after errors, which are told one by one and counted. Otherwise the
  // first one ends the restore, as it always does with a plain script.
  bool allow_errors = false;
  bool analyze = true;
  int jobs = 4;        // Tables loaded at once.
  int index_jobs = 2;  // Indexes and constraints built at once.
  // Of the target's disk, where it can be seen; as in DumpOptions.
  int disk_share = 50;
  std::string pg_dump;  // pg_restore stands beside it. "": found by itself.
  absl::Duration connect_timeout = kDefaultConnectTimeout;
};

struct RestoreReport {
  std::string database;               // On the target.
  std::optional<ArchiveFacts> facts;  // nullopt: the archive has none.
  bool checked = false;               // Against a manifest.
  // Empty unless errors were allowed.
  std::vector<RestoreErrorKind> errors;
  int64_t bytes = 0;  // Of the target's database afterwards.
  absl::Duration elapsed;
};

// Checks the archive and the target first; the target's database must be empty
// unless it is dropped or only rows are restored. An error after that leaves
// there what was restored so far, and the hint says so.
absl::StatusOr<RestoreReport> RunRestore(const RestoreOptions& options,
                                         Control& control, EventSink& events);

struct DrillOptions {
  // Of these two, one: an archive, or the database that is dumped afresh.
  std::string input;
  std::string source;
  // Any database of the server that the scratch database is made on.
  std::string target;
  std::vector<SqlCheck> checks;
  // An archive of less than the whole database can pass, too.
  bool allow_partial = false;
  // An archive of before that fails, and one that does not say when it is of.
  absl::Duration max_age = absl::InfiniteDuration();
  bool keep = false;  // The scratch database.
  bool no_owner = false;
  bool no_acl = false;
  int jobs = 4;
  int index_jobs = 2;
  // Of a fresh dump, as in DumpOptions; it is removed afterwards.
  std::string archive_folder;
  ScopeOptions scope;
  int disk_share = 50;
  std::string pg_dump;
  absl::Duration connect_timeout = kDefaultConnectTimeout;
};

struct DrillCheck {
  enum class Outcome { kPassed, kFailed, kSkipped };
  std::string name;  // "rows", or what --checks calls it.
  Outcome outcome = Outcome::kPassed;
  std::string detail;  // What was found: a sentence without a full stop.
  absl::Duration elapsed;
};

struct DrillStep {
  std::string name;  // "dump", "check", "restore", "checks".
  absl::Duration elapsed;
};

struct DrillReport {
  std::string subject;  // The archive's path, or "a fresh dump of DATABASE".
  std::optional<ArchiveFacts> facts;
  std::string target_version;  // "15.18".
  std::string scratch;         // The scratch database's name.
  bool kept = false;
  int64_t restored_bytes = 0;  // Of the scratch database; 0: not restored.
  absl::Time started_at;
  absl::Duration elapsed;
  std::vector<DrillStep> steps;
  // In order. A drill whose archive cannot be restored ends with the check
  // that says so.
  std::vector<DrillCheck> checks;
  // What is wrong with the drill rather than with the archive: why it could not
  // be held, or what it has left behind and how that goes away. "": nothing.
  std::string trouble;

  // A check has failed.
  bool found_faults() const;
  // It was held, and has found none.
  bool passed() const { return !found_faults() && trouble.empty(); }
};

// Restores into a database of its own, checks it and drops it, also after an
// error and when told to stop. What is wrong with the archive is in the report;
// an error means that the drill itself could not be held, so that nobody knows
// about the archive. kFailedPrecondition: among others, the target is the
// server that the data comes from. An error also tells what is left behind.
absl::StatusOr<DrillReport> RunDrill(const DrillOptions& options,
                                     Control& control, EventSink& events);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVES_H_
