#include "tools/command.h"
#include "tools/completion.h"

namespace walferry {

CommandOutcome RunCompletionCommand(const CommandContext& context) {
  return FinishWithRedacted(context, context.line.argument == "bash"
                                         ? BashCompletion()
                                         : ZshCompletion());
}

}  // namespace walferry
