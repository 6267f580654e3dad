#ifndef ENGINE_CATALOG_SCHEMA_FACTS_H_
#define ENGINE_CATALOG_SCHEMA_FACTS_H_

// The definitions of everything that a schema holds beside its tables' shapes
// (ShapeOf): kept since the migration began, so that what was created, altered
// or dropped on the source since does not go unnoticed.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/ledger/ledger_sql.h"
#include "protocol/pg_connection.h"

namespace walferry {

// "index public.orders_idx" -> a hash of its definition. Names have no line
// breaks.
using SchemaFacts = std::map<std::string, std::string>;

// Indexes, constraints, defaults, sequences, views, functions, types, triggers,
// rules, policies, row security, statistics, extensions and places of
// partitions, but for what belongs to extensions or is out of scope. Owners,
// privileges, comments and storage parameters are not among them. Not inside a
// transaction.
absl::StatusOr<SchemaFacts> ReadSchemaFacts(PgConnection& source,
                                            const Catalog& catalog);

// In the migration's row of the ledger. Both over a target connection; the
// second gives none if the first never ran.
absl::Status StoreSchemaFacts(PgConnection& target, const LedgerKey& ledger,
                              const SchemaFacts& facts);
absl::StatusOr<SchemaFacts> StoredSchemaFacts(PgConnection& target,
                                              const LedgerKey& ledger);

// A clause each: "index public.orders_idx was created".
std::vector<std::string> DescribeFactDifferences(const SchemaFacts& before,
                                                 const SchemaFacts& after);

}  // namespace walferry

#endif  // ENGINE_CATALOG_SCHEMA_FACTS_H_
