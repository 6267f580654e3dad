// Checks: how each table's rows can be followed and applied.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/connect/old_servers.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// An index that could be a table's replica identity.
struct KeyIndex {
  std::string name;
  bool primary = false;
};
using KeyIndexes = absl::flat_hash_map<uint32_t, KeyIndex>;

// For each table the best one: the primary key, else the one with the fewest
// columns.
absl::StatusOr<KeyIndexes> ReadKeyIndexes(PgConnection& source,
                                          const std::string& tables) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      source.Exec(absl::StrCat(
          "SELECT i.indrelid, x.relname, i.indisprimary FROM pg_index i"
          " JOIN pg_class x ON x.oid = i.indexrelid"
          " WHERE i.indrelid = ANY (",
          tables,
          ") AND i.indisunique AND i.indimmediate AND i.indisvalid"
          " AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS ("
          "SELECT FROM unnest(i.indkey) WITH ORDINALITY k (attnum, place)"
          " JOIN pg_attribute a ON a.attrelid = i.indrelid"
          " AND a.attnum = k.attnum WHERE k.place <= i.indnkeyatts"
          " AND (NOT a.attnotnull OR a.attgenerated <> ''))"
          " ORDER BY i.indisprimary DESC, i.indnkeyatts,"
          " x.relname::text COLLATE \"C\"")));
  KeyIndexes best;
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t table, rows.Int64(row, 0));
    best.try_emplace(static_cast<uint32_t>(table),
                     KeyIndex{.name = std::string(rows.Text(row, 1)),
                              .primary = rows.Bool(row, 2)});
  }
  return best;
}

std::string IdentityHint(const CatalogTable& table, const KeyIndexes& indexes) {
  const std::string alter =
      absl::StrCat("ALTER TABLE ", Quote(table.name), " REPLICA IDENTITY ");
  const auto index = indexes.find(table.oid);
  if (index == indexes.end()) {
    return absl::StrCat(alter,
                        "FULL; -- every UPDATE and DELETE then writes the "
                        "whole old row to the log, and the target has to "
                        "search for it; a primary key is better");
  }
  if (index->second.primary) return absl::StrCat(alter, "DEFAULT;");
  return absl::StrCat(alter, "USING INDEX ",
                      QuoteIdentifier(index->second.name), ";");
}

absl::string_view WhyNoIdentity(const CatalogTable& table) {
  switch (table.identity) {
    case ReplicaIdentity::kNothing:
      return "its replica identity is NOTHING";
    case ReplicaIdentity::kIndex:
      return "the index of its replica identity is gone or not valid";
    case ReplicaIdentity::kDefault:
    case ReplicaIdentity::kFull:
      return "it has no primary key that identifies rows at once";
  }
  return "";
}

absl::Status CheckReplicaIdentity(CheckContext& check) {
  const auto lacks_identity = [](const CatalogTable& table) {
    return IsPublished(table) && !table.has_usable_identity;
  };
  ASSIGN_OR_RETURN(
      const KeyIndexes indexes,
      ReadKeyIndexes(check.source, TableOids(check.catalog, lacks_identity)));
  bool all_have = true;
  for (const CatalogTable& table : check.catalog.tables) {
    if (!lacks_identity(table)) continue;
    all_have = false;
    check.findings.Acceptable(
        {"replica-identity", ToDisplay(table.name),
         absl::StrCat(WhyNoIdentity(table),
                      ": once it is published, the application's own UPDATE "
                      "and DELETE on it fail on the source"),
         IdentityHint(table, indexes)});
  }
  if (all_have) {
    check.findings.Ok(
        {"replica-identity", "source", "every table's rows can be told apart"});
  }
  return absl::OkStatus();
}

// Names of the tables that `wanted` says yes to.
template <typename Wanted>
std::vector<std::string> TablesWhere(const CheckContext& check, Wanted wanted) {
  std::vector<std::string> names;
  for (const CatalogTable& table : check.catalog.tables) {
    if (wanted(table)) names.push_back(ToDisplay(table.name));
  }
  return names;
}

