#include "engine/catalog/catalog_sql.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/connect/old_servers.h"

namespace walferry {
namespace {

constexpr absl::string_view kUserNamespace =
    " n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ";

}  // namespace

std::string CatalogRelationsSql() {
  return absl::StrCat(
      "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence,"
      " c.relispartition, c.relreplident, c.relispopulated, c.relfilenode,"
      " greatest(c.reltuples, 0)::bigint, e.oid IS NOT NULL,"
      " array_position(e.extconfig, c.oid) IS NOT NULL,"
      " e.extcondition[array_position(e.extconfig, c.oid)]"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
      " AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'"
      " LEFT JOIN pg_extension e ON e.oid = d.refobjid"
      " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
      " AND c.relpersistence <> 't' AND",
      kUserNamespace);
}

std::string CatalogSchemasSql() {
  return absl::StrCat("SELECT n.nspname FROM pg_namespace n WHERE",
                      kUserNamespace, "ORDER BY n.nspname::text COLLATE \"C\"");
}

std::string CatalogPartitionParentsSql() {
  return "SELECT i.inhrelid, i.inhparent FROM pg_inherits i"
         " JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition";
}

std::string CatalogKeysSql(int version) {
  return absl::StrCat(
      "SELECT i.indrelid, i.indisprimary, i.indisreplident, x.relname,"
      " a.attname"
      " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_class x ON x.oid = i.indexrelid"
      " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, place)"
      " JOIN pg_attribute a ON a.attrelid = i.indrelid"
      " AND a.attnum = k.attnum"
      " WHERE c.relkind = 'r' AND (i.indisprimary OR i.indisreplident)"
      " AND i.indisunique AND i.indimmediate AND i.indisvalid"
      " AND i.indpred IS NULL AND k.place <= ",
      KeyColumnsSql(version), " AND", kUserNamespace,
      "ORDER BY i.indexrelid, k.place");
}

std::string CatalogColumnsSql(int version) {
  return absl::StrCat(
      "SELECT a.attrelid, a.attname, a.attnum, a.atttypid,"
      " format_type(a.atttypid, a.atttypmod), a.attnotnull, ",
      GeneratedSql(version),
      ", a.attidentity"
      " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
      " AND a.attnum > 0 AND NOT a.attisdropped AND",
      kUserNamespace, "ORDER BY a.attrelid, a.attnum");
}

std::string CatalogSequenceOwnersSql() {
  return "SELECT d.objid, d.refobjid, a.attname"
         " FROM pg_depend d JOIN pg_class s ON s.oid = d.objid"
         " JOIN pg_attribute a ON a.attrelid = d.refobjid"
         " AND a.attnum = d.refobjsubid"
         " WHERE d.classid = 'pg_class'::regclass"
         " AND d.refclassid = 'pg_class'::regclass"
         " AND d.deptype IN ('a', 'i') AND s.relkind = 'S'";
}

std::string CatalogViewReadsSql() {
  return "SELECT DISTINCT r.ev_class, d.refobjid"
         " FROM pg_rewrite r JOIN pg_depend d"
         " ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
         " AND d.refclassid = 'pg_class'::regclass"
         " JOIN pg_class v ON v.oid = r.ev_class"
         " JOIN pg_class b ON b.oid = d.refobjid"
         " WHERE v.relkind IN ('v', 'm') AND b.relkind IN ('v', 'm')"
         " AND v.oid <> b.oid ORDER BY 1, 2";
}

std::string CatalogDelayedReadersSql(absl::string_view delayed) {
  return absl::StrCat(
      "WITH RECURSIVE late (oid) AS ("
      "SELECT unnest(",
      delayed,
      ") UNION SELECT r.ev_class FROM pg_rewrite r JOIN pg_class v"
      " ON v.oid = r.ev_class JOIN pg_depend d"
      " ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
      " WHERE v.relkind IN ('v', 'm')"
      // What is built in does not stand there, and reads no tables.
      " AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)"
      " UNION SELECT r.ev_class FROM late l JOIN pg_depend d"
      " ON d.refclassid = 'pg_class'::regclass AND d.refobjid = l.oid"
      " AND d.classid = 'pg_rewrite'::regclass"
      " JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v"
      " ON v.oid = r.ev_class WHERE v.relkind IN ('v', 'm')"
      ") SELECT c.oid FROM late l JOIN pg_class c ON c.oid = l.oid"
      " WHERE c.relkind = 'm' ORDER BY 1");
}

std::string CatalogForeignKeysSql(absl::string_view relations) {
  return absl::StrCat(
      "SELECT oid, conrelid, confrelid FROM pg_constraint"
      " WHERE contype = 'f' AND (conrelid = ANY (",
      relations, ") OR confrelid = ANY (", relations, ")) ORDER BY 1");
}

std::string CatalogSizesSql(const std::vector<CatalogTable>& tables,
                            int version) {
  return absl::StrCat(
      "SELECT c.oid, coalesce(pg_table_size(c.oid), 0),"
      " CASE WHEN ",
      TableMethodSql(version),
      " = 'heap' THEN coalesce(pg_relation_size(c.oid), 0)"
      " / current_setting('block_size')::bigint ELSE 0 END"
      " FROM pg_class c LEFT JOIN pg_am m ON m.oid = c.relam"
      " WHERE c.oid = ANY ('{",
      absl::StrJoin(tables, ",",
                    [](std::string* out, const CatalogTable& table) {
                      absl::StrAppend(out, table.oid);
                    }),
      "}'::oid[])");
}

}  // namespace walferry
