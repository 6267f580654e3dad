// Checks: whether the target's own tables can take the source's rows, where
// rows alone are carried.

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "engine/check/check_context.h"
#include "engine/check/check_target_actions.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A table of the source whose rows are carried, and the one that takes them.
struct TablePair {
  const CatalogTable& source;
  const CatalogTable& target;
};

std::vector<TablePair> Pairs(const CheckContext& check) {
  std::vector<TablePair> pairs;
  for (const CatalogTable& table : check.catalog.tables) {
    if (!table.copy_data) continue;
    const CatalogTable* const there = check.on_target.Find(table.name);
    if (there != nullptr) pairs.push_back({table, *there});
  }
  return pairs;
}

const CatalogColumn* FindColumn(const CatalogTable& table,
                                const std::string& name) {
  for (const CatalogColumn& column : table.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

void Missing(CheckContext& check, const std::string& subject,
             const std::string& text) {
  check.findings.Blocking(
      {"target-table", subject, text,
       "make it like the source's, for instance by --schema-only before, or "
       "leave the table out with --exclude-table or --exclude-table-data"});
}

bool HasColumns(CheckContext& check, const TablePair& pair) {
  bool all = true;
  const auto miss = [&](const std::string& column, absl::string_view what) {
    Missing(check, ToDisplay(pair.source.name),
            absl::StrCat("column ", column, " ", what));
    all = false;
  };
  for (const CatalogColumn& column : pair.source.columns) {
    const CatalogColumn* const there = FindColumn(pair.target, column.name);
    if (there == nullptr) {
      miss(column.name, "does not exist on the target");
    } else if (column.generated == 0 && there->generated != 0) {
      miss(column.name, "is generated on the target and takes no value");
    } else if (column.generated != 0 && there->generated == 0) {
      miss(column.name,
           "is generated on the source only and would stay empty on the "
           "target");
    }
  }
  return all;
}

// The target's own columns that must have a value, and that nothing gives one.
absl::StatusOr<bool> CanLeaveOutTheRest(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.target.Exec(absl::StrCat(
          "SELECT attrelid, attname FROM pg_attribute WHERE attrelid = ANY (",
          TargetOids(check),
          ") AND attnum > 0 AND NOT attisdropped AND attnotnull"
          " AND NOT atthasdef AND attidentity = '' ORDER BY 1, attnum")));
  absl::flat_hash_map<std::string, const CatalogTable*> source_of;
  for (const TablePair& pair : Pairs(check)) {
    source_of[absl::StrCat(pair.target.oid)] = &pair.source;
  }
  bool can = true;
  for (int row = 0; row < rows.rows(); ++row) {
    const CatalogTable& source = *source_of.at(rows.Text(row, 0));
    const std::string column(rows.Text(row, 1));
    if (FindColumn(source, column) != nullptr) continue;
    can = false;
    Missing(check, ToDisplay(source.name),
            absl::StrCat("column ", column,
                         " is the target's own, NOT NULL and without a "
                         "default"));
  }
  return can;
}

bool ViewsAreThere(CheckContext& check) {
  absl::flat_hash_set<QualifiedName> names;
  for (const CatalogMaterializedView& view :
       check.on_target.materialized_views) {
    names.insert(view.name);
  }
  bool all = true;
  for (const CatalogMaterializedView& view : check.catalog.materialized_views) {
    if (names.contains(view.name)) continue;
    all = false;
    Missing(check, ToDisplay(view.name),
            "this materialized view does not exist on the target");
  }
  return all;
}

// Those that are to be set and of which `condition` holds on the target, where
// `c` is the sequence's row. Whose they are there does not matter.
absl::StatusOr<std::vector<std::string>> SequencesThere(
    CheckContext& check, absl::string_view condition) {
  std::vector<std::string> schemas;
  std::vector<std::string> names;
  if (check.options.sequence_sync) {
    for (const CatalogSequence& sequence : check.catalog.sequences) {
      schemas.push_back(sequence.name.schema);
      names.push_back(sequence.name.name);
    }
  }
  return QueryColumn(
      check.target,
      absl::StrCat(
          "SELECT s.schema || '.' || s.name FROM unnest(",
          QuoteTextArray(schemas), ", ", QuoteTextArray(names),
          ") s (schema, name) LEFT JOIN (SELECT k.oid, nspname, relname"
          " FROM pg_class k JOIN pg_namespace n"
          " ON n.oid = k.relnamespace WHERE k.relkind = 'S') c"
          " ON c.nspname = s.schema AND c.relname = s.name WHERE ",
          condition, " ORDER BY 1"));
}

absl::Status CheckTablesThere(CheckContext& check) {
  bool fit = true;
  for (const CatalogTable& table : check.catalog.tables) {
    if (!table.copy_data || check.on_target.Find(table.name) != nullptr) {
      continue;
    }
    fit = false;
    Missing(check, ToDisplay(table.name),
            absl::c_linear_search(check.on_target.partitioned, table.name)
                ? "on the target it is partitioned, and holds no rows itself"
                : "there is no such table on the target");
  }
  for (const TablePair& pair : Pairs(check)) {
    fit = HasColumns(check, pair) && fit;
  }
  ASSIGN_OR_RETURN(const bool rest, CanLeaveOutTheRest(check));
  fit = rest && fit;
  ASSIGN_OR_RETURN(const std::vector<std::string> sequences,
                   SequencesThere(check, "c.oid IS NULL"));
  for (const std::string& sequence : sequences) {
    fit = false;
    Missing(check, sequence, "this sequence does not exist on the target");
  }
  fit = ViewsAreThere(check) && fit;
  if (!fit) return absl::OkStatus();
  check.findings.Ok({"target-table", "target",
                     "its tables have all columns that rows are carried for"});
  return absl::OkStatus();
}

// Of each type of a column that is made of others: what of, down to the types
// that the server brings. An array is made of its elements, a domain of what it
// restricts.
constexpr absl::string_view kMadeOf =
    "SELECT oid AS whole, typbasetype AS part FROM pg_type WHERE typtype = 'd'"
    " UNION ALL SELECT oid, typelem FROM pg_type"
    " WHERE typelem <> 0 AND typlen = -1"
    " UNION ALL SELECT rngtypid, rngsubtype FROM pg_range"
    " UNION ALL SELECT t.oid, a.atttypid FROM pg_type t"
    " JOIN pg_attribute a ON a.attrelid = t.typrelid"
    " WHERE t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped";

constexpr absl::string_view kDefinition =
    "CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)"
    " WHEN 'r' THEN (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r"
    " WHERE r.rngtypid = t.oid)"
    " ELSE (SELECT string_agg(quote_ident(a.attname) || ' ' ||"
    " format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)"
    " FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0"
    " AND NOT a.attisdropped) END";

using TypeDefinitions = absl::flat_hash_map<std::string, std::string>;

// "public.price is numeric(12,2)" by the type's OID, for columns of `tables`.
absl::StatusOr<TypeDefinitions> ReadTypeDefinitions(PgConnection& connection,
                                                    const std::string& tables) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(absl::StrCat(
          "WITH RECURSIVE used (root, type) AS (SELECT atttypid, atttypid"
          " FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
          " AND attrelid = ANY (",
          tables, ") UNION SELECT u.root, m.part FROM used u JOIN (", kMadeOf,
          ") m ON m.whole = u.type), defined AS (SELECT u.root,"
          " format_type(t.oid, NULL) || ' is ' || coalesce(",
          kDefinition,
          ", 'empty') AS text FROM used u JOIN pg_type t ON t.oid = u.type"
          " WHERE t.typtype IN ('c', 'd', 'r')) SELECT root, string_agg(text,"
          " ', ' ORDER BY text COLLATE \"C\") FROM defined GROUP BY root")));
  TypeDefinitions definitions;
  for (int row = 0; row < rows.rows(); ++row) {
    definitions[rows.Text(row, 0)] = std::string(rows.Text(row, 1));
  }
  return definitions;
}

