#include "engine/connect/shared_session.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// pg_stat_activity has the column since then.
constexpr int kVersion10 = 100000;

}  // namespace

absl::StatusOr<bool> ServesOneSession(PgConnection& connection) {
  if (connection.server_version() < kVersion10) return false;
  ASSIGN_OR_RETURN(
      const std::string alone,
      connection.QueryValue(
          "SELECT pg_catalog.version() ~ 'PGlite|emscripten' OR EXISTS (SELECT "
          "FROM pg_catalog.pg_stat_activity WHERE pid = "
          "pg_catalog.pg_backend_pid() AND backend_type = 'standalone "
          "backend')"));
  return alone == "t";
}

absl::Status RefuseOneSession(PgConnection& connection,
                              absl::string_view side) {
  ASSIGN_OR_RETURN(const bool alone, ServesOneSession(connection));
  if (!alone) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      side,
                      ": it serves one session (PGlite): an archive can be "
                      "neither made nor restored beside it")),
                  "move its database with `walferry migrate --mode offline`, "
                  "from it or to it");
}

absl::Status CleanSharedSession(PgConnection& connection) {
  if (connection.in_transaction()) {
    RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
  }
  return connection.Exec("RESET ALL; DEALLOCATE ALL").status();
}

absl::Status PinSettings(
    PgConnection& connection,
    const std::vector<std::pair<std::string, std::string>>& settings) {
  std::string sql;
  for (const auto& [name, value] : settings) {
    if (absl::StartsWith(name, "tcp_")) continue;
    absl::StrAppend(&sql, "SET ", name, " = ", QuoteLiteral(value), ";");
  }
  return connection.Exec(sql).status();
}

}  // namespace walferry
