#ifndef ENGINE_VERIFY_SCHEMA_COMPARE_H_
#define ENGINE_VERIFY_SCHEMA_COMPARE_H_

// Whether two databases have the same schema, on servers of any two versions
// from 10 on.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/scope.h"
#include "engine/verify/verification.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct SchemaCompareOptions {
  bool privileges = false;  // Grants and default privileges.
  bool owners = false;
  std::string ledger_schema = "walferry";  // Left out.
  // What is not there before a cutover is left out, with a remark: sequences'
  // values, rows of materialized views, ...
  bool before_cutover = false;
  // ... and triggers, rules and foreign keys.
  bool triggers_come_later = false;
};

struct SchemaComparison {
  int64_t objects = 0;                        // On either side.
  std::vector<ObjectDifference> differences;  // By kind and name.
  std::vector<std::string> remarks;  // What was not compared: a clause each.
};

// Compares objects by kind and name: what is on one side only, and what of the
// others differs. Both databases are read under the snapshot of the session's
// transaction, or one of its own if it has none, and the sessions' settings are
// afterwards as before.
//
// Compared, each with its comment: schemas; tables and foreign tables (kind,
// persistence, partitioning, bounds, parents, row security, replica identity,
// access method, storage parameters, order of columns), columns, constraints,
// indexes, triggers and rules with their state, policies, extended statistics;
// views (materialized ones: whether they are populated), sequences; routines,
// operators, their families and classes, casts, languages, transforms,
// conversions, access methods; types, domains, collations; text search;
// extensions, event triggers, foreign data wrappers, servers, user mappings.
// Grants and owners if asked. Definitions as definition_text.h has it.
//
// Sequences' values (those that Scope carries): behind the source's is a
// difference, ahead a warning. Behind the column that owns the sequence on the
// target is a difference, or a warning if the source's is behind its own and
// has the same value. What cannot be read of them is unknown.
//
// Warnings: the database's encoding, locale and settings; versions of
// extensions and collations, and extensions that are on the target only;
// schema public's owner and grants between versions before and since 15, which
// changed them.
//
// A different server version alone is no difference:
//   what only one of both versions has a place for is compared as the default
//   of the other (compression, NOT ENFORCED), or not at all where the newer
//   server fills it by itself (MAINTAIN, names of multiranges, persistence of
//   sequences);
//   NOT NULL, a constraint since 18, is a property of its column, whatever the
//   constraint's name;
//   parts of a foreign key that the server makes for partitions, and a
//   partition's own identity (since 17), are their parent's.
//
// Left out: what belongs to extensions, the ledger, what is out of `scope` and
// the foreign keys to it. The parts of a table that is on one side only are
// not reported. Not compared: tablespaces, DEPENDS ON EXTENSION; publications,
// subscriptions and security labels, of which a remark says that there are
// some. Options of foreign data may be secret and are never shown.
absl::StatusOr<SchemaComparison> CompareSchemas(
    PgConnection& source, PgConnection& target, const Scope& scope,
    const SchemaCompareOptions& options);

}  // namespace walferry

#endif  // ENGINE_VERIFY_SCHEMA_COMPARE_H_
