// Checks: whether what is in scope can stand without what is not.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/connect/old_servers.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

bool MatchesSchema(const CheckContext& check, const Scope& scope) {
  for (const auto* const schemas :
       {&check.schemas, &check.catalog.excluded_schemas}) {
    for (const std::string& schema : *schemas) {
      if (scope.IncludesSchema(schema)) return true;
    }
  }
  return false;
}

bool MatchesTable(const CheckContext& check, const Scope& scope) {
  for (const CatalogTable& table : check.catalog.tables) {
    if (scope.IncludesTable(table.name)) return true;
  }
  for (const auto* const names :
       {&check.catalog.partitioned, &check.catalog.excluded_tables}) {
    for (const QualifiedName& name : *names) {
      if (scope.IncludesTable(name)) return true;
    }
  }
  return false;
}

// A pattern that matches nothing is most likely misspelt.
absl::Status CheckPatterns(CheckContext& check) {
  const ScopeOptions& options = check.options.scope;
  const struct {
    absl::string_view flag;
    const std::vector<std::string>& patterns;
    bool of_schemas;
  } kLists[] = {
      {"schema", options.schemas, true},
      {"exclude-schema", options.exclude_schemas, true},
      {"table", options.tables, false},
      {"exclude-table", options.exclude_tables, false},
      {"exclude-table-data", options.exclude_table_data, false},
      {"delay-table-data", options.delay_table_data, false},
  };
  for (const auto& list : kLists) {
    for (const std::string& pattern : list.patterns) {
      ScopeOptions only;
      (list.of_schemas ? only.schemas : only.tables) = {pattern};
      ASSIGN_OR_RETURN(const Scope scope, Scope::Create(std::move(only)));
      if (list.of_schemas ? MatchesSchema(check, scope)
                          : MatchesTable(check, scope)) {
        continue;
      }
      check.findings.Warning(
          {"scope", "source",
           absl::StrCat("nothing on the source matches --", list.flag, " ",
                        pattern),
           "patterns are case-sensitive: schema, table or schema.table"});
    }
  }
  return absl::OkStatus();
}

absl::Status CheckScope(CheckContext& check) {
  RETURN_IF_ERROR(CheckPatterns(check));
  const Catalog& catalog = check.catalog;
  const std::string text = absl::StrCat(
      CountOf(static_cast<int64_t>(catalog.tables.size()), "table"), ", ",
      CountOf(static_cast<int64_t>(catalog.partitioned.size()),
              "partitioned parent"),
      ", ",
      CountOf(static_cast<int64_t>(catalog.materialized_views.size()),
              "materialized view"),
      " and ",
      CountOf(static_cast<int64_t>(catalog.sequences.size()), "sequence"),
      " take part");
  const ScopeOptions& options = check.options.scope;
  if (catalog.tables.empty() &&
      !(options.schemas.empty() && options.tables.empty())) {
    check.findings.Acceptable(
        {"scope", "source", text, "mend --schema and --table"});
  } else if (catalog.tables.empty()) {
    check.findings.Warning({"scope", "source", text});
  } else {
    check.findings.Ok({"scope", "source", text});
  }
  return absl::OkStatus();
}

absl::Status CheckForeignKeys(CheckContext& check) {
  const std::string included = RelationOids(check, "rp");
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT k.conname, k.conrelid::regclass::text,"
          " k.confrelid::regclass::text"
          " FROM pg_constraint k WHERE k.contype = 'f' AND ",
          NotInheritedSql(check.source.server_version()),
          " AND k.conrelid = ANY (", included, ") AND k.confrelid <> ALL (",
          included, ") ORDER BY 2, 1")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Warning(
        {"foreign-key-scope", std::string(rows.Text(row, 1)),
         absl::StrCat("foreign key ", rows.Text(row, 0),
                      " is left out: it refers to ", rows.Text(row, 2),
                      ", which is not in scope")});
  }
  if (rows.rows() == 0) {
    check.findings.Ok({"foreign-key-scope", "source",
                       "no foreign key refers to a table out of scope"});
  }
  return absl::OkStatus();
}

