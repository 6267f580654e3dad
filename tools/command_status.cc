#include <optional>

#include "absl/strings/str_cat.h"
#include "tools/command.h"
#include "tools/option_binding.h"
#include "tools/report_text.h"
#include "tools/server_migration.h"
#include "tools/server_status_json.h"
#include "tools/server_text.h"
#include "tools/signal_watch.h"
#include "tools/status_json.h"

namespace walferry {

namespace {

CommandOutcome FinishWithServer(const CommandContext& context,
                                const ServerStatus& status) {
  if (!context.values.Flag(OptionId::kJson)) {
    return FinishWith(context, ServerStatusText(status, context.now()));
  }
  return FinishWithRedacted(
      context,
      absl::StrCat(ServerStatusToJson(status, context.redactor), "\n"));
}

}  // namespace

CommandOutcome RunStatusCommand(const CommandContext& context) {
  const absl::StatusOr<StatusOptions> options = BindStatus(context.values);
  if (!options.ok()) return FailUsage(options.status());
  Control control;
  const SignalWatch watch(control, InterruptMeaning::kStop);
  const absl::StatusOr<std::optional<ServerStatus>> server =
      context.engine.status_server(*options, control);
  if (!server.ok()) return Fail(server.status());
  if (server->has_value()) return FinishWithServer(context, **server);
  if (context.values.Flag(OptionId::kAllDatabases)) {
    return Fail(NoServerMigration(*options));
  }
  const absl::StatusOr<MigrationStatus> status =
      context.engine.status(*options, control);
  if (!status.ok()) return Fail(status.status());
  if (!context.values.Flag(OptionId::kJson)) {
    return FinishWith(context, StatusText(*status, context.now()));
  }
  return FinishWithRedacted(
      context, absl::StrCat(StatusToJson(*status, context.redactor), "\n"));
}

}  // namespace walferry
