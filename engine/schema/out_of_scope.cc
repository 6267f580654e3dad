#include "engine/schema/out_of_scope.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_result.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// An object of the source: its catalog's OID and its own.
using ObjectId = std::pair<uint32_t, uint32_t>;
using Needs = absl::flat_hash_map<ObjectId, QualifiedName>;

constexpr char kDependents[] =
    "SELECT DISTINCT d.classid::bigint, d.objid::bigint, n.nspname, c.relname"
    " FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_class c ON c.oid = d.refobjid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " AND d.classid IN ('pg_catalog.pg_constraint'::pg_catalog.regclass,"
    " 'pg_catalog.pg_policy'::pg_catalog.regclass,"
    " 'pg_catalog.pg_rewrite'::pg_catalog.regclass,"
    " 'pg_catalog.pg_trigger'::pg_catalog.regclass)"
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

absl::StatusOr<Needs> ReadNeeds(const Catalog& catalog, PgConnection& source) {
  const absl::flat_hash_set<QualifiedName> tables(
      catalog.excluded_tables.begin(), catalog.excluded_tables.end());
  const absl::flat_hash_set<std::string> schemas(
      catalog.excluded_schemas.begin(), catalog.excluded_schemas.end());
  ASSIGN_OR_RETURN(const PgResult rows, source.Exec(kDependents));
  Needs needs;
  for (int row = 0; row < rows.rows(); ++row) {
    QualifiedName table = {std::string(rows.Text(row, 2)),
                           std::string(rows.Text(row, 3))};
    if (!tables.contains(table) && !schemas.contains(table.schema)) continue;
    ASSIGN_OR_RETURN(const int64_t class_oid, rows.Int64(row, 0));
    ASSIGN_OR_RETURN(const int64_t oid, rows.Int64(row, 1));
    needs.emplace(
        ObjectId(static_cast<uint32_t>(class_oid), static_cast<uint32_t>(oid)),
        std::move(table));
  }
  return needs;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LeaveOutWhatNeeds(
    const Catalog& catalog, PgConnection& source, DumpScript& script) {
  std::vector<std::string> left_out;
  if (catalog.excluded_tables.empty() && catalog.excluded_schemas.empty()) {
    return left_out;
  }
  ASSIGN_OR_RETURN(const Needs needs, ReadNeeds(catalog, source));
  absl::flat_hash_set<int> gone;
  for (const DumpEntry& entry : script.entries) {
    const auto need = needs.find(ObjectId(entry.class_oid, entry.oid));
    if (need == needs.end()) continue;
    const std::string what =
        absl::StrCat(entry.Display(), ": it needs ", ToDisplay(need->second),
                     ", which is out of scope");
    if (entry.type != "FK CONSTRAINT") {
      return WithHint(absl::FailedPreconditionError(what),
                      "take that table into the scope, or drop or exclude "
                      "what needs it");
    }
    gone.insert(entry.dump_id);
    left_out.push_back(absl::StrCat("left out ", what));
  }
  std::erase_if(script.entries, [&](const DumpEntry& entry) {
    return gone.contains(entry.dump_id) ||
           (entry.type == "COMMENT" && !entry.dependencies.empty() &&
            gone.contains(entry.dependencies.front()));
  });
  return left_out;
}

}  // namespace walferry
