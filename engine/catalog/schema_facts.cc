#include "engine/catalog/schema_facts.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/connect/old_servers.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Kind, schema, relation it belongs to ("": none), name, definition. With an
// empty search_path, so that definitions read the same in every session.
constexpr absl::string_view kFacts = R"sql(
WITH ours AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
rel AS (
  SELECT c.oid, c.relname, c.relkind, c.relpartbound, c.relrowsecurity,
    c.relforcerowsecurity, o.nspname
  FROM pg_class c JOIN ours o ON o.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e'))
SELECT 'index', t.nspname, t.relname, i.relname, pg_get_indexdef(i.oid)
FROM pg_index x JOIN rel t ON t.oid = x.indrelid
JOIN rel i ON i.oid = x.indexrelid WHERE x.indisvalid
UNION ALL
SELECT 'constraint', r.nspname, r.relname, r.relname || '.' || c.conname,
  pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN rel r ON r.oid = c.conrelid
UNION ALL
SELECT 'default of column', r.nspname, r.relname, r.relname || '.' || a.attname,
  pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d JOIN rel r ON r.oid = d.adrelid
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
UNION ALL
SELECT 'NOT NULL of column', r.nspname, r.relname,
  r.relname || '.' || a.attname, ''
FROM pg_attribute a JOIN rel r ON r.oid = a.attrelid
WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped
AND r.relkind IN ('r', 'p')
UNION ALL
SELECT 'sequence', r.nspname, r.relname, r.relname, concat_ws(' ',
  s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
  s.seqcache, s.seqcycle)
FROM pg_sequence s JOIN rel r ON r.oid = s.seqrelid
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, nspname,
  relname, relname, pg_get_viewdef(oid)
FROM rel WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'composite type', r.nspname, '', r.relname, string_agg(concat_ws(' ',
  a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
WHERE r.relkind = 'c' AND NOT a.attisdropped GROUP BY r.nspname, r.relname
UNION ALL
SELECT 'partition', r.nspname, r.relname, r.relname, concat_ws(' ',
  i.inhparent::regclass, pg_get_expr(r.relpartbound, r.oid))
FROM pg_inherits i JOIN rel r ON r.oid = i.inhrelid
WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 'trigger', r.nspname, r.relname, r.relname || '.' || t.tgname,
  concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule', r.nspname, r.relname, r.relname || '.' || w.rulename,
  concat_ws(' ', pg_get_ruledef(w.oid), w.ev_enabled)
FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class
WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'row security of', nspname, relname, relname,
  concat_ws(' ', relrowsecurity, relforcerowsecurity)
FROM rel WHERE relrowsecurity OR relforcerowsecurity
UNION ALL
SELECT 'extension', o.nspname, '', e.extname, e.extversion
FROM pg_extension e JOIN ours o ON o.oid = e.extnamespace
UNION ALL
SELECT 'policy', r.nspname, r.relname, r.relname || '.' || p.polname,
  concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[],
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN rel r ON r.oid = p.polrelid
UNION ALL
SELECT 'statistics', o.nspname, '', s.stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN ours o ON o.oid = s.stxnamespace
UNION ALL
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure'
  ELSE 'function' END, o.nspname, '', format('%s(%s)', p.proname,
  pg_get_function_identity_arguments(p.oid)),
  CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE '' END
FROM pg_proc p JOIN ours o ON o.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                  AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, o.nspname, '',
  t.typname, concat_ws(' ', t.typtype, t.typnotnull, t.typdefault,
  format_type(t.typbasetype, t.typtypmod),
  (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
   FROM pg_enum e WHERE e.enumtypid = t.oid),
  (SELECT string_agg(concat_ws(' ', c.conname, pg_get_constraintdef(c.oid)),
   ',' ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = t.oid))
FROM pg_type t JOIN ours o ON o.oid = t.typnamespace
WHERE t.typtype IN ('d', 'e', 'r', 'b') AND t.typelem = 0
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass
                AND d.objid = t.oid AND d.deptype = 'e')
)sql";

std::string OneLine(absl::string_view name) {
  return absl::StrReplaceAll(name, {{"\n", " "}, {"\t", " "}});
}

}  // namespace

absl::StatusOr<SchemaFacts> ReadSchemaFacts(PgConnection& source,
                                            const Catalog& catalog) {
  const absl::flat_hash_set<std::string> schemas(
      catalog.excluded_schemas.begin(), catalog.excluded_schemas.end());
  const absl::flat_hash_set<QualifiedName> relations(
      catalog.excluded_tables.begin(), catalog.excluded_tables.end());
  RETURN_IF_ERROR(
      source.Exec("BEGIN READ ONLY; SET LOCAL search_path = ''").status());
  const std::string known = absl::StrReplaceAll(
      kFacts, {{"p.prokind", RoutineKindSql(source.server_version())}});
  const absl::StatusOr<PgResult> rows = source.Exec(absl::StrCat(
      "SELECT kind, schema, relation, name, md5(definition) FROM (", known,
      ") AS fact(kind, schema, relation, name, definition)"));
  if (!source.broken()) RETURN_IF_ERROR(source.Exec("ROLLBACK").status());
  RETURN_IF_ERROR(rows.status());
  SchemaFacts facts;
  for (int row = 0; row < rows->rows(); ++row) {
    const std::string schema(rows->Text(row, 1));
    const std::string relation(rows->Text(row, 2));
    if (schemas.contains(schema) || relations.contains({schema, relation})) {
      continue;
    }
    facts.emplace(OneLine(absl::StrCat(rows->Text(row, 0), " ", schema, ".",
                                       rows->Text(row, 3))),
                  rows->Text(row, 4));
  }
  return facts;
}

absl::Status StoreSchemaFacts(PgConnection& target, const LedgerKey& ledger,
                              const SchemaFacts& facts) {
  std::string text;
  for (const auto& [name, hash] : facts) {
    absl::StrAppend(&text, hash, "\t", name, "\n");
  }
  return target
      .Exec(absl::StrCat("UPDATE ", QuoteIdentifier(ledger.schema),
                         ".migration SET schema_facts = ", QuoteLiteral(text),
                         " WHERE name = ", QuoteLiteral(ledger.migration)))
      .status();
}

absl::StatusOr<SchemaFacts> StoredSchemaFacts(PgConnection& target,
                                              const LedgerKey& ledger) {
  ASSIGN_OR_RETURN(
      const std::string text,
      target.QueryValue(absl::StrCat(
          "SELECT schema_facts FROM ", QuoteIdentifier(ledger.schema),
          ".migration WHERE name = ", QuoteLiteral(ledger.migration))));
  SchemaFacts facts;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> fact =
        absl::StrSplit(line, absl::MaxSplits('\t', 1));
    facts.emplace(fact.second, fact.first);
  }
  return facts;
}

std::vector<std::string> DescribeFactDifferences(const SchemaFacts& before,
                                                 const SchemaFacts& after) {
  std::vector<std::string> differences;
  for (const auto& [name, hash] : after) {
    const auto earlier = before.find(name);
    if (earlier == before.end()) {
      differences.push_back(absl::StrCat(name, " was created"));
    } else if (earlier->second != hash) {
      differences.push_back(absl::StrCat(name, " was altered"));
    }
  }
  for (const auto& [name, hash] : before) {
    if (!after.contains(name)) {
      differences.push_back(absl::StrCat(name, " was dropped"));
    }
  }
  return differences;
}

}  // namespace walferry
