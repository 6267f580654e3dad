#include "apply/target_table.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// One row per live column; a table without columns gives one row with a NULL
// name, and no table no row.
//
// part: the types that a column's type is made of (its base, elements,
//   fields), itself included; `itself` only along its chain of domains.
// fact: for each of these, the equality of its default operator class, as
//   GetDefaultOpClass() and lookup_type_cache() find it: btree before hash;
//   the type's own class, or the one of its kind, or of a type that it can be
//   taken for. Function 4 of a btree class says whether equal is identical; for
//   bpchar it errs, as 'a' and 'a ' are equal. Whether an equality of arrays,
//   ranges or composites hashes depends on what they are made of: not asked.
// firing: the states of triggers and rules that fire in this session; 28 is
//   TRIGGER_TYPE_INSERT, _DELETE and _UPDATE.
constexpr char kTableQuery[] = R"sql(
WITH RECURSIVE firing(state) AS (
  SELECT unnest(CASE current_setting('session_replication_role')
                  WHEN 'replica' THEN '{R,A}' ELSE '{O,A}' END::"char"[])
), rel AS (
  SELECT c.oid, c.relkind, c.reltype, k.key,
         row_security_active(c.oid) AS hidden,
         EXISTS (
           SELECT FROM pg_trigger g
            WHERE (g.tgrelid = c.oid
                   OR g.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
              AND g.tgtype & 28 <> 0
              AND g.tgenabled IN (SELECT state FROM firing))
         OR EXISTS (
           SELECT FROM pg_rewrite w
            WHERE w.ev_class = c.oid AND w.ev_type IN ('2', '3', '4')
              AND w.ev_enabled IN (SELECT state FROM firing)) AS fires,
         EXISTS (
           SELECT FROM pg_index i
            WHERE i.indrelid = c.oid
              AND (i.indisunique OR i.indisexclusion)
              AND i.indexrelid IS DISTINCT FROM k.indexrelid) AS other_unique,
         (SELECT string_agg(array_to_string(
                              (i.indkey::int2[])[0:i.indnkeyatts - 1], ' '),
                            ',' ORDER BY i.indexrelid)
            FROM pg_index i
           WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid
             AND i.indpred IS NULL AND i.indexprs IS NULL
             AND i.indexrelid IS DISTINCT FROM k.indexrelid
             AND NOT EXISTS (
               SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[],
                                  i.indclass::oid[]) AS p(att, coll, class)
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.att
                 JOIN pg_opclass oc ON oc.oid = p.class
                WHERE p.coll <> a.attcollation OR NOT oc.opcdefault)
         ) AS other_keys
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
      SELECT i.indexrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
        FROM pg_index i
       WHERE i.indrelid = c.oid AND i.indisvalid AND i.indisunique
         AND i.indimmediate AND i.indpred IS NULL
         AND (i.indisreplident OR i.indisprimary)
       ORDER BY i.indisreplident DESC
       LIMIT 1) k ON true
   WHERE n.nspname = $1 AND c.relname = $2
), att AS (
  SELECT a.*
    FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid
   WHERE a.attnum > 0 AND NOT a.attisdropped
), kind AS (
  SELECT t.*, t.typtype = 'b' AND t.typelem <> 0
              AND t.typsubscript = 'array_subscript_handler'::regproc
              AS is_array
    FROM pg_type t
), part(root, oid, itself) AS (
  SELECT atttypid, atttypid, true FROM att
  UNION
  SELECT p.root, s.oid, p.itself AND t.typtype = 'd'
    FROM part p
    JOIN kind t ON t.oid = p.oid
   CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL
      SELECT t.typelem WHERE t.is_array
      UNION ALL
      SELECT a.atttypid
        FROM pg_attribute a
       WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
         AND a.attnum > 0 AND NOT a.attisdropped) s(oid)
), fact AS (
  SELECT t.oid, t.typtype = 'd' AS is_domain, e.equality, e.identical,
         e.hashes AND NOT t.is_array AND t.typtype IN ('b', 'e') AS hashes,
         quote_ident(tn.nspname) || '.' || quote_ident(t.typname) AS name,
         CASE WHEN NOT t.is_array AND t.typdelim = ','
              THEN quote_ident(an.nspname) || '.' || quote_ident(at.typname)
              END AS array_name
    FROM kind t
    JOIN pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN (
      pg_type at JOIN pg_namespace an ON an.oid = at.typnamespace)
      ON at.oid = t.typarray
    LEFT JOIN LATERAL (
      SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')'
               AS equality,
             o.oprcanhash AS hashes,
             EXISTS (
               SELECT FROM pg_amproc f
                WHERE oc.opcmethod = 403 AND f.amprocfamily = oc.opcfamily
                  AND oc.opcintype <> 'bpchar'::regtype
                  AND f.amproclefttype = oc.opcintype
                  AND f.amprocrighttype = oc.opcintype
                  AND f.amprocnum = 4) AS identical
        FROM pg_opclass oc
        JOIN pg_amop ao
          ON ao.amopfamily = oc.opcfamily
         AND ao.amoplefttype = oc.opcintype
         AND ao.amoprighttype = oc.opcintype
         AND ao.amopstrategy = CASE oc.opcmethod WHEN 403 THEN 3 ELSE 1 END
        JOIN pg_operator o ON o.oid = ao.amopopr
        JOIN pg_namespace n ON n.oid = o.oprnamespace
       WHERE oc.opcdefault AND oc.opcmethod IN (403, 405)
         AND (oc.opcintype = t.oid
              OR oc.opcintype = CASE WHEN t.is_array THEN 'anyarray'::regtype
                                     WHEN t.typtype = 'e' THEN 'anyenum'
                                     WHEN t.typtype = 'r' THEN 'anyrange'
                                     WHEN t.typtype = 'm' THEN 'anymultirange'
                                     WHEN t.typtype = 'c' THEN 'record' END
              OR oc.opcintype IN (
                   SELECT c.casttarget
                     FROM pg_cast c
                    WHERE c.castsource = t.oid AND c.castmethod = 'b'
                      AND c.castcontext = 'i'))
       ORDER BY oc.opcintype <> t.oid, oc.opcmethod
       LIMIT 1) e ON true
   WHERE t.oid IN (SELECT p.oid FROM part p)
)
SELECT rel.relkind, rel.hidden, a.attname, own.name, base.name,
       CASE WHEN NOT EXISTS (
              SELECT FROM part p JOIN fact f ON f.oid = p.oid
               WHERE p.root = a.atttypid AND NOT f.is_domain
                 AND f.equality IS NULL) THEN base.equality END,
       coalesce(base.identical, false) AND NOT EXISTS (
         SELECT FROM pg_collation l
          WHERE l.oid = a.attcollation AND NOT l.collisdeterministic),
       a.attgenerated <> '', a.attidentity = 'a',
       coalesce(a.attnum = ANY (rel.key), false),
       own.oid, base.oid, base.array_name, rel.reltype, rel.fires,
       rel.other_unique, coalesce(base.hashes, false),
       EXISTS (
         SELECT FROM pg_index i JOIN pg_opclass oc ON oc.oid = i.indclass[0]
          WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
            AND i.indisvalid AND i.indpred IS NULL
            AND i.indcollation[0] = a.attcollation
            AND oc.opcmethod = 403 AND oc.opcdefault),
       a.attnum, rel.other_keys
  FROM rel
  LEFT JOIN att a ON true
  LEFT JOIN fact own ON own.oid = a.atttypid
  LEFT JOIN (
    part p JOIN fact base
      ON base.oid = p.oid AND p.itself AND NOT base.is_domain)
    ON p.root = a.atttypid
 ORDER BY a.attnum
)sql";

