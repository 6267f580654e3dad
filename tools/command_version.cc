#include "tools/command.h"

namespace walferry {

CommandOutcome RunVersionCommand(const CommandContext& context) {
  return FinishWithRedacted(context, "walferry " WALFERRY_VERSION "\n");
}

}  // namespace walferry
