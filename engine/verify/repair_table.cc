#include "engine/verify/repair_table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr int kGeneratedColumns = 120000;

// An index of expressions, or of some rows, may depend on any column.
std::string ColumnsSql(const std::string& table, int version) {
  return absl::Substitute(
      "SELECT a.attname, $1, a.attidentity = 'a' OR EXISTS (SELECT FROM "
      "pg_index i WHERE i.indrelid = a.attrelid AND (i.indisunique OR "
      "i.indisexclusion) AND (a.attnum = ANY (i.indkey) OR i.indexprs IS NOT "
      "NULL OR i.indpred IS NOT NULL)) FROM pg_attribute a WHERE a.attrelid = "
      "$0::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
      table, version < kGeneratedColumns ? "false" : "a.attgenerated <> ''");
}

// Of the table and, of a tree, of all in it. Before PostgreSQL 15 a partition's
// trigger that stands for its parent's counts as internal; so do those of
// constraints, which are no users'. Of a foreign key only what writes to other
// tables: the others refuse, and are heard.
std::string ActingSql(const std::string& table, bool tree, bool replica_role) {
  return absl::Substitute(
      "WITH RECURSIVE all_of_it (oid) AS (SELECT $0::regclass::oid UNION "
      "SELECT i.inhrelid FROM pg_inherits i JOIN all_of_it a ON i.inhparent = "
      "a.oid WHERE $1) SELECT format('trigger %I', t.tgname) FROM pg_trigger t "
      "WHERE t.tgrelid IN (SELECT oid FROM all_of_it) AND (NOT t.tgisinternal "
      "OR t.tgconstraint = 0) AND t.tgenabled IN ($2) UNION SELECT "
      "format('rule %I', r.rulename) FROM pg_rewrite r WHERE r.ev_class IN "
      "(SELECT oid FROM all_of_it) AND r.ev_enabled IN ($2) UNION SELECT "
      "format('foreign key %I of %s', f.conname, f.conrelid::regclass) FROM "
      "pg_constraint f WHERE $3 AND f.contype = 'f' AND f.confrelid IN (SELECT "
      "oid FROM all_of_it) AND (f.confdeltype IN ('c', 'n', 'd') OR "
      "f.confupdtype IN ('c', 'n', 'd')) ORDER BY 1",
      table, tree ? "true" : "false", replica_role ? "'A', 'R'" : "'A', 'O'",
      replica_role ? "false" : "true");
}

}  // namespace

absl::StatusOr<RepairTable> ReadRepairTable(PgConnection& target,
                                            const TablePair& pair,
                                            bool replica_role) {
  RepairTable table{.pair = &pair};
  const std::string name = QuoteLiteral(Quote(pair.name));
  ASSIGN_OR_RETURN(const PgResult columns,
                   target.Exec(ColumnsSql(name, target.server_version())));
  for (int row = 0; row < columns.rows(); ++row) {
    const std::string column(columns.Text(row, 0));
    const bool compared = absl::c_linear_search(pair.columns, column);
    if (columns.Bool(row, 1)) {
      if (compared) table.generated.push_back(column);
    } else if (compared) {
      table.written.push_back(column);
    } else {
      table.own.push_back(column);
    }
    // A row that changes may belong into another partition.
    if (columns.Bool(row, 2) || pair.whole_tree) table.replaced.insert(column);
  }
  ASSIGN_OR_RETURN(const PgResult acting,
                   target.Exec(ActingSql(name, pair.whole_tree, replica_role)));
  for (int row = 0; row < acting.rows(); ++row) {
    table.acting.emplace_back(acting.Text(row, 0));
  }
  return table;
}

absl::StatusOr<bool> MayBeReplica(PgConnection& target) {
  RETURN_IF_ERROR(target.Exec("SAVEPOINT role").status());
  const absl::Status set =
      target.Exec("SET LOCAL session_replication_role = 'replica'").status();
  if (!set.ok() && SqlStateOf(set) != "42501") return set;
  RETURN_IF_ERROR(
      target.Exec("ROLLBACK TO SAVEPOINT role; RELEASE SAVEPOINT role")
          .status());
  return set.ok();
}

absl::StatusOr<absl::flat_hash_map<QualifiedName, int>> ForeignKeyRanks(
    PgConnection& target) {
  ASSIGN_OR_RETURN(
      const PgResult keys,
      target.Exec(
          "SELECT cn.nspname, c.relname, pn.nspname, p.relname FROM "
          "pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN "
          "pg_namespace cn ON cn.oid = c.relnamespace JOIN pg_class p ON p.oid "
          "= f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE "
          "f.contype = 'f' AND f.conrelid <> f.confrelid"));
  std::vector<std::pair<QualifiedName, QualifiedName>> child_of_parent;
  absl::flat_hash_map<QualifiedName, int> ranks;
  for (int row = 0; row < keys.rows(); ++row) {
    const auto name = [&](int column) {
      return QualifiedName{std::string(keys.Text(row, column)),
                           std::string(keys.Text(row, column + 1))};
    };
    child_of_parent.emplace_back(name(0), name(2));
    ranks[name(0)] = ranks[name(2)] = 0;
  }
  // A circle would raise them for ever.
  for (size_t pass = 0; pass < ranks.size(); ++pass) {
    bool raised = false;
    for (const auto& [child, parent] : child_of_parent) {
      if (ranks[child] > ranks[parent]) continue;
      ranks[child] = ranks[parent] + 1;
      raised = true;
    }
    if (!raised) break;
  }
  return ranks;
}

}  // namespace walferry