// %1$s: the table's OID.
constexpr char kFingerprint[] = R"sql(
  (SELECT string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid,
                               a.atttypmod, a.attgenerated, a.attidentity),
                     ',' ORDER BY a.attnum)
     FROM pg_attribute a
    WHERE a.attrelid = %1$s AND a.attnum > 0 AND NOT a.attisdropped)
  || ';' || coalesce((
    SELECT string_agg(concat_ws(' ', g.oid, g.tgenabled), ',' ORDER BY g.oid)
      FROM pg_trigger g WHERE g.tgrelid = %1$s), '')
  || ';' || coalesce((
    SELECT string_agg(concat_ws(' ', w.oid, w.ev_enabled), ',' ORDER BY w.oid)
      FROM pg_rewrite w WHERE w.ev_class = %1$s), ''))sql";

absl::string_view KindOf(absl::string_view relkind) {
  if (relkind == "v") return "a view";
  if (relkind == "m") return "a materialized view";
  if (relkind == "f") return "a foreign table";
  if (relkind == "S") return "a sequence";
  if (relkind == "i" || relkind == "I") return "an index";
  if (relkind == "c") return "a composite type";
  return "no table";
}

absl::StatusOr<uint32_t> OidAt(const PgResult& result, int row, int column) {
  ASSIGN_OR_RETURN(const int64_t oid, result.Int64(row, column));
  return static_cast<uint32_t>(oid);
}

