#ifndef ENGINE_TARGET_FAST_TARGET_H_
#define ENGINE_TARGET_FAST_TARGET_H_

// A target that restores faster for the time of a run, at the price that a
// crash of its machine meanwhile loses the whole server.
//
//   RETURN_IF_ERROR(CheckFastTarget(target, ledger));
//   ASSIGN_OR_RETURN(auto changed, BeginFastTarget(target, key, options));
//   ... the run ...
//   ASSIGN_OR_RETURN(auto put_back, EndFastTarget(connector));
//
// fsync, synchronous_commit, full_page_writes and autovacuum are turned off;
// maintenance_work_mem, max_wal_size and checkpoint_completion_target raised.
// What ALTER SYSTEM had said of each is in the ledger before it is changed
// (engine/target/altered_settings.h); the settings count as taken back, and the
// notes end, when the server's files are durable again
// (engine/target/durable_server.h). A run that was killed leaves the notes: the
// next one begins or ends with them, and `walferry cleanup` takes them back,
// too.
//
// With delayed tables (engine/catalog/delayed_tables.h) all of it ends before
// clients are told that they may work, and does not begin again.
//
// What somebody else sets by ALTER SYSTEM during the run is put back to what it
// was before the run.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/connect/connect.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct FastTargetOptions {
  // As settings have them. Neither lowers what the server has already.
  std::string maintenance_work_mem = "512MB";
  std::string max_wal_size = "8GB";
};

// What a person should know before a run that uses it.
extern const char kFastTargetWarning[];
// Of one whose target is in use by now.
inline constexpr char kNotFastText[] =
    "the target's settings stay as they are (--fast-target), as clients may "
    "work on it";

// kPermissionDenied without a superuser, kFailedPrecondition where the server
// does not allow ALTER SYSTEM or could not be made durable again, and where
// ALTER SYSTEM has turned fsync off and no note of `ledger`, which may be none
// yet, says that it was on: then another run is at work, or the notes were
// lost, and nobody would ever turn it on again.
absl::Status CheckFastTarget(PgConnection& target, Ledger& ledger);

// "fsync is off" and the like if what a fast run may have left, and lost the
// notes of, is in force: a crash of the target's machine would lose all of it.
// "" otherwise, and if another file than ALTER SYSTEM's says so: somebody has
// made up his mind then.
absl::StatusOr<std::string> UnsafeSettings(PgConnection& target);
// What a person should know of them, after their names.
extern const char kUnsafeSettingsText[];
extern const char kUnsafeSettingsHint[];

// Returns the settings that it has changed, "fsync: on -> off", when they are
// in force for new commands. Not those that the server's command line fixes or
// that are as wanted. May be repeated: the first notes stay. kDataLoss: see
// CheckSameBoot; kFailedPrecondition: see CheckFastTarget. `key` is of a
// migration that the ledger in `target`'s database has.
absl::StatusOr<std::vector<std::string>> BeginFastTarget(
    PgConnection& target, const LedgerKey& key,
    const FastTargetOptions& options);

// Whether there is something for EndFastTarget to do.
bool HasFastTargetNotes(const std::vector<LedgerObject>& objects);

// Puts back what the ledger's notes say and makes the server durable; returns
// the names of the settings, nothing if there is no note. Over a session of its
// own that no interrupt ends: a run that is told to stop must not leave the
// target as it is. An error leaves the notes; the call may be repeated.
absl::StatusOr<std::vector<std::string>> EndFastTarget(
    const Connector& connector);

// The same for a run that has failed before it has read its ledger: nothing is
// done if there is no note, if the target is not reached, or while another
// process works on that migration.
absl::StatusOr<std::vector<std::string>> EndLeftFastTarget(
    const Connector& connector);

}  // namespace walferry

#endif  // ENGINE_TARGET_FAST_TARGET_H_
