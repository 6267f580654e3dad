#ifndef ENGINE_SCHEMA_OWNED_SEQUENCES_H_
#define ENGINE_SCHEMA_OWNED_SEQUENCES_H_

// Sequences that a column owns, beside the values that the column holds.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Names as SQL has them under the session's search_path, but for the column's,
// which is not quoted.
struct OwnedSequence {
  std::string sequence;
  std::string table;
  std::string column;
  bool ascending = true;
};

// Of whole numbers only, and without sequences that go round: those meet old
// values by design. In any server version from 10 on.
absl::StatusOr<std::vector<OwnedSequence>> ReadOwnedSequences(
    PgConnection& session);

struct SequenceBehindColumn {
  int64_t last_value = 0;
  int64_t extreme = 0;  // The column's last value, in the sequence's direction.
};

// Reads the whole column where no index begins with it. nullopt: the
// sequence's next value is beyond all that are there.
absl::StatusOr<std::optional<SequenceBehindColumn>> BehindItsColumn(
    PgConnection& session, const OwnedSequence& owned);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_OWNED_SEQUENCES_H_
