#include "engine/verify/table_facts.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/connect/old_servers.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kUserNamespace =
    "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

// Types whose order depends on nothing but the value. No enums (the order is
// that of their creation), and no containers.
constexpr absl::string_view kOrderedTypes =
    "'{16,17,18,20,21,23,26,650,700,701,774,829,869,1082,1083,1114,1184,1186,"
    "1266,1700,2950,3220}'::oid[]";
// char(n), varchar, text, name: by their collation.
constexpr absl::string_view kTextTypes = "'{19,25,1042,1043}'::oid[]";

// Of the database's own collation.
std::string DatabaseOrderSql(int version) {
  constexpr int kKnowsItsVersion = 150000;
  if (version < kKnowsItsVersion) {
    return "CASE WHEN d.datcollate IN ('C', 'POSIX') THEN 'C' ELSE '' END";
  }
  // Its locale's column was renamed in 17.
  return "CASE WHEN d.datlocprovider = 'c' AND d.datcollate IN ('C', 'POSIX') "
         "THEN 'C' WHEN pg_database_collation_actual_version(d.oid) IS NULL "
         "THEN '' ELSE format('%s %s %s %s', d.datlocprovider, CASE WHEN "
         "d.datlocprovider = 'c' THEN d.datcollate ELSE coalesce(to_jsonb(d) "
         "->> 'datlocale', to_jsonb(d) ->> 'daticulocale') END, to_jsonb(d) "
         "->> 'daticurules', pg_database_collation_actual_version(d.oid)) END";
}

// Of collation `l`, if it is not the default; without a version nobody knows
// that both sides mean the same by its name.
std::string CollationOrderSql(int version) {
  const absl::string_view deterministic =
      version >= 120000 ? "l.collisdeterministic" : "true";
  return absl::StrCat(
      "CASE WHEN l.collprovider = 'c' AND l.collcollate IN ('C', 'POSIX') "
      "THEN 'C' WHEN NOT ",
      deterministic,
      " OR pg_collation_actual_version(l.oid) IS NULL THEN '' ELSE "
      "format('%s %s %s %s', l.collprovider, coalesce(to_jsonb(l) ->> "
      "'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate), "
      "to_jsonb(l) ->> 'collicurules', pg_collation_actual_version(l.oid)) "
      "END");
}

// From then on a NOT NULL may be one that old rows do not obey.
constexpr int kUnprovenNotNull = 180000;

std::string KeysSql(int version) {
  return absl::StrCat(
      "SELECT i.indrelid, i.indexrelid, i.indisprimary, a.attname, CASE WHEN "
      "NOT o.opcdefault THEN '' WHEN b.type = ANY (",
      kOrderedTypes, ") THEN 'value ' || b.type WHEN b.type <> ALL (",
      kTextTypes,
      ") THEN '' WHEN c2.coll = 0 THEN 'C' WHEN c2.coll = 100 THEN ",
      DatabaseOrderSql(version), " ELSE ", CollationOrderSql(version),
      " END FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, place)"
      " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
      " JOIN pg_type t ON t.oid = a.atttypid"
      " CROSS JOIN LATERAL (SELECT CASE WHEN t.typbasetype = 0 THEN t.oid ELSE "
      "t.typbasetype END AS type) b"
      " CROSS JOIN LATERAL (SELECT i.indcollation[k.place - 1] AS coll) c2"
      " LEFT JOIN pg_collation l ON l.oid = c2.coll"
      " JOIN pg_opclass o ON o.oid = i.indclass[k.place - 1]"
      " JOIN pg_database d ON d.datname = current_database()"
      " WHERE c.relkind IN ('r', 'p') AND i.indisunique AND i.indimmediate"
      " AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
      " AND k.place <= ",
      KeyColumnsSql(version), " AND ", kUserNamespace,
      // All of its columns are not null.
      " AND NOT EXISTS (SELECT FROM pg_attribute z WHERE z.attrelid = "
      "i.indrelid AND z.attnum = ANY (i.indkey) AND (NOT z.attnotnull",
      version < kUnprovenNotNull
          ? "))"
          : " OR EXISTS (SELECT FROM pg_constraint u WHERE u.conrelid = "
            "z.attrelid AND u.contype = 'n' AND u.conkey[1] = z.attnum AND "
            "NOT u.convalidated)))",
      " ORDER BY i.indrelid, i.indisprimary DESC, ", KeyColumnsSql(version),
      ", i.indexrelid, k.place");
}

