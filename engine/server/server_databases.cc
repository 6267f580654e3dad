#include "engine/server/server_databases.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/check/check_findings.h"
#include "engine/name_pattern.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string TextAt(const PgResult& rows, int row, int column) {
  return std::string(rows.Text(row, column));
}

// Columns that came or changed their names over the versions are taken from
// the row as JSON, where one that is missing is NULL.
std::string DatabasesSql() {
  return absl::StrCat(
      "SELECT datname, bytes, may_connect, "
      "pg_catalog.pg_encoding_to_char(encoding), coalesce(j ->> "
      "'datlocprovider', 'c'), datcollate, datctype, coalesce(j ->> "
      "'datlocale', j ->> 'daticulocale', ''), coalesce(j ->> 'daticurules', "
      "''), "
      "pg_catalog.pg_get_userbyid(datdba), datconnlimit, spcname, "
      "coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), ''), ",
      PrivilegesColumn("datacl"),
      ", datistemplate, datallowconn, d.oid::text FROM pg_catalog.pg_database "
      "d JOIN "
      "pg_catalog.pg_tablespace t ON t.oid = dattablespace, LATERAL (SELECT "
      "pg_catalog.to_jsonb(d) AS j, pg_catalog.has_database_privilege(d.oid, "
      "'CONNECT') AS may_connect) AS facts, LATERAL (SELECT CASE WHEN "
      "datallowconn AND (may_connect OR pg_catalog.pg_has_role("
      "'pg_read_all_stats', 'MEMBER')) THEN pg_catalog.pg_database_size(d.oid) "
      "ELSE -1 END AS bytes) AS size ORDER BY bytes < 0, bytes, datname::text "
      "COLLATE \"C\"");
}

absl::StatusOr<LocaleProvider> ProviderOf(absl::string_view code) {
  if (code == "c") return LocaleProvider::kLibc;
  if (code == "i") return LocaleProvider::kIcu;
  if (code == "b") return LocaleProvider::kBuiltin;
  return absl::UnimplementedError(
      absl::StrCat("unknown locale provider ", code));
}

absl::StatusOr<ServerDatabase> ReadOne(const PgResult& rows, int row) {
  ServerDatabase database{.name = TextAt(rows, row, 0),
                          .oid = TextAt(rows, row, 16),
                          .may_connect = rows.Bool(row, 2),
                          .encoding = TextAt(rows, row, 3),
                          .collate = TextAt(rows, row, 5),
                          .ctype = TextAt(rows, row, 6),
                          .locale = TextAt(rows, row, 7),
                          .icu_rules = TextAt(rows, row, 8),
                          .owner = TextAt(rows, row, 9),
                          .tablespace = TextAt(rows, row, 11),
                          .comment = TextAt(rows, row, 12)};
  ASSIGN_OR_RETURN(database.privileges, ReadPrivileges(rows, row, 13));
  ASSIGN_OR_RETURN(database.bytes, rows.Int64(row, 1));
  ASSIGN_OR_RETURN(database.provider, ProviderOf(rows.Text(row, 4)));
  ASSIGN_OR_RETURN(const int64_t limit, rows.Int64(row, 10));
  database.connection_limit = static_cast<int>(limit);
  return database;
}

// Why the database is not moved, or "".
absl::string_view ReasonToLeaveOut(const PgResult& rows, int row) {
  // What a DROP DATABASE that was interrupted has left.
  if (rows.Text(row, 10) == "-2") return "is invalid, drop it";
  if (rows.Bool(row, 14)) return "is a template";
  if (!rows.Bool(row, 15)) return "takes no connections";
  return "";
}

bool InScope(const DatabaseScope& scope, const std::string& name) {
  return !MatchesAny(scope.exclude_databases, name) &&
         (scope.databases.empty() || MatchesAny(scope.databases, name));
}

absl::Status CheckEveryPatternMatches(const DatabaseScope& scope,
                                      const PgResult& rows) {
  for (const std::string& pattern : scope.databases) {
    bool matches = false;
    for (int row = 0; row < rows.rows(); ++row) {
      matches |= MatchesPattern(pattern, TextAt(rows, row, 0));
    }
    if (!matches) {
      return absl::NotFoundError(
          absl::StrCat("source: no database matches --database ", pattern));
    }
  }
  return absl::OkStatus();
}

absl::Status AddSettings(PgConnection& server,
                         std::vector<ServerDatabase>& databases) {
  ASSIGN_OR_RETURN(std::vector<ServerSetting> settings,
                   ReadServerSettings(server));
  for (ServerSetting& setting : settings) {
    const auto of = absl::c_find_if(databases, [&](const ServerDatabase& one) {
      return one.name == setting.database;
    });
    if (of != databases.end()) of->settings.push_back(std::move(setting));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServerDatabases> ReadServerDatabases(
    PgConnection& server, const DatabaseScope& scope) {
  RETURN_IF_ERROR(CheckPatterns("database", scope.databases));
  RETURN_IF_ERROR(CheckPatterns("exclude-database", scope.exclude_databases));
  ASSIGN_OR_RETURN(const PgResult rows, server.Exec(DatabasesSql()));
  RETURN_IF_ERROR(CheckEveryPatternMatches(scope, rows));
  ServerDatabases found;
  FindingList findings;
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string name = TextAt(rows, row, 0);
    if (!InScope(scope, name)) continue;
    const absl::string_view reason = ReasonToLeaveOut(rows, row);
    if (reason.empty()) {
      ASSIGN_OR_RETURN(ServerDatabase database, ReadOne(rows, row));
      found.databases.push_back(std::move(database));
      continue;
    }
    const bool named = absl::c_linear_search(scope.databases, name);
    if (!named && (name == "template0" || name == "template1")) continue;
    found.left_out.push_back(absl::StrCat(name, " (", reason, ")"));
    FindingText finding{"database-left-out", absl::StrCat("database ", name),
                        absl::StrCat(reason, ", and is not moved"), ""};
    if (named) {
      findings.Acceptable(std::move(finding));
    } else {
      findings.Warning(std::move(finding));
    }
  }
  found.findings = findings.Take();
  RETURN_IF_ERROR(AddSettings(server, found.databases));
  return found;
}

}  // namespace walferry
