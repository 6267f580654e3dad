#ifndef ENGINE_SCHEMA_OUT_OF_SCOPE_H_
#define ENGINE_SCHEMA_OUT_OF_SCOPE_H_

// What a dumped schema has that needs tables which were not dumped.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/schema/dump_script.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Takes the foreign keys to tables out of scope, and their comments, out of
// the script: the rows that they refer to will not be there. One sentence for
// each. kFailedPrecondition: a rule, policy or trigger needs such a table (it
// would fail only after the rows are copied, and is not ours to leave out).
absl::StatusOr<std::vector<std::string>> LeaveOutWhatNeeds(
    const Catalog& catalog, PgConnection& source, DumpScript& script);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_OUT_OF_SCOPE_H_
