#ifndef ENGINE_DUMP_FAILURE_H_
#define ENGINE_DUMP_FAILURE_H_

// What the end of pg_dump or pg_restore means.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/subprocess.h"

namespace walferry {

// For a result that is not ok(). kAborted: a table stayed locked;
// kUnavailable: the link was lost or not made, another attempt may do better;
// otherwise kFailedPrecondition.
absl::Status DumpFailure(absl::string_view program,
                         const SubprocessResult& result);

// Whether the words are those that libpq has for a link that was lost or not
// made.
bool TellsOfLostLink(absl::string_view message);

}  // namespace walferry

#endif  // ENGINE_DUMP_FAILURE_H_