std::string TreesSql() {
  return absl::StrCat(
      "WITH RECURSIVE tree (root, member) AS (SELECT c.oid, c.oid FROM "
      "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
      "c.relkind = 'p' AND NOT c.relispartition AND ",
      kUserNamespace,
      " UNION ALL SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON "
      "i.inhparent = tree.member) SELECT rn.nspname, r.relname, mn.nspname, "
      "m.relname, format('%I.%I %s %s', mn.nspname, m.relname, m.relkind = "
      "'p', pg_get_expr(m.relpartbound, m.oid)), m.relkind <> 'p' FROM tree "
      "JOIN pg_class r ON "
      "r.oid = tree.root JOIN pg_namespace rn ON rn.oid = r.relnamespace JOIN "
      "pg_class m ON m.oid = tree.member JOIN pg_namespace mn ON mn.oid = "
      "m.relnamespace ORDER BY 1, 2, mn.nspname::text COLLATE \"C\", "
      "m.relname::text COLLATE \"C\"");
}

std::string EstimatesSql() {
  return absl::StrCat(
      "SELECT c.oid, c.relkind, n.nspname, c.relname, c.reltuples, "
      "coalesce(pg_relation_filenode(c.oid), 0) FROM "
      "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
      "c.relkind IN ('r', 'f') AND ",
      kUserNamespace, " ORDER BY 3, 4");
}

absl::Status ReadKeys(PgConnection& session, TableFacts& facts) {
  ASSIGN_OR_RETURN(const PgResult rows,
                   session.Exec(KeysSql(session.server_version())));
  std::string last;
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t table, rows.Int64(row, 0));
    std::vector<UniqueKey>& keys = facts.keys[static_cast<uint32_t>(table)];
    const std::string index(rows.Text(row, 1));
    if (index != last) keys.push_back({.primary = rows.Bool(row, 2)});
    last = index;
    keys.back().columns.push_back({.name = std::string(rows.Text(row, 3)),
                                   .order = std::string(rows.Text(row, 4))});
  }
  return absl::OkStatus();
}

absl::Status ReadUnprovenNotNull(PgConnection& session, TableFacts& facts) {
  if (session.server_version() < kUnprovenNotNull) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec("SELECT u.conrelid, a.attname FROM pg_constraint u JOIN "
                   "pg_attribute a ON a.attrelid = u.conrelid AND a.attnum = "
                   "u.conkey[1] WHERE u.contype = 'n' AND NOT u.convalidated"));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t table, rows.Int64(row, 0));
    facts.unproven_not_null[static_cast<uint32_t>(table)].insert(
        std::string(rows.Text(row, 1)));
  }
  return absl::OkStatus();
}

absl::Status ReadOutputFunctions(PgConnection& session, TableFacts& facts) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(
          "SELECT t.oid, CASE WHEN t.typtype = 'd' AND g.typtype = 'p' THEN '' "
          "ELSE t.typoutput::regproc::text END FROM pg_type t JOIN pg_proc p "
          "ON p.oid = t.typoutput JOIN pg_type g ON g.oid = p.proargtypes[0] "
          "WHERE t.oid IN (SELECT a.atttypid FROM pg_attribute a WHERE "
          "a.attnum > 0)"));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t type, rows.Int64(row, 0));
    facts.output_functions[static_cast<uint32_t>(type)] =
        std::string(rows.Text(row, 1));
  }
  return absl::OkStatus();
}

