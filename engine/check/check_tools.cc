// Check: the program that reads the source's schema.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/schema/pg_tools.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status CheckPgDump(CheckContext& check) {
  const absl::StatusOr<PgTools> tools =
      FindPgTools({.pg_dump = check.options.pg_dump,
                   .source_version = check.source.server_version(),
                   .target_version = check.target.server_version(),
                   .interrupt = check.source.interrupt()},
                  PgToolDirectories());
  if (absl::IsCancelled(tools.status())) return tools.status();
  if (tools.ok()) {
    check.findings.Ok({"pg-dump", "client",
                       absl::StrCat("pg_dump ", tools->version, ", ",
                                    tools->pg_dump, ", reads the schema")});
    return absl::OkStatus();
  }
  const std::string hint = HintOf(tools.status());
  check.findings.Blocking(
      {"pg-dump", "client", std::string(tools.status().message()),
       hint.empty() ? "name another pg_dump with --pg-dump, or leave it out to "
                      "let one be found"
                    : hint});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> ToolChecks() {
  return {{.id = "pg-dump",
           .run = CheckPgDump,
           .creating_only = true,
           .of = StepOf::kServers}};
}

}  // namespace walferry
