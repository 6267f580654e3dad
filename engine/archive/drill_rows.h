#ifndef ENGINE_ARCHIVE_DRILL_ROWS_H_
#define ENGINE_ARCHIVE_DRILL_ROWS_H_

// Drill: how many rows there must be, and how many there are.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/archive/drill_finding.h"
#include "engine/archive/script_rows.h"
#include "engine/catalog/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct TableRows {
  std::string table;      // As SQL has it: public.orders.
  std::string condition;  // "" or "WHERE ...": only those rows count.
  int64_t rows = 0;
};

struct ExpectedRows {
  std::vector<TableRows> tables;
  std::vector<std::string> uncounted;
  int64_t large_objects = 0;
  // Where the figures come from: "the archive", "the source".
  std::string origin;
};

ExpectedRows RowsOfArchive(const ScriptRows& rows);

// Counted in the session's own snapshot.
absl::StatusOr<ExpectedRows> RowsOfSource(PgConnection& source,
                                          const Catalog& catalog);

// An extension brings rows of its own into its tables, so those must have at
// least what the archive holds.
absl::StatusOr<DrillFinding> CompareRows(PgConnection& restored,
                                         const ExpectedRows& expected);
absl::StatusOr<DrillFinding> CompareLargeObjects(PgConnection& restored,
                                                 const ExpectedRows& expected);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DRILL_ROWS_H_
