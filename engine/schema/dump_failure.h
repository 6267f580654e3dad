#ifndef ENGINE_SCHEMA_DUMP_FAILURE_H_
#define ENGINE_SCHEMA_DUMP_FAILURE_H_

// What the end of pg_dump or pg_restore means, and what they have said.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/schema/subprocess.h"

namespace walferry {

// For a result that is not ok(). kAborted: a table stayed locked;
// kUnavailable: the link was lost or not made, another attempt may do better;
// otherwise kFailedPrecondition.
absl::Status DumpFailure(absl::string_view program,
                         const SubprocessResult& result);

// What a program that ran to its end has warned of in `errors`, each as
// "pg_dump: text".
std::vector<std::string> DumpWarnings(absl::string_view program,
                                      absl::string_view errors);

// Whether the words are those that libpq has for a link that was lost or not
// made.
bool TellsOfLostLink(absl::string_view message);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_DUMP_FAILURE_H_
