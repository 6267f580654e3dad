#ifndef ENGINE_MIGRATION_MIGRATION_H_
#define ENGINE_MIGRATION_MIGRATION_H_

// Everything the walferry command does, as functions. Each blocks until done;
// run it in a thread of your own to do other things meanwhile.
//
//   Control control;                       // RequestCutover(), RequestStop()
//   MySink sink;                           // an EventSink
//   absl::StatusOr<Report> report = RunMigration(options, control, sink);
//
// Errors: kInvalidArgument, kFailedPrecondition, kPermissionDenied, kNotFound
// and kAlreadyExists are for the operator; kCancelled after RequestStop():
// the same call later goes on where this one stopped; kUnavailable, kAborted,
// kDeadlineExceeded and kResourceExhausted: retried for
// StreamOptions::retry_for and given up, also resumable (IsResumable in
// engine/connect/retry_policy.h). A server that does not answer when the run
// begins is not waited for: kFailedPrecondition.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/check/check.h"
#include "engine/comparison.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/report.h"
#include "engine/status.h"

namespace walferry {

// check -> prepare -> schema -> copy -> indexes -> follow -> cutover -> done.
// Called again with the same name it goes on where the last run ended.
absl::StatusOr<Report> RunMigration(const MigrateOptions& options,
                                    Control& control, EventSink& events);

// Applies an existing slot's stream into existing tables, until until_lsn or
// RequestStop(), or, after RequestCutover(), until it is drained.
absl::StatusOr<Report> RunFollow(const FollowOptions& options, Control& control,
                                 EventSink& events);

// Looks at both sides and changes nothing on either.
absl::StatusOr<CheckReport> RunCheck(const CheckOptions& options,
                                     Control& control);

// Asks the running migration of that name to cut over, waits, and returns its
// report. Meanwhile `events` hears how far it is behind and what it waits for,
// several times a second. kNotFound: no such migration; kFailedPrecondition:
// none is running, it gave the cutover up (why), or the name is a follow's,
// which ends otherwise.
absl::StatusOr<Report> RunCutover(const CutoverOptions& options,
                                  Control& control, EventSink& events);

// What the ledger says.
absl::StatusOr<MigrationStatus> RunStatus(const StatusOptions& options,
                                          Control& control);

// What a comparison of that migration's target has found, for RunStatus.
// kNotFound: no such migration; kAborted: the one of that name was begun at
// another time.
absl::Status NoteComparison(const Endpoints& endpoints,
                            const ComparisonNote& note, Control& control);

// Drops what walferry created on both sides (slot, publication, origin,
// settings, ledger), never the user's tables. Returns what it did, a line each.
// May be run again; kNotFound: the ledger has others, but none of that name.
absl::StatusOr<std::vector<std::string>> RunCleanup(
    const CleanupOptions& options, Control& control);

}  // namespace walferry

#endif  // ENGINE_MIGRATION_MIGRATION_H_
