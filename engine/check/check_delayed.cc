// Checks: whether tables can take their rows when clients work with them
// already (engine/catalog/delayed_tables.h).

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/check/check_context.h"
#include "engine/connect/old_servers.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string DelayedTableOids(const CheckContext& check) {
  return TableOids(check.catalog,
                   [](const CatalogTable& table) { return table.delayed; });
}

// They act on copied rows, although the session is a replica's.
absl::Status FindLoudTriggers(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT tgrelid::regclass::text, tgname, CASE tgenabled WHEN 'A' THEN"
          " 'ALWAYS' ELSE 'REPLICA' END, quote_ident(tgname) FROM pg_trigger"
          " WHERE tgenabled IN ('A', 'R')"
          // A partition's, that stands for its parent's, may count as internal.
          " AND (NOT tgisinternal OR tgconstraint = 0) AND tgrelid = ANY (",
          DelayedTableOids(check), ") ORDER BY 1, 2")));
  for (int row = 0; row < rows.rows(); ++row) {
    const absl::string_view table = rows.Text(row, 0);
    check.findings.Blocking(
        {"delayed-table", std::string(table),
         absl::StrCat(
             "trigger ", rows.Text(row, 1), " is ENABLE ", rows.Text(row, 2),
             ": it would fire for the rows that come when it is there"),
         absl::StrCat("do not delay the table, or on the source: ALTER TABLE ",
                      table, " ENABLE TRIGGER ", rows.Text(row, 3), ";")});
  }
  return absl::OkStatus();
}

// A replica's session leaves them unproven.
absl::Status FindDeferrableKeys(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE"
          " condeferrable AND contype IN ('p', 'u', 'x') AND conrelid = ANY (",
          DelayedTableOids(check), ") ORDER BY 1, 2")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Blocking(
        {"delayed-table", std::string(rows.Text(row, 0)),
         absl::StrCat("constraint ", rows.Text(row, 1),
                      " is deferrable: the server would not look whether a "
                      "client has a row of the same key already"),
         "do not delay the table"});
  }
  return absl::OkStatus();
}

absl::Status CheckMayKeepQuiet(CheckContext& check) {
  const absl::Status quiet =
      Probe(check.target, "SET LOCAL session_replication_role = replica");
  if (quiet.ok()) return quiet;
  if (SqlStateOf(quiet).empty()) return quiet;
  check.findings.Blocking(
      {"delayed-table", "target",
       absl::StrCat(
           "triggers and foreign keys would act on the rows of delayed "
           "tables, as the role may not SET session_replication_role: ",
           quiet.message()),
       absl::StrCat("a superuser can, from PostgreSQL 15 on: GRANT SET ON "
                    "PARAMETER session_replication_role TO ",
                    QuoteIdentifier(check.target.user()),
                    "; or do not delay tables")});
  return absl::OkStatus();
}

// Until then nobody looks whether what clients write refers to a row.
absl::Status TellOfForeignKeys(CheckContext& check) {
  const DelayedRelations& delayed = check.catalog.delayed;
  std::vector<uint32_t> late;
  for (const CatalogForeignKey& key : delayed.foreign_keys) {
    if (delayed.Contains(key.referenced)) late.push_back(key.oid);
  }
  ASSIGN_OR_RETURN(
      const std::vector<std::string> names,
      QueryColumn(check.source,
                  absl::StrCat("SELECT conname || ' of ' ||"
                               " conrelid::regclass::text FROM pg_constraint k"
                               " WHERE oid = ANY ('{",
                               absl::StrJoin(late, ","), "}'::oid[]) AND ",
                               NotInheritedSql(check.source.server_version()),
                               " ORDER BY conrelid::regclass::text, conname")));
  if (names.empty()) return absl::OkStatus();
  check.findings.Warning(
      {"delayed-table", "source",
       absl::StrCat(
           "foreign keys that refer to delayed tables come after their "
           "rows, and hold for nothing that clients write before: ",
           NameSome(names)),
       ""});
  return absl::OkStatus();
}

void TellOfViews(CheckContext& check) {
  std::vector<std::string> names;
  for (const CatalogMaterializedView& view : check.catalog.materialized_views) {
    if (view.delayed && view.populated) names.push_back(ToDisplay(view.name));
  }
  if (names.empty()) return;
  check.findings.Warning(
      {"delayed-table", "source",
       absl::StrCat("materialized views that read delayed tables, or call "
                    "functions that may, cannot be read before their rows are "
                    "there: ",
                    NameSome(names)),
       ""});
}

absl::Status CheckDelayedTables(CheckContext& check) {
  if (check.catalog.delayed.empty()) return absl::OkStatus();
  int64_t tables = 0;
  for (const CatalogTable& table : check.catalog.tables) {
    tables += table.delayed ? 1 : 0;
  }
  check.findings.Info({"delayed-table", "source",
                       absl::StrCat("rows of ", CountOf(tables, "table"),
                                    " come when all else is there"),
                       ""});
  RETURN_IF_ERROR(FindLoudTriggers(check));
  RETURN_IF_ERROR(FindDeferrableKeys(check));
  RETURN_IF_ERROR(CheckMayKeepQuiet(check));
  RETURN_IF_ERROR(TellOfForeignKeys(check));
  TellOfViews(check);
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> DelayedTableChecks() {
  return {{"delayed-table", CheckDelayedTables}};
}

}  // namespace walferry