absl::Status CheckFullIdentity(CheckContext& check) {
  const std::vector<std::string> full =
      TablesWhere(check, [](const CatalogTable& table) {
        return IsPublished(table) && table.identity == ReplicaIdentity::kFull;
      });
  if (full.empty()) return absl::OkStatus();
  check.findings.Info(
      {"replica-identity-full", "source",
       absl::StrCat("each UPDATE and DELETE has to search for its row by all "
                    "columns in ",
                    NameSome(full)),
       "a primary key, or REPLICA IDENTITY USING INDEX, makes it fast"});
  return absl::OkStatus();
}

absl::Status CheckGeneratedKey(CheckContext& check) {
  const std::vector<std::string> tables =
      TablesWhere(check, [](const CatalogTable& table) {
        return IsPublished(table) &&
               std::any_of(table.columns.begin(), table.columns.end(),
                           [&](const CatalogColumn& column) {
                             return column.generated != 0 &&
                                    std::find(table.key.begin(),
                                              table.key.end(),
                                              column.name) != table.key.end();
                           });
      });
  for (const std::string& table : tables) {
    check.findings.Acceptable(
        {"generated-key", table,
         "its replica identity has a generated column, whose value is not in "
         "the stream: UPDATE and DELETE cannot be followed (from PostgreSQL 18 "
         "on they fail on the source once it is published)",
         "use an index without generated columns: ALTER TABLE ... REPLICA "
         "IDENTITY USING INDEX ..."});
  }
  if (tables.empty()) {
    check.findings.Ok({"generated-key", "source",
                       "no replica identity has a generated column"});
  }
  return absl::OkStatus();
}

absl::Status CheckUnlogged(CheckContext& check) {
  const std::vector<std::string> unlogged =
      TablesWhere(check, [](const CatalogTable& table) {
        return table.copy_data && table.unlogged;
      });
  if (unlogged.empty()) {
    check.findings.Ok({"unlogged-table", "source", "no table is unlogged"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"unlogged-table", "source",
       absl::StrCat("changes of unlogged tables are not in the stream; they "
                    "are copied once more at the cutover, while writers wait: ",
                    NameSome(unlogged)),
       "--exclude-table-data for those whose rows are not needed"});
  return absl::OkStatus();
}

absl::Status CheckSpecialColumns(CheckContext& check) {
  int64_t generated = 0;
  int64_t always = 0;
  for (const CatalogTable& table : check.catalog.tables) {
    for (const CatalogColumn& column : table.columns) {
      if (column.generated != 0) ++generated;
      if (column.identity == 'a') ++always;
    }
  }
  check.findings.Ok(
      {"generated-column", "source",
       absl::StrCat(CountOf(generated, "generated column"),
                    generated == 0 ? "" : ": computed anew on the target")});
  check.findings.Ok(
      {"identity-column", "source",
       absl::StrCat(CountOf(always, "column"), " GENERATED ALWAYS AS IDENTITY",
                    always == 0 ? "" : ": values are carried as they are")});
  return absl::OkStatus();
}

absl::Status CheckConstraints(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT conrelid::regclass::text, conname, contype = 'x',"
          " condeferrable FROM pg_constraint k WHERE ",
          NotInheritedSql(check.source.server_version()),
          " AND (contype = 'x' OR contype IN ('p', 'u') AND condeferrable)"
          " AND conrelid = ANY (",
          RelationOids(check, "rp"), ") ORDER BY 1, 2")));
  std::vector<std::string> deferrable;
  std::vector<std::string> exclusion;
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string name =
        absl::StrCat(rows.Text(row, 1), " on ", rows.Text(row, 0));
    if (rows.Bool(row, 2)) exclusion.push_back(name);
    if (rows.Bool(row, 3)) deferrable.push_back(name);
  }
  if (deferrable.empty()) {
    check.findings.Ok({"deferrable-key", "source",
                       "no unique or exclusion constraint is deferrable"});
  } else {
    check.findings.Warning(
        {"deferrable-key", "source",
         absl::StrCat("PostgreSQL does not enforce deferrable unique and "
                      "exclusion constraints on applied changes: ",
                      NameSome(deferrable)),
         "do not write to the target before the cutover: a duplicate would "
         "stay"});
  }
  if (exclusion.empty()) {
    check.findings.Ok(
        {"exclusion-constraint", "source", "there is no exclusion constraint"});
  } else {
    check.findings.Info(
        {"exclusion-constraint", "source",
         absl::StrCat("changes of tables with exclusion constraints are not "
                      "merged, so applied more slowly: ",
                      NameSome(exclusion))});
  }
  return absl::OkStatus();
}

