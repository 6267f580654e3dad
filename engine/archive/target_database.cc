#include "engine/archive/target_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Named for a person. What belongs to an extension came with it.
constexpr char kContent[] =
    "WITH mine AS (SELECT oid FROM pg_catalog.pg_namespace"
    " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),"
    " brought AS (SELECT classid, objid FROM pg_catalog.pg_depend"
    " WHERE deptype = 'e') "
    "SELECT what FROM ("
    "SELECT 'relation ' || oid::pg_catalog.regclass, oid,"
    " 'pg_catalog.pg_class'::pg_catalog.regclass FROM pg_catalog.pg_class"
    " WHERE relnamespace IN (SELECT oid FROM mine) AND relkind <> 'i' "
    "UNION ALL SELECT 'function ' || oid::pg_catalog.regprocedure, oid,"
    " 'pg_catalog.pg_proc'::pg_catalog.regclass FROM pg_catalog.pg_proc"
    " WHERE pronamespace IN (SELECT oid FROM mine) "
    "UNION ALL SELECT 'type ' || pg_catalog.format_type(oid, NULL), oid,"
    " 'pg_catalog.pg_type'::pg_catalog.regclass FROM pg_catalog.pg_type"
    " WHERE typnamespace IN (SELECT oid FROM mine) AND typtype IN ('d', 'e')"
    " UNION ALL SELECT 'schema ' || nspname, oid,"
    " 'pg_catalog.pg_namespace'::pg_catalog.regclass"
    " FROM pg_catalog.pg_namespace"
    " WHERE oid IN (SELECT oid FROM mine) AND nspname <> 'public' "
    "UNION ALL SELECT 'large object ' || oid, oid,"
    " 'pg_catalog.pg_largeobject_metadata'::pg_catalog.regclass"
    " FROM pg_catalog.pg_largeobject_metadata) c (what, oid, catalog)"
    " WHERE NOT EXISTS (SELECT FROM brought b"
    " WHERE b.classid = c.catalog AND b.objid = c.oid) ORDER BY what";

}  // namespace

PgConnectOptions TargetDatabase::Options(absl::string_view role) const {
  PgConnectOptions options = connector.TargetOptions(role);
  options.dbname = dbname;
  return options;
}

absl::StatusOr<PgConnection> TargetDatabase::Open(
    absl::string_view role) const {
  absl::StatusOr<PgConnection> connection = PgConnection::Open(Options(role));
  if (!connection.ok()) return Annotate(connection.status(), "target");
  return connection;
}

absl::StatusOr<DumpConnection> TargetDatabase::ForChild() const {
  ASSIGN_OR_RETURN(DumpConnection connection,
                   ConnectionForDump(connector.endpoints.target,
                                     connector.endpoints.connect_timeout));
  if (dbname.empty()) return connection;
  std::string quoted;
  for (const char byte : dbname) {
    if (byte == '\'' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  // The last one of a keyword counts.
  absl::StrAppend(&connection.conninfo, " dbname='", quoted, "'");
  return connection;
}

TargetDatabase TargetDatabase::Named(std::string other) const {
  return {.connector = connector, .dbname = std::move(other)};
}

absl::Status CheckEmpty(PgConnection& target) {
  ASSIGN_OR_RETURN(const PgResult rows, target.Exec(kContent));
  if (rows.rows() == 0) return absl::OkStatus();
  std::vector<std::string> content;
  for (int row = 0; row < rows.rows(); ++row) {
    content.emplace_back(rows.Text(row, 0));
  }
  return WithHint(absl::FailedPreconditionError(
                      absl::StrCat("target: database ", target.dbname(),
                                   " is not empty: ", NameSome(content))),
                  "restore into a new database, or drop what is there with "
                  "--drop-target-first");
}

absl::StatusOr<std::vector<std::string>> MissingExtensions(
    PgConnection& target, const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      target.Exec(absl::StrCat(
          "SELECT DISTINCT n FROM unnest(", QuoteTextArray(names),
          ") n WHERE n NOT IN (SELECT name"
          " FROM pg_catalog.pg_available_extensions) ORDER BY 1")));
  std::vector<std::string> missing;
  for (int row = 0; row < rows.rows(); ++row) {
    missing.emplace_back(rows.Text(row, 0));
  }
  return missing;
}

absl::Status RefuseMissingExtensions(const std::vector<std::string>& missing) {
  if (missing.empty()) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      "the target's server lacks ",
                      missing.size() == 1 ? "an extension" : "extensions",
                      " that the archive creates: ", NameSome(missing))),
                  "install their packages there: nothing was restored");
}

std::string ServerVersionOf(const PgConnection& connection) {
  const int version = connection.server_version();
  return absl::StrFormat("%d.%d", version / 10000, version % 10000);
}

}  // namespace walferry