// Where rows alone are carried, it is the target's keys that matter.
absl::Status CheckForeignKeyData(CheckContext& check) {
  const auto with_rows = [](const CatalogTable& table) {
    return table.copy_data;
  };
  const auto without_rows = [](const CatalogTable& table) {
    return !table.copy_data;
  };
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT k.conname, k.conrelid::regclass::text,"
          " k.confrelid::regclass::text"
          " FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = ANY (",
          TableOids(check.catalog, with_rows), ") AND k.confrelid = ANY (",
          TableOids(check.catalog, without_rows), ") ORDER BY 2, 1")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Acceptable(
        {"foreign-key-data", std::string(rows.Text(row, 1)),
         absl::StrCat("foreign key ", rows.Text(row, 0), " refers to ",
                      rows.Text(row, 2),
                      ", whose rows are left out: it cannot be created on the "
                      "target unless all its columns are NULL"),
         "leave out the rows of both tables, or of neither"});
  }
  if (rows.rows() == 0) {
    check.findings.Ok({"foreign-key-data", "source",
                       "no foreign key refers to rows that are left out"});
  }
  return absl::OkStatus();
}

// A relation that cannot be created without another one, and why.
constexpr char kNeeds[] =
    // Partitions and children of their parents.
    "SELECT i.inhrelid AS oid, i.inhparent AS needed, 'inherits from' AS how"
    " FROM pg_inherits i"
    " UNION SELECT r.ev_class, d.refobjid, 'reads' FROM pg_rewrite r"
    " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass"
    " AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass"
    " AND d.refobjid <> r.ev_class"
    // Defaults that draw from a sequence.
    " UNION SELECT f.adrelid, d.refobjid, 'draws from' FROM pg_attrdef f"
    " JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass"
    " AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass"
    " AND d.refobjid <> f.adrelid";

absl::StatusOr<bool> NeedsRelations(CheckContext& check) {
  std::string included = RelationOids(check, "rpvmfS");
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT x.oid::regclass::text, x.how, x.needed::regclass::text FROM "
          "(",
          kNeeds,
          ") x JOIN pg_class c ON c.oid = x.needed"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " WHERE x.oid = ANY (",
          included, ") AND x.needed <> ALL (", included,
          ") AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
          " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
          " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'"
          " AND e.classid = 'pg_class'::regclass AND e.objid = c.oid)"
          " ORDER BY 1, 3")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Blocking(
        {"scope-dependency", std::string(rows.Text(row, 0)),
         absl::StrCat("it ", rows.Text(row, 1), " ", rows.Text(row, 2),
                      ", which is not in scope: it cannot be created on the "
                      "target"),
         "include both, or exclude both with --exclude-table"});
  }
  return rows.rows() > 0;
}

absl::StatusOr<bool> NeedsTypes(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT DISTINCT a.attrelid::regclass::text,"
          " format_type(a.atttypid, NULL), n.nspname"
          " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
          " JOIN pg_namespace n ON n.oid = t.typnamespace"
          " WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY (",
          RelationOids(check, "rpf"), ") AND n.nspname = ANY (",
          QuoteTextArray(check.catalog.excluded_schemas), ") ORDER BY 1, 2")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Blocking(
        {"scope-dependency", std::string(rows.Text(row, 0)),
         absl::StrCat("a column's type, ", rows.Text(row, 1), ", is in schema ",
                      rows.Text(row, 2),
                      ", which is not in scope: the table cannot be created on "
                      "the target"),
         absl::StrCat("include schema ", rows.Text(row, 2),
                      " and exclude its tables instead")});
  }
  return rows.rows() > 0;
}

