#ifndef TOOLS_ARCHIVE_RUN_H_
#define TOOLS_ARCHIVE_RUN_H_

// Runs work on an archive in the foreground: signals stop it, the log and live
// lines tell of it.

#include <functional>
#include <string>

#include "engine/control.h"
#include "engine/event.h"
#include "tools/command.h"

namespace walferry {

// `work` is called on a thread of its own. `stop_note` is logged when it is
// told to stop.
void RunOnArchive(
    const CommandContext& context, const std::string& stop_note,
    const std::function<void(Control& control, EventSink& events)>& work);

}  // namespace walferry

#endif  // TOOLS_ARCHIVE_RUN_H_
