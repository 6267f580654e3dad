#include "tools/command.h"
#include "tools/man_page.h"

namespace walferry {

CommandOutcome RunManCommand(const CommandContext& context) {
  return FinishWith(context, ManPage());
}

}  // namespace walferry
