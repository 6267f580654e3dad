#include "apply/target_table.h"

#include <optional>

#include "absl/strings/str_cat.h"
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
//   bpchar it errs, as 'a' and 'a ' are equal.
constexpr char kTableQuery[] = R"sql(
WITH RECURSIVE rel AS (
  SELECT c.oid, c.relkind, row_security_active(c.oid) AS hidden, k.key
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
      SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
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
         quote_ident(tn.nspname) || '.' || quote_ident(t.typname) AS name
    FROM kind t
    JOIN pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN LATERAL (
      SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')'
               AS equality,
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
       coalesce(a.attnum = ANY (rel.key), false)
  FROM rel
  LEFT JOIN att a ON true
  LEFT JOIN fact own ON own.oid = a.atttypid
  LEFT JOIN (
    part p JOIN fact base
      ON base.oid = p.oid AND p.itself AND NOT base.is_domain)
    ON p.root = a.atttypid
 ORDER BY a.attnum
)sql";

absl::string_view KindOf(absl::string_view relkind) {
  if (relkind == "v") return "a view";
  if (relkind == "m") return "a materialized view";
  if (relkind == "f") return "a foreign table";
  if (relkind == "S") return "a sequence";
  if (relkind == "i" || relkind == "I") return "an index";
  if (relkind == "c") return "a composite type";
  return "no table";
}

TargetColumn ColumnOf(const PgResult& result, int row) {
  return {.name = std::string(result.Text(row, 2)),
          .type = std::string(result.Text(row, 3)),
          .base_type = std::string(result.Text(row, 4)),
          .equality = std::string(result.Text(row, 5)),
          .equal_is_identical = result.Bool(row, 6),
          .generated = result.Bool(row, 7),
          .identity_always = result.Bool(row, 8),
          .key = result.Bool(row, 9)};
}

}  // namespace

absl::StatusOr<TargetTable> ReadTargetTable(PgConnection& connection,
                                            const QualifiedName& name) {
  const std::optional<std::string> parameters[] = {name.schema, name.name};
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
  TargetTable table{.name = name, .partitioned = relkind == "p"};
  for (int row = 0; row < result.rows(); ++row) {
    if (!result.IsNull(row, 2)) table.columns.push_back(ColumnOf(result, row));
  }
  return table;
}

}  // namespace walferry
