#include "tools/archive_binding.h"
#include "tools/archive_run.h"
#include "tools/archive_text.h"
#include "tools/command.h"

namespace walferry {

CommandOutcome RunDumpCommand(const CommandContext& context) {
  const absl::StatusOr<DumpOptions> options = BindDump(context.values);
  if (!options.ok()) return FailUsage(options.status());
  absl::StatusOr<DumpReport> report =
      absl::InternalError("the dump did not end");
  RunOnArchive(context, "stopping; what was written is removed",
               [&](Control& control, EventSink& events) {
                 report = context.engine.dump(*options, control, events);
               });
  if (!report.ok()) return Fail(report.status());
  return FinishWith(context, DumpText(*report));
}

}  // namespace walferry