// Of what a column's type is made, over any number of steps.
std::string PartsSql() {
  return absl::StrCat(
      "WITH RECURSIVE holds (type, part) AS (SELECT a.atttypid, a.atttypid "
      "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN "
      "pg_namespace n ON n.oid = c.relnamespace WHERE a.attnum > 0 AND "
      "c.relkind IN ('r', 'p') AND ",
      kUserNamespace,
      " UNION SELECT h.type, p.oid FROM holds h JOIN pg_type t ON t.oid = "
      "h.part CROSS JOIN LATERAL (SELECT t.typbasetype AS oid WHERE t.typtype "
      "= 'd' UNION ALL SELECT t.typelem WHERE t.typelem <> 0 UNION ALL SELECT "
      "r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid UNION ALL SELECT "
      "a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND "
      "a.attnum > 0 AND NOT a.attisdropped) p) ");
}

absl::Status ReadParts(PgConnection& session, TableFacts& facts) {
  ASSIGN_OR_RETURN(
      const PgResult floats,
      session.Exec(absl::StrCat(PartsSql(),
                                "SELECT DISTINCT type FROM holds WHERE part IN "
                                "('float4'::regtype, 'float8'::regtype)")));
  for (int row = 0; row < floats.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t type, floats.Int64(row, 0));
    facts.with_floats.insert(static_cast<uint32_t>(type));
  }
  ASSIGN_OR_RETURN(
      const PgResult bases,
      session.Exec("WITH RECURSIVE base (type, oid) AS (SELECT oid, "
                   "typbasetype FROM pg_type WHERE typtype = 'd' UNION ALL "
                   "SELECT b.type, t.typbasetype FROM base b JOIN pg_type t ON "
                   "t.oid = b.oid WHERE t.typtype = 'd') SELECT b.type, b.oid "
                   "FROM base b JOIN pg_type t ON t.oid = b.oid WHERE "
                   "t.typtype <> 'd'"));
  for (int row = 0; row < bases.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t type, bases.Int64(row, 0));
    ASSIGN_OR_RETURN(const int64_t base, bases.Int64(row, 1));
    facts.base_types[static_cast<uint32_t>(type)] = static_cast<uint32_t>(base);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TableFacts> ReadTableFacts(PgConnection& session) {
  TableFacts facts;
  RETURN_IF_ERROR(Annotate(ReadKeys(session, facts), "reading keys"));
  RETURN_IF_ERROR(Annotate(ReadUnprovenNotNull(session, facts),
                           "reading NOT NULL constraints"));
  RETURN_IF_ERROR(
      Annotate(ReadOutputFunctions(session, facts), "reading types"));
  RETURN_IF_ERROR(Annotate(ReadParts(session, facts), "reading types"));
  const absl::StatusOr<PgResult> trees = session.Exec(TreesSql());
  if (!trees.ok()) return Annotate(trees.status(), "reading partitions");
  for (int row = 0; row < trees->rows(); ++row) {
    PartitionTree& tree = facts.trees[{std::string(trees->Text(row, 0)),
                                       std::string(trees->Text(row, 1))}];
    tree.members.push_back(
        {std::string(trees->Text(row, 2)), std::string(trees->Text(row, 3))});
    absl::StrAppend(&tree.shape, trees->Text(row, 4), "\n");
    if (trees->Bool(row, 5)) ++tree.leaves;
  }
  const absl::StatusOr<PgResult> tables = session.Exec(EstimatesSql());
  if (!tables.ok()) return Annotate(tables.status(), "reading estimates");
  for (int row = 0; row < tables->rows(); ++row) {
    if (tables->Text(row, 1) == "f") {
      facts.foreign_tables.push_back({std::string(tables->Text(row, 2)),
                                      std::string(tables->Text(row, 3))});
      continue;
    }
    ASSIGN_OR_RETURN(const int64_t oid, tables->Int64(row, 0));
    ASSIGN_OR_RETURN(facts.filenodes[static_cast<uint32_t>(oid)],
                     tables->Int64(row, 5));
    double estimate = -1;
    if (!absl::SimpleAtod(tables->Text(row, 4), &estimate)) estimate = -1;
    facts.estimates[static_cast<uint32_t>(oid)] = estimate;
  }
  return facts;
}

}  // namespace walferry
