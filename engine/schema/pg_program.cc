#include "engine/schema/pg_program.h"

#include <utility>

#include "engine/schema/dump_failure.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<std::string> OutputOf(absl::string_view program,
                                     SubprocessOptions options) {
  options.environment.emplace_back("LC_ALL", "C");
  options.dropped_prefix = "PG";
  ASSIGN_OR_RETURN(SubprocessResult result, RunSubprocess(options));
  if (!result.ok()) return DumpFailure(program, result);
  return std::move(result.output);
}

}  // namespace walferry
