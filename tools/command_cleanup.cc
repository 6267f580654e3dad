#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/command.h"
#include "tools/option_binding.h"
#include "tools/server_migration.h"
#include "tools/signal_watch.h"

namespace walferry {

CommandOutcome RunCleanupCommand(const CommandContext& context) {
  const absl::StatusOr<CleanupOptions> options = BindCleanup(context.values);
  if (!options.ok()) return FailUsage(options.status());
  Control control;
  const absl::StatusOr<std::vector<std::string>> done =
      [&]() -> absl::StatusOr<std::vector<std::string>> {
    const SignalWatch watch(control, InterruptMeaning::kStop);
    const absl::Status server = RequireServerMigration(
        context,
        {.target = options->endpoints.target,
         .name = options->endpoints.name,
         .ledger_schema = options->endpoints.ledger_schema},
        control);
    if (!server.ok()) return server;
    return context.engine.cleanup(*options, control);
  }();
  if (!done.ok()) return Fail(done.status());
  std::string text;
  for (const std::string& line : *done) absl::StrAppend(&text, line, "\n");
  return FinishWith(context, text);
}

}  // namespace walferry
