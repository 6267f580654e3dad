#ifndef ENGINE_COPY_ROW_INSERT_H_
#define ENGINE_COPY_ROW_INSERT_H_

// Carries a table's rows by INSERT, for targets that do not take COPY.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/copy/table_copy.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Like PipeRows (engine/copy/table_copy.h), into statements that insert many
// rows each, and in which every value passes through its type's input function,
// as with COPY. `copy_out` is in text format and gives table.StoredColumns().
// Both sessions' search_path is empty.
//
// Triggers of the table act, as with COPY; so do its rules, which COPY would
// not ask: where tables stand on the target before, a check finds them
// ("target-rule").
absl::StatusOr<int64_t> InsertRows(PgConnection& source,
                                   const std::string& copy_out,
                                   PgConnection& target,
                                   const CatalogTable& table,
                                   CopyCounters& counters);

}  // namespace walferry

#endif  // ENGINE_COPY_ROW_INSERT_H_
