#include "engine/archive/drill_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kLargeObjects[] =
    "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";

// How a table that the archive names can be counted.
constexpr char kKinds[] =
    ") SELECT coalesce(c.relkind::text, ''), EXISTS ("
    "SELECT FROM pg_catalog.pg_depend d"
    " WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " AND d.objid = c.oid AND d.deptype = 'e')"
    " FROM t LEFT JOIN pg_catalog.pg_class c"
    " ON c.oid = pg_catalog.to_regclass(t.name) ORDER BY t.place";

struct TableKind {
  char relkind = 0;  // 0: there is none.
  bool of_extension = false;
};

absl::StatusOr<std::vector<TableKind>> KindsOf(
    PgConnection& session, const std::vector<TableRows>& tables) {
  std::vector<std::string> names;
  for (const TableRows& each : tables) names.push_back(each.table);
  ASSIGN_OR_RETURN(const PgResult rows,
                   session.Exec(absl::StrCat(
                       "WITH t (name, place) AS (SELECT * FROM unnest(",
                       QuoteTextArray(names), ") WITH ORDINALITY", kKinds)));
  std::vector<TableKind> kinds;
  for (int row = 0; row < rows.rows(); ++row) {
    const absl::string_view kind = rows.Text(row, 0);
    kinds.push_back({kind.empty() ? '\0' : kind.front(), rows.Bool(row, 1)});
  }
  if (kinds.size() != tables.size()) {
    return absl::InternalError("drill: kinds of other tables");
  }
  return kinds;
}

absl::StatusOr<int64_t> CountRows(PgConnection& session, const TableRows& table,
                                  bool with_children) {
  ASSIGN_OR_RETURN(const PgResult rows,
                   session.Exec(absl::StrCat(
                       "SELECT count(*) FROM ", with_children ? "" : "ONLY ",
                       table.table, " ", table.condition)));
  return rows.Int64(0, 0);
}

// "" if there is none.
absl::StatusOr<std::string> FaultOf(PgConnection& session,
                                    const TableRows& wanted,
                                    const TableKind& kind) {
  if (kind.relkind == 0) return absl::StrCat(wanted.table, " is missing");
  ASSIGN_OR_RETURN(const int64_t rows,
                   CountRows(session, wanted, kind.relkind == 'p'));
  const bool more_may_be = kind.of_extension && wanted.condition.empty();
  if (rows == wanted.rows || (more_may_be && rows > wanted.rows)) return "";
  return absl::StrCat(wanted.table, " has ", rows, " instead of ", wanted.rows);
}

}  // namespace

ExpectedRows RowsOfArchive(const ScriptRows& rows) {
  ExpectedRows expected = {.tables = {},
                           .uncounted = rows.uncounted,
                           .large_objects = rows.large_objects,
                           .origin = "the archive"};
  for (const auto& [table, count] : rows.tables) {
    expected.tables.push_back({.table = table, .condition = {}, .rows = count});
  }
  return expected;
}

absl::StatusOr<ExpectedRows> RowsOfSource(PgConnection& source,
                                          const Catalog& catalog) {
  ExpectedRows expected = {.tables = {},
                           .uncounted = {},
                           .large_objects = 0,
                           .origin = "the source"};
  for (const CatalogTable& table : catalog.tables) {
    if (!table.copy_data) continue;
    TableRows rows = {.table = Quote(table.name),
                      .condition = table.config_condition};
    ASSIGN_OR_RETURN(rows.rows,
                     CountRows(source, rows, /*with_children=*/false));
    expected.tables.push_back(std::move(rows));
  }
  ASSIGN_OR_RETURN(const PgResult objects, source.Exec(kLargeObjects));
  ASSIGN_OR_RETURN(expected.large_objects, objects.Int64(0, 0));
  return expected;
}

absl::StatusOr<DrillFinding> CompareRows(PgConnection& restored,
                                         const ExpectedRows& expected) {
  ASSIGN_OR_RETURN(const std::vector<TableKind> kinds,
                   KindsOf(restored, expected.tables));
  std::vector<std::string> faults;
  int64_t total = 0;
  for (size_t place = 0; place < expected.tables.size(); ++place) {
    const TableRows& wanted = expected.tables[place];
    total += wanted.rows;
    ASSIGN_OR_RETURN(std::string fault,
                     FaultOf(restored, wanted, kinds[place]));
    if (!fault.empty()) faults.push_back(std::move(fault));
  }
  if (!faults.empty()) {
    return DrillFinding::Failed(absl::StrCat(
        "not as many rows as in ", expected.origin, ": ", NameSome(faults)));
  }
  std::string text = absl::StrCat(CountOf(total, "row"), " in ",
                                  CountOf(expected.tables.size(), "table"),
                                  ", as in ", expected.origin);
  if (expected.uncounted.empty()) return DrillFinding::Passed(std::move(text));
  absl::StrAppend(&text, "; ", CountOf(expected.uncounted.size(), "table"),
                  " not counted, whose rows are INSERT statements there");
  return expected.tables.empty() ? DrillFinding::Skipped(std::move(text))
                                 : DrillFinding::Passed(std::move(text));
}

absl::StatusOr<DrillFinding> CompareLargeObjects(PgConnection& restored,
                                                 const ExpectedRows& expected) {
  ASSIGN_OR_RETURN(const PgResult objects, restored.Exec(kLargeObjects));
  ASSIGN_OR_RETURN(const int64_t count, objects.Int64(0, 0));
  if (count == expected.large_objects) {
    return DrillFinding::Passed(absl::StrCat(CountOf(count, "large object"),
                                             ", as in ", expected.origin));
  }
  return DrillFinding::Failed(absl::StrCat(CountOf(count, "large object"),
                                           ", but ", expected.large_objects,
                                           " in ", expected.origin));
}

}  // namespace walferry