absl::StatusOr<TargetColumn> ColumnOf(const PgResult& result, int row) {
  ASSIGN_OR_RETURN(const uint32_t type_oid, OidAt(result, row, 10));
  ASSIGN_OR_RETURN(const uint32_t base_type_oid, OidAt(result, row, 11));
  return TargetColumn{.name = std::string(result.Text(row, 2)),
                      .type = std::string(result.Text(row, 3)),
                      .type_oid = type_oid,
                      .base_type = std::string(result.Text(row, 4)),
                      .base_type_oid = base_type_oid,
                      .array_type = std::string(result.Text(row, 12)),
                      .equality = std::string(result.Text(row, 5)),
                      .equal_is_identical = result.Bool(row, 6),
                      .hashes = result.Bool(row, 16),
                      .indexed = result.Bool(row, 17),
                      .generated = result.Bool(row, 7),
                      .identity_always = result.Bool(row, 8),
                      .key = result.Bool(row, 9)};
}

}  // namespace

std::string TableFingerprintSql() {
  return absl::StrCat("SELECT ",
                      absl::StrReplaceAll(kFingerprint, {{"%1$s", "$1::oid"}}));
}

absl::StatusOr<TargetTable> ReadTargetTable(PgConnection& connection,
                                            const QualifiedName& name) {
  const std::optional<std::string> parameters[] = {name.schema, name.name};
  // First, so that it is not of a later state than the rest.
  ASSIGN_OR_RETURN(
      const PgResult print,
      connection.ExecParams(
          absl::StrCat("SELECT c.oid, ",
                       absl::StrReplaceAll(kFingerprint, {{"%1$s", "c.oid"}}),
                       " FROM pg_class c JOIN pg_namespace n"
                       " ON n.oid = c.relnamespace"
                       " WHERE n.nspname = $1 AND c.relname = $2"),
          parameters));
  ASSIGN_OR_RETURN(const PgResult result,
                   connection.ExecParams(kTableQuery, parameters));
  const std::string subject =
      absl::StrCat("target relation \"", name.schema, ".", name.name, "\"");
  if (result.rows() == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(subject, " does not exist"));
  }
  const absl::string_view relkind = result.Text(0, 0);
  if (relkind != "r" && relkind != "p") {
    return absl::FailedPreconditionError(
        absl::StrCat(subject, " is ", KindOf(relkind)));
  }
  if (result.Bool(0, 1)) {
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat(subject, " hides rows from role \"", connection.user(),
                         "\" by row-level security")),
        absl::StrCat("ALTER ROLE ", QuoteIdentifier(connection.user()),
                     " BYPASSRLS, or connect as the table's owner"));
  }
  TargetTable table{.name = name,
                    .partitioned = relkind == "p",
                    .fires_triggers = result.Bool(0, 14),
                    .other_unique = result.Bool(0, 15)};
  ASSIGN_OR_RETURN(table.row_type_oid, OidAt(result, 0, 13));
  if (print.rows() == 1) {
    ASSIGN_OR_RETURN(table.oid, OidAt(print, 0, 0));
    table.fingerprint = std::string(print.Text(0, 1));
  }
  absl::flat_hash_map<absl::string_view, size_t> column_of_number;
  for (int row = 0; row < result.rows(); ++row) {
    if (result.IsNull(row, 2)) continue;
    ASSIGN_OR_RETURN(TargetColumn column, ColumnOf(result, row));
    column_of_number.emplace(result.Text(row, 18), table.columns.size());
    table.columns.push_back(std::move(column));
  }
  for (const absl::string_view key :
       absl::StrSplit(result.Text(0, 19), ',', absl::SkipEmpty())) {
    std::vector<size_t>& columns = table.other_keys.emplace_back();
    for (const absl::string_view number : absl::StrSplit(key, ' ')) {
      const auto column = column_of_number.find(number);
      if (column == column_of_number.end()) {
        return absl::InternalError(absl::StrCat(subject,
                                                " has an index of column ",
                                                number, " and no such column"));
      }
      columns.push_back(column->second);
    }
  }
  return table;
}

}  // namespace walferry
