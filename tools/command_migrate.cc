#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/retry_policy.h"
#include "protocol/status.h"
#include "tools/archive_binding.h"
#include "tools/archive_text.h"
#include "tools/command.h"
#include "tools/confirm_drop.h"
#include "tools/live_run.h"
#include "tools/option_binding.h"
#include "tools/server_live.h"

namespace walferry {
namespace {

CommandOutcome RunStream(const CommandContext& context,
                         const MigrateOptions& options) {
  LiveRunOptions live;
  if (options.mode == MigrateMode::kOnline) {
    live.cutover_note =
        "cutover requested: it begins once the target has caught up; Ctrl+C "
        "again stops now";
  }
  return RunLive(context, live, [&](Control& control, EventSink& events) {
    return context.engine.migrate(options, control, events);
  });
}

// The same command would dump anew, into a target that may hold something.
absl::Status NotResumable(const absl::Status& status) {
  if (!IsResumable(status)) return status;
  return WithHint(absl::FailedPreconditionError(status.message()),
                  HintOf(status));
}

CommandOutcome RunArchive(const CommandContext& context,
                          const ArchiveMigrationOptions& options) {
  std::vector<RestoreErrorKind> errors;
  LiveRunOptions live;
  live.goes_on = false;
  live.shortfall = [&] {
    return errors.empty() ? absl::OkStatus() : IncompleteRestore(errors);
  };
  return RunLive(
      context, live,
      [&](Control& control, EventSink& events) -> absl::StatusOr<Report> {
        absl::StatusOr<ArchiveMigrationReport> done =
            context.engine.migrate_by_archive(options, control, events);
        if (!done.ok()) return NotResumable(done.status());
        errors = done->errors;
        return done->report;
      });
}

}  // namespace

CommandOutcome RunMigrateCommand(const CommandContext& context) {
  if (context.values.Flag(OptionId::kAllDatabases)) {
    const absl::StatusOr<ServerMigrateOptions> server =
        BindServerMigrate(context.values);
    if (!server.ok()) return FailUsage(server.status());
    return RunServerLive(context, *server);
  }
  const absl::StatusOr<MigrateOptions> options = BindMigrate(context.values);
  if (!options.ok()) return FailUsage(options.status());
  const absl::StatusOr<ArchiveMigrationOptions> by_archive =
      BindArchiveMigration(context.values, *options);
  if (!by_archive.ok()) return FailUsage(by_archive.status());
  if (options->drop_target_first) {
    const absl::Status confirmed =
        ConfirmDrop(context, options->endpoints.target);
    if (!confirmed.ok()) return NotConfirmed(confirmed);
  }
  return context.values.Text(OptionId::kVia) == "archive"
             ? RunArchive(context, *by_archive)
             : RunStream(context, *options);
}

}  // namespace walferry
