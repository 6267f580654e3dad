#ifndef TOOLS_FOREGROUND_RUN_H_
#define TOOLS_FOREGROUND_RUN_H_

// Work that a person watches: signals steer it, what they ask for is said, and
// live lines show how far it is.

#include <spdlog/logger.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/control.h"
#include "tools/command.h"
#include "tools/signal_watch.h"
#include "tools/terminal_progress.h"

namespace walferry {

struct ForegroundOptions {
  InterruptMeaning interrupt = InterruptMeaning::kStop;
  // Logged once each, and shown below the live lines, when the cutover or the
  // stop has been asked for.
  std::string cutover_note;
  std::string stop_note;
  // The live lines as they are now; `note`, unless it is empty, is the last.
  std::function<std::vector<std::string>(TerminalSize size,
                                         absl::string_view note)>
      render;
};

// Calls `work` on a thread of its own and returns when it does. On a terminal
// it draws about once a second; `redraw`, from any thread, asks for more.
void RunInForeground(
    const CommandContext& context, spdlog::logger& logger, Control& control,
    const ForegroundOptions& options,
    const std::function<void(const std::function<void()>& redraw)>& work);

}  // namespace walferry

#endif  // TOOLS_FOREGROUND_RUN_H_