absl::Status CheckForeignTables(CheckContext& check) {
  std::vector<std::string> foreign;
  for (const IncludedRelation& relation : check.relations) {
    if (relation.kind == 'f') foreign.push_back(ToDisplay(relation.name));
  }
  if (foreign.empty()) {
    check.findings.Ok({"foreign-table", "source", "there is no foreign table"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"foreign-table", "source",
       absl::StrCat("of foreign tables the definition is carried, their rows "
                    "stay where they are: ",
                    NameSome(foreign)),
       "see that the target reaches those servers, and set the passwords of "
       "the user mappings there"});
  return absl::OkStatus();
}

absl::Status CheckInvalidIndexes(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> invalid,
      QueryColumn(check.source,
                  absl::StrCat("SELECT indexrelid::regclass::text"
                               " FROM pg_index WHERE NOT indisvalid"
                               " AND indrelid = ANY (",
                               RelationOids(check, "rm"), ") ORDER BY 1")));
  if (invalid.empty()) {
    check.findings.Ok({"invalid-index", "source", "every index is valid"});
    return absl::OkStatus();
  }
  check.findings.Info(
      {"invalid-index", "source",
       absl::StrCat("invalid indexes are left out: ", NameSome(invalid)),
       "REINDEX INDEX CONCURRENTLY, or drop them"});
  return absl::OkStatus();
}

// Tables WITH OIDS: up to 11, and nobody can make one since.
absl::Status CheckOids(CheckContext& check) {
  if (check.source.server_version() >= 120000) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::vector<std::string> tables,
      QueryColumn(check.source,
                  absl::StrCat("SELECT c.oid::regclass::text FROM pg_class c"
                               " WHERE c.relhasoids AND c.oid = ANY (",
                               RelationOids(check, "rp"), ") ORDER BY 1")));
  for (const std::string& table : tables) {
    check.findings.Acceptable(
        {"oids", table,
         "it was made WITH OIDS, which the target does not know: the oids of "
         "its rows are not carried",
         absl::StrCat("keep those that something refers to: ALTER TABLE ",
                      table, " ADD old_oid oid; UPDATE ", table,
                      " SET old_oid = oid; or, if nothing does: ALTER TABLE ",
                      table, " SET WITHOUT OIDS;")});
  }
  if (tables.empty()) {
    check.findings.Ok({"oids", "source", "no table was made WITH OIDS"});
  }
  return absl::OkStatus();
}

absl::Status CheckAccessMethods(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT c.oid::regclass::text, m.amname FROM pg_class c"
          " JOIN pg_am m ON m.oid = c.relam WHERE m.amname <> 'heap'"
          " AND c.oid = ANY (",
          TableOids(check.catalog, IsPublished), ") ORDER BY 1")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Warning(
        {"access-method", std::string(rows.Text(row, 0)),
         absl::StrCat("it is stored by access method ", rows.Text(row, 1),
                      ": whether its changes are in the stream depends on that "
                      "one's author")});
  }
  if (rows.rows() == 0) {
    check.findings.Ok(
        {"access-method", "source", "every table is an ordinary heap"});
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> TableChecks() {
  return {
      {"replica-identity", CheckReplicaIdentity, /*online_only=*/true},
      {"replica-identity-full", CheckFullIdentity, /*online_only=*/true},
      {"generated-key", CheckGeneratedKey, /*online_only=*/true},
      {"unlogged-table", CheckUnlogged, /*online_only=*/true},
      {"generated-column", CheckSpecialColumns},
      {"deferrable-key", CheckConstraints, /*online_only=*/true},
      {.id = "foreign-table", .run = CheckForeignTables, .creating_only = true},
      {.id = "invalid-index",
       .run = CheckInvalidIndexes,
       .creating_only = true},
      {"oids", CheckOids},
      {"access-method", CheckAccessMethods}};
}

}  // namespace walferry
