#ifndef ENGINE_VERIFY_TABLE_HOLD_H_
#define ENGINE_VERIFY_TABLE_HOLD_H_

// Keeps a table as the snapshots know it.

#include "absl/status/status.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"

namespace walferry {

// Locks the table against being truncated, written anew or dropped, on both
// sides and until the transactions end, and makes sure that this has not come
// between the snapshots and the lock: TRUNCATE, and an ALTER TABLE that writes
// all rows, leave an older snapshot an empty table. kAborted, with the SQLSTATE
// of an object that is not as it must be: it has.
absl::Status HoldTable(SessionPair& sessions, const TablePair& table);

}  // namespace walferry

#endif  // ENGINE_VERIFY_TABLE_HOLD_H_
