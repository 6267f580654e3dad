#ifndef TOOLS_SERVER_LIVE_H_
#define TOOLS_SERVER_LIVE_H_

// A move of all databases in the foreground: log, live table, events, signals,
// and the summary at its end.

#include "engine/server/servers.h"
#include "tools/command.h"

namespace walferry {

CommandOutcome RunServerLive(const CommandContext& context,
                             const ServerMigrateOptions& options);

}  // namespace walferry

#endif  // TOOLS_SERVER_LIVE_H_