std::string DefinitionOf(const TypeDefinitions& definitions,
                         const CatalogColumn& column) {
  const auto found = definitions.find(absl::StrCat(column.type_oid));
  return found == definitions.end() ? "" : found->second;
}

// Text goes through the target's types. What is shorter, rounds, or orders
// otherwise keeps to itself that it is not the same; nor does a type's name say
// what it is made of.
absl::Status CheckTypes(CheckContext& check) {
  ASSIGN_OR_RETURN(const TypeDefinitions here,
                   ReadTypeDefinitions(check.source, CarriedOids(check)));
  ASSIGN_OR_RETURN(const TypeDefinitions on_target,
                   ReadTypeDefinitions(check.target, TargetOids(check)));
  bool same = true;
  for (const TablePair& pair : Pairs(check)) {
    for (const CatalogColumn& column : pair.source.columns) {
      const CatalogColumn* const there = FindColumn(pair.target, column.name);
      if (there == nullptr) continue;
      const std::string subject = ToDisplay(pair.source.name);
      if (there->type != column.type) {
        same = false;
        check.findings.Acceptable(
            {"target-type", subject,
             absl::StrCat("column ", column.name, " is ", column.type,
                          " on the source and ", there->type,
                          " on the target: values may be rounded or refused"),
             absl::StrCat("ALTER TABLE ", Quote(pair.source.name),
                          " ALTER COLUMN ", QuoteIdentifier(column.name),
                          " TYPE ", column.type, ";")});
        continue;
      }
      const std::string made_of = DefinitionOf(here, column);
      const std::string made_there = DefinitionOf(on_target, *there);
      if (made_of == made_there) continue;
      same = false;
      check.findings.Acceptable(
          {"target-type", subject,
           absl::StrCat("column ", column.name,
                        " is of a type that is another "
                        "on the target (",
                        made_there, ") than on the source (", made_of,
                        "): values may be rounded, mixed up or refused"),
           absl::StrCat("make ", column.type, " as it is on the source")});
    }
  }
  if (same) {
    check.findings.Ok(
        {"target-type", "target", "columns are of the same types"});
  }
  return absl::OkStatus();
}

