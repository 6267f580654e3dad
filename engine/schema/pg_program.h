#ifndef ENGINE_SCHEMA_PG_PROGRAM_H_
#define ENGINE_SCHEMA_PG_PROGRAM_H_

// One of PostgreSQL's programs, run for what it prints.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/schema/subprocess.h"

namespace walferry {

// Its output. It speaks English and knows nothing of our PG* variables. Errors
// are those of DumpFailure, which `program` begins.
absl::StatusOr<std::string> OutputOf(absl::string_view program,
                                     SubprocessOptions options);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_PG_PROGRAM_H_
