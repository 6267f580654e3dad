#include <memory>

#include "absl/strings/str_cat.h"
#include "engine/report_json.h"
#include "tools/command.h"
#include "tools/event_log.h"
#include "tools/json_text.h"
#include "tools/log.h"
#include "tools/option_binding.h"
#include "tools/report_text.h"
#include "tools/server_migration.h"
#include "tools/signal_watch.h"

namespace walferry {

CommandOutcome RunCutoverCommand(const CommandContext& context) {
  const absl::StatusOr<CutoverOptions> options = BindCutover(context.values);
  if (!options.ok()) return FailUsage(options.status());
  const std::shared_ptr<spdlog::logger> logger =
      CreateLogger(context.log, context.screen, context.redactor);
  EventLog log(*logger, /*log_progress=*/true, context.now);
  Control control;
  const absl::StatusOr<Report> report = [&]() -> absl::StatusOr<Report> {
    const SignalWatch watch(control, InterruptMeaning::kStop);
    const absl::Status server =
        RequireServerMigration(context,
                               {.target = options->target,
                                .name = options->name,
                                .ledger_schema = options->ledger_schema},
                               control);
    if (!server.ok()) return server;
    return context.engine.cutover(*options, control, log);
  }();
  if (!report.ok()) return Fail(report.status());
  if (!context.values.Flag(OptionId::kJson)) {
    return FinishWith(context, ReportText(*report));
  }
  return FinishWithRedacted(
      context,
      absl::StrCat(RedactJson(ReportToJson(*report), context.redactor), "\n"));
}

}  // namespace walferry