void RefuseRights(CheckContext& check, absl::string_view what,
                  const std::vector<std::string>& of, absl::string_view hint) {
  if (of.empty()) return;
  check.findings.Blocking(
      {"target-rights", "target",
       absl::StrCat("the role may not ", what, " ", NameSome(of)),
       std::string(hint)});
}

// Materialized views are refreshed by their owners, and from 17 on by whoever
// may MAINTAIN them.
absl::StatusOr<std::vector<std::string>> NotToBeRefreshed(CheckContext& check) {
  std::vector<std::string> schemas;
  std::vector<std::string> names;
  for (const CatalogMaterializedView& view : check.catalog.materialized_views) {
    if (!view.populated) continue;
    schemas.push_back(view.name.schema);
    names.push_back(view.name.name);
  }
  const bool maintain = check.target.server_version() >= 170000;
  return QueryColumn(
      check.target,
      absl::StrCat(
          "SELECT c.oid::regclass::text FROM pg_class c"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " JOIN unnest(",
          QuoteTextArray(schemas), ", ", QuoteTextArray(names),
          ") v (schema, name) ON v.schema = n.nspname"
          " AND v.name = c.relname WHERE c.relkind = 'm'"
          " AND NOT pg_has_role(c.relowner, 'USAGE')",
          maintain ? " AND NOT has_table_privilege(c.oid, 'MAINTAIN')" : "",
          " ORDER BY 1"));
}

// Rows are put in, looked for and, if a run must begin a table anew, removed;
// sequences are read and set.
absl::Status CheckRights(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> closed,
      QueryColumn(check.target,
                  absl::StrCat("SELECT t::regclass::text FROM unnest(",
                               TargetOids(check),
                               ") t WHERE NOT (has_table_privilege(t, 'INSERT')"
                               " AND has_table_privilege(t, 'SELECT')"
                               " AND has_table_privilege(t, 'DELETE'))"
                               " ORDER BY 1")));
  ASSIGN_OR_RETURN(const std::vector<std::string> unset,
                   SequencesThere(check,
                                  "NOT (has_sequence_privilege(c.oid, 'UPDATE')"
                                  " AND has_sequence_privilege(c.oid,"
                                  " 'SELECT'))"));
  ASSIGN_OR_RETURN(const std::vector<std::string> stale,
                   NotToBeRefreshed(check));
  if (closed.empty() && unset.empty() && stale.empty()) {
    check.findings.Ok({"target-rights", "target",
                       "the role may write to the tables, set their sequences "
                       "and refresh materialized views"});
    return absl::OkStatus();
  }
  const std::string role = QuoteIdentifier(check.target.user());
  RefuseRights(
      check, "read, fill and empty", closed,
      absl::StrCat("GRANT SELECT, INSERT, DELETE ON them TO ", role, ";"));
  RefuseRights(check, "read and set", unset,
               absl::StrCat("GRANT SELECT, UPDATE ON SEQUENCE ... TO ", role,
                            ";, or --no-sequence-sync"));
  RefuseRights(check, "refresh", stale,
               absl::StrCat("let ", role,
                            " own them, or leave them out with "
                            "--exclude-table"));
  return absl::OkStatus();
}

