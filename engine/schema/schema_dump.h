#ifndef ENGINE_SCHEMA_SCHEMA_DUMP_H_
#define ENGINE_SCHEMA_SCHEMA_DUMP_H_

// Reads the source's schema with pg_dump.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "engine/options.h"
#include "engine/schema/dump_script.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct SchemaDumpOptions {
  PgTools tools;
  std::string source;  // Connection string.
  bool no_owner = false;
  bool no_acl = false;
  bool no_tablespaces = false;
  // pg_dump locks every table against being changed; how long it may wait for
  // those who are changing one.
  absl::Duration lock_timeout = absl::Minutes(2);
  absl::Duration connect_timeout = kDefaultConnectTimeout;
  const Interrupt* interrupt = nullptr;
};

// The schema, taken apart.
struct SchemaDump {
  DumpScript script;
  // What is deliberately not in it, one sentence each: foreign keys to tables
  // that are out of scope.
  std::vector<std::string> left_out;
  // What the programs have warned of: "pg_dump: ...".
  std::vector<std::string> warnings;
};

// Without publications, subscriptions, rows, sequence values and large
// objects; without catalog.excluded_tables and excluded_schemas. `source` is a
// connection to the same database, for what pg_dump does not tell. Writes no
// file. kAborted: a table stayed locked; kUnavailable: the link was lost or not
// made. kFailedPrecondition also when something that is created after the rows
// and cannot be left out needs a table that is out of scope.
//
// A later process may dump again: DumpEntry::oid of the same object stays the
// same.
absl::StatusOr<SchemaDump> DumpSchema(const SchemaDumpOptions& options,
                                      const Catalog& catalog,
                                      PgConnection& source);

// The same where nobody else may be connected meanwhile: `encoding` is the
// source's server_encoding, and left_out is empty, as LeaveOutWhatNeeds
// (engine/schema/out_of_scope.h) comes afterwards.
absl::StatusOr<SchemaDump> DumpSchemaAlone(const SchemaDumpOptions& options,
                                           const Catalog& catalog,
                                           const std::string& encoding);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SCHEMA_DUMP_H_