// The function that something calls, and whose it is: `oid` is the relation's.
constexpr absl::string_view kCalls =
    "SELECT tgrelid AS oid, 'trigger ' || tgname AS what, tgfoid AS needed"
    " FROM pg_trigger WHERE NOT tgisinternal"
    " UNION ALL SELECT f.adrelid, 'a default', d.refobjid FROM pg_attrdef f"
    " JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass"
    " AND d.objid = f.oid AND d.refclassid = 'pg_proc'::regclass"
    " UNION ALL SELECT k.conrelid, 'constraint ' || k.conname, d.refobjid"
    " FROM pg_constraint k"
    " JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass"
    " AND d.objid = k.oid AND d.refclassid = 'pg_proc'::regclass"
    " UNION ALL SELECT i.indrelid, 'index ' || c.relname, d.refobjid"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
    " AND d.objid = i.indexrelid AND d.refclassid = 'pg_proc'::regclass"
    " UNION ALL SELECT p.polrelid, 'policy ' || p.polname, d.refobjid"
    " FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass"
    " AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass"
    " UNION ALL SELECT r.ev_class, CASE r.rulename WHEN '_RETURN' THEN"
    " 'its query' ELSE 'rule ' || r.rulename END, d.refobjid"
    " FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass"
    " AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass";

absl::StatusOr<bool> NeedsFunctions(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT DISTINCT x.oid::regclass::text, x.what,"
          " p.oid::regprocedure::text, n.nspname FROM (",
          kCalls,
          ") x JOIN pg_proc p ON p.oid = x.needed"
          " JOIN pg_namespace n ON n.oid = p.pronamespace"
          " WHERE x.oid = ANY (",
          RelationOids(check, "rpvmf"), ") AND n.nspname = ANY (",
          QuoteTextArray(check.catalog.excluded_schemas),
          ") AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'"
          " AND e.classid = 'pg_proc'::regclass AND e.objid = p.oid)"
          " ORDER BY 1, 2, 3")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Blocking(
        {"scope-dependency", std::string(rows.Text(row, 0)),
         absl::StrCat(rows.Text(row, 1), " calls ", rows.Text(row, 2),
                      ", whose schema is not in scope: it cannot be created on "
                      "the target"),
         absl::StrCat("include schema ", rows.Text(row, 3),
                      " and exclude its tables instead")});
  }
  return rows.rows() > 0;
}

absl::StatusOr<bool> TargetHasSchema(CheckContext& check,
                                     const std::string& schema) {
  if (check.target_to_come) return schema == "public";
  ASSIGN_OR_RETURN(
      const int64_t there,
      QueryNumber(check.target, absl::StrCat("SELECT count(*) FROM pg_namespace"
                                             " WHERE nspname = ",
                                             QuoteLiteral(schema))));
  return there > 0;
}

absl::StatusOr<bool> NeedsExtensions(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT e.extname, n.nspname FROM pg_extension e"
          " JOIN pg_namespace n ON n.oid = e.extnamespace"
          " WHERE n.nspname = ANY (",
          QuoteTextArray(check.catalog.excluded_schemas), ") ORDER BY 1")));
  bool any = false;
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string schema(rows.Text(row, 1));
    ASSIGN_OR_RETURN(const bool there, TargetHasSchema(check, schema));
    if (there) continue;
    any = true;
    check.findings.Blocking(
        {"scope-dependency", absl::StrCat("extension ", rows.Text(row, 0)),
         absl::StrCat("its schema, ", schema,
                      ", is not in scope and not on the target"),
         absl::StrCat("on the target: CREATE SCHEMA ", QuoteIdentifier(schema),
                      ";")});
  }
  return any;
}

absl::Status CheckDependencies(CheckContext& check) {
  if (check.catalog.excluded_tables.empty() &&
      check.catalog.excluded_schemas.empty()) {
    check.findings.Ok({"scope-dependency", "source", "everything is in scope"});
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool relations, NeedsRelations(check));
  ASSIGN_OR_RETURN(const bool types, NeedsTypes(check));
  ASSIGN_OR_RETURN(const bool functions, NeedsFunctions(check));
  ASSIGN_OR_RETURN(const bool extensions, NeedsExtensions(check));
  if (!relations && !types && !functions && !extensions) {
    check.findings.Ok({"scope-dependency", "source",
                       "nothing in scope needs what is left out"});
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> ScopeChecks() {
  return {{"scope", CheckScope},
          {.id = "foreign-key-scope",
           .run = CheckForeignKeys,
           .creating_only = true},
          {.id = "foreign-key-data",
           .run = CheckForeignKeyData,
           .creating_only = true},
          {.id = "scope-dependency",
           .run = CheckDependencies,
           .creating_only = true}};
}

}  // namespace walferry
