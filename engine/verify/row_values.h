#ifndef ENGINE_VERIFY_ROW_VALUES_H_
#define ENGINE_VERIFY_ROW_VALUES_H_

// The values of single rows, to be shown.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/table_pairs.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Where a row is; as long as a snapshot lives, nothing else is there.
struct RowPlace {
  std::string table;  // Of the partition that has it; "": the table itself.
  std::string ctid;

  friend bool operator==(const RowPlace&, const RowPlace&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const RowPlace& place) {
    return H::combine(std::move(h), place.table, place.ctid);
  }
};

// Of a row in side.from, as SQL and from what that gives: "public.part (0,1)",
// " (0,1)".
std::string PlaceSql(const TablePair& table);
RowPlace ParsePlace(absl::string_view text);

// As text; nullopt: NULL.
using RowValues = std::vector<std::optional<std::string>>;

// What the expressions give for each row. kInternal: a row is not there.
absl::StatusOr<absl::flat_hash_map<RowPlace, RowValues>> ReadAtPlaces(
    PgConnection& session, const TableSide& side,
    absl::Span<const std::string> expressions,
    absl::Span<const RowPlace> places);

// The same of TablePair::columns, then of its key. A text longer than 4 kB is
// its beginning with its size and hash behind it, so that equal texts are still
// those of equal values.
absl::StatusOr<absl::flat_hash_map<RowPlace, RowValues>> ReadRowValues(
    PgConnection& session, const TableSide& side, RowHash hash,
    absl::Span<const RowPlace> places);

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_VALUES_H_
