#ifndef ENGINE_VERIFY_MOVING_TABLES_H_
#define ENGINE_VERIFY_MOVING_TABLES_H_

// Tables that are compared while they are written.
//
// A snapshot keeps a table's old rows, but not those that TRUNCATE takes: it
// shows an empty table then. And whoever has read a table in a transaction is
// in the way of a TRUNCATE until the transaction ends, on the target in that of
// the appliers. So each piece is read behind a savepoint, which is gone back
// to, locks and all; and while the piece's locks are held it is asked whether
// the table's file is the one that the snapshot knows.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"

namespace walferry {

// Once in a transaction, before anything is read.
absl::Status SetSavepoints(SessionPair& sessions);
// Lets go of all that was locked since.
absl::Status GoBackToSavepoints(SessionPair& sessions);

// Behind a statement that has read the table: whether what it read is not what
// the snapshots have, on either side.
absl::StatusOr<bool> WereWrittenAnew(SessionPair& sessions,
                                     const TablePair& table);

}  // namespace walferry

#endif  // ENGINE_VERIFY_MOVING_TABLES_H_
