#ifndef ENGINE_COPY_TABLE_LIFT_H_
#define ENGINE_COPY_TABLE_LIFT_H_

// Moves one table's rows on the target to a later snapshot (range_lift.h says
// how and why), or removes them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/copy/snapshot.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// A column of a table's key, and the operator by which its unique index tells
// keys apart: "OPERATOR(pg_catalog.=)".
struct KeyColumn {
  std::string name;
  std::string equals;
};

// The key's columns, as the source's index has them; empty if the index is
// gone or is another one than the catalog's.
absl::StatusOr<std::vector<KeyColumn>> ReadKey(PgConnection& source,
                                               const CatalogTable& table);

// Neighbours as one, so that each is one scan.
std::vector<LedgerRange> Merged(std::vector<LedgerRange> ranges);

struct TableLiftCounts {
  int64_t removed = 0;
  int64_t fetched = 0;
};

// `source` is in the new snapshot. Each call is one target transaction.
class TableLift {
 public:
  // All outlive this.
  TableLift(PgConnection& source, PgConnection& target,
            SourceSnapshot& snapshot, const LedgerSql& sql)
      : source_(source), target_(target), snapshot_(snapshot), sql_(sql) {}

  // `then`: where the table's `ranges` stand. `touched`: a table on the target
  // with the keys of rows that were updated or deleted since, or "" if none
  // were.
  absl::StatusOr<TableLiftCounts> Lift(const CatalogTable& table,
                                       const LedgerTable& then,
                                       const std::vector<LedgerRange>& ranges,
                                       const std::vector<KeyColumn>& key,
                                       const std::string& touched);

  // Removes the table's rows from the target and its ranges from the ledger.
  absl::Status StartAnew(const CatalogTable& table);

  // The same for a table that the migration has found, in which there may be
  // others' rows. kFailedPrecondition, and nothing is removed: it does not hold
  // `rows` of them, as many as were copied; or tables that refer to it would
  // lose theirs, too. nullopt: how many there are does not matter.
  absl::Status StartFoundAnew(const CatalogTable& table,
                              std::optional<int64_t> rows);

  // For tables without ranges: notes the snapshot's position.
  absl::Status NotePositions(const std::vector<const CatalogTable*>& tables);

  // The table's rows are those of the new snapshot, too.
  absl::Status Keep(const CatalogTable& table, const LedgerTable& then);

 private:
  absl::StatusOr<int64_t> DeleteKeysOf(const CatalogTable& table,
                                       const std::vector<KeyColumn>& key,
                                       const std::string& others);
  absl::StatusOr<int64_t> Fetch(const CatalogTable& table,
                                const LedgerTable& then,
                                const std::vector<LedgerRange>& ranges);
  absl::Status CheckRows(const CatalogTable& table, int64_t rows);
  absl::Status CheckNoCascade(const CatalogTable& table);
  absl::Status Rollback(const absl::Status& why);
  absl::Status ForgetCopy(const CatalogTable& table);
  absl::Status NotePosition(const CatalogTable& table);
  absl::Status Commit();

  PgConnection& source_;
  PgConnection& target_;
  SourceSnapshot& snapshot_;
  const LedgerSql& sql_;
};

}  // namespace walferry

#endif  // ENGINE_COPY_TABLE_LIFT_H_
