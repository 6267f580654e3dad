#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/connect/retry_policy.h"
#include "protocol/status.h"
#include "tools/archive_binding.h"
#include "tools/archive_text.h"
#include "tools/command.h"
#include "tools/confirm_drop.h"
#include "tools/live_run.h"
#include "tools/online_proof.h"
#include "tools/option_binding.h"
#include "tools/server_live.h"
#include "tools/verify_step.h"

namespace walferry {
namespace {

CommandOutcome RunStream(const CommandContext& context,
                         const MigrateOptions& options, VerifyStep& verify) {
  LiveRunOptions live;
  if (options.mode == MigrateMode::kOnline) {
    live.cutover_note =
        "cutover requested: it begins once the target has caught up; Ctrl+C "
        "again stops now";
  }
  live.shortfall = [&] { return verify.shortfall(); };
  return RunLive(
      context, live,
      [&](Control& control, EventSink& events) -> absl::StatusOr<Report> {
        const auto before_usable = [&] {
          return verify.BeforeClients(context.engine, control, events);
        };
        ASSIGN_OR_RETURN(Report report,
                         options.scope.delay_table_data.empty()
                             ? context.engine.migrate(options, control, events)
                             : context.engine.migrate_delaying(
                                   options, before_usable, control, events));
        RETURN_IF_ERROR(verify.Run(context.engine, control, events, report));
        return report;
      });
}

// The same command would dump anew, into a target that may hold something.
absl::Status NotResumable(const absl::Status& status) {
  if (!IsResumable(status)) return status;
  return WithHint(absl::FailedPreconditionError(status.message()),
                  HintOf(status));
}

CommandOutcome RunArchive(const CommandContext& context,
                          const ArchiveMigrationOptions& options,
                          VerifyStep& verify) {
  std::vector<RestoreErrorKind> errors;
  LiveRunOptions live;
  live.goes_on = false;
  live.shortfall = [&] {
    return errors.empty() ? verify.shortfall() : IncompleteRestore(errors);
  };
  return RunLive(
      context, live,
      [&](Control& control, EventSink& events) -> absl::StatusOr<Report> {
        absl::StatusOr<ArchiveMigrationReport> done =
            context.engine.migrate_by_archive(options, control, events);
        if (!done.ok()) return NotResumable(done.status());
        errors = done->errors;
        const absl::Status compared =
            verify.Run(context.engine, control, events, done->report);
        if (!compared.ok()) return NotResumable(compared);
        return done->report;
      });
}

}  // namespace

CommandOutcome RunMigrateCommand(const CommandContext& context) {
  if (context.values.Flag(OptionId::kAllDatabases)) {
    absl::StatusOr<ServerMigrateOptions> server =
        BindServerMigrate(context.values);
    if (!server.ok()) return FailUsage(server.status());
    const absl::Status verify =
        BindServerVerify(context.values, context.engine, *server);
    if (!verify.ok()) return FailUsage(verify);
    const auto proof =
        BindOnlineProof(context.values, context.engine, server->migrate);
    return RunServerLive(context, *server);
  }
  absl::StatusOr<MigrateOptions> options = BindMigrate(context.values);
  if (!options.ok()) return FailUsage(options.status());
  const auto proof = BindOnlineProof(context.values, context.engine, *options);
  const absl::StatusOr<ArchiveMigrationOptions> by_archive =
      BindArchiveMigration(context.values, *options);
  if (!by_archive.ok()) return FailUsage(by_archive.status());
  absl::StatusOr<VerifyStep> verify =
      VerifyStep::Bind(context.values, *options, !by_archive->input.empty());
  if (!verify.ok()) return FailUsage(verify.status());
  if (options->drop_target_first) {
    const absl::Status confirmed =
        ConfirmDrop(context, options->endpoints.target);
    if (!confirmed.ok()) return NotConfirmed(confirmed);
  }
  return context.values.Text(OptionId::kVia) == "archive"
             ? RunArchive(context, *by_archive, *verify)
             : RunStream(context, *options, *verify);
}

}  // namespace walferry