absl::Status CheckRowSecurityThere(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> guarded,
      QueryColumn(check.target,
                  absl::StrCat("SELECT t::regclass::text FROM unnest(",
                               TargetOids(check),
                               ") t WHERE row_security_active(t) ORDER BY 1")));
  if (guarded.empty()) {
    check.findings.Ok({"target-row-security", "target",
                       "no policy stands in the way of rows"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"target-row-security", "target",
       absl::StrCat("row-level security keeps the role from the rows of ",
                    NameSome(guarded)),
       absl::StrCat("a superuser can: ALTER ROLE ",
                    QuoteIdentifier(check.target.user()), " BYPASSRLS;")});
  return absl::OkStatus();
}

// Children, and the rows that an extension has brought, stay.
std::string EmptyingSql(const CatalogTable& table) {
  return table.config_condition.empty()
             ? absl::StrCat("TRUNCATE ONLY ", Quote(table.name), ";")
             : absl::StrCat("DELETE FROM ONLY ", Quote(table.name), " ",
                            table.config_condition, ";");
}

// Rows that were accepted are removed by TRUNCATE.
absl::Status CheckMayTruncate(CheckContext& check, const TablePair& pair) {
  const std::string subject = ToDisplay(pair.source.name);
  if (!pair.source.config_condition.empty() ||
      !Accepts(check.options.accept, "target-rows", subject)) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const std::string may,
      check.target.QueryValue(absl::StrCat("SELECT has_table_privilege(",
                                           pair.target.oid, ", 'TRUNCATE')")));
  if (may == "t") return absl::OkStatus();
  check.findings.Blocking(
      {"target-rights", subject,
       "its rows are to be removed, but the role may not truncate it",
       absl::StrCat("GRANT TRUNCATE ON ", Quote(pair.source.name), " TO ",
                    QuoteIdentifier(check.target.user()), ";")});
  return absl::OkStatus();
}

absl::Status CheckTablesEmpty(CheckContext& check) {
  bool empty = true;
  for (const TablePair& pair : Pairs(check)) {
    if (check.resuming) break;
    ASSIGN_OR_RETURN(
        const std::string filled,
        check.target.QueryValue(absl::StrCat(
            "SELECT EXISTS (SELECT FROM ONLY ", Quote(pair.source.name), " ",
            pair.source.config_condition, ")")));
    if (filled == "f") continue;
    empty = false;
    RETURN_IF_ERROR(CheckMayTruncate(check, pair));
    check.findings.Acceptable(
        {"target-rows", ToDisplay(pair.source.name),
         "it holds rows on the target; accepted, they are removed before the "
         "source's come",
         EmptyingSql(pair.source)});
  }
  if (empty) {
    check.findings.Ok({"target-rows", "target",
                       check.resuming
                           ? "the migration has begun: rows are there"
                           : "the tables are empty"});
  }
  return absl::OkStatus();
}

}  // namespace

std::string TargetOids(const CheckContext& check) {
  std::vector<uint32_t> oids;
  for (const TablePair& pair : Pairs(check)) oids.push_back(pair.target.oid);
  return absl::StrCat("'{", absl::StrJoin(oids, ","), "}'::oid[]");
}

std::string CarriedOids(const CheckContext& check) {
  return TableOids(check.catalog,
                   [](const CatalogTable& table) { return table.copy_data; });
}

std::vector<CheckStep> TargetTableChecks() {
  std::vector<CheckStep> steps = {
      {"target-table", CheckTablesThere},
      {"target-type", CheckTypes},
      {"target-rights", CheckRights},
      {"target-row-security", CheckRowSecurityThere},
      {"target-rows", CheckTablesEmpty}};
  const std::vector<CheckStep> actions = TargetActionChecks();
  steps.insert(steps.end(), actions.begin(), actions.end());
  for (CheckStep& step : steps) step.in_target = true;
  return steps;
}

}  // namespace walferry
