#ifndef ENGINE_ARCHIVE_SCRIPT_START_H_
#define ENGINE_ARCHIVE_SCRIPT_START_H_

// Where psql begins with a plain script. It is to end at the first error, as it
// would run the rows of a COPY that failed as SQL; but what pg_dump from 17 on
// sets for its own session, an older server does not know.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

struct ScriptStart {
  // To be run one by one, and then the script from `offset` on.
  std::vector<std::string> commands;
  int64_t offset = 0;
  int lines = 0;  // Before `offset`.
};

// `beginning` is the script's, with all its settings; `server_version` is
// 150018. All zero if the whole script can be run.
ScriptStart StartOfScript(absl::string_view beginning, int server_version);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_SCRIPT_START_H_
