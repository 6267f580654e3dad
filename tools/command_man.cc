#include "tools/command.h"
#include "tools/man_page.h"

namespace walferry {

CommandOutcome RunManCommand(const CommandContext& context) {
  return FinishWithRedacted(context, ManPage());
}

}  // namespace walferry
