#ifndef ENGINE_CUTOVER_SOURCE_FREEZE_H_
#define ENGINE_CUTOVER_SOURCE_FREEZE_H_

// A source that is read-only for the time of a cutover, and the ledger's note
// of it, so that whatever happens it can be made writable again.

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/connect/connect.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The note of a freeze that is about to be made: kind "setting", with the
// setting that the database's owner had made before.
absl::StatusOr<LedgerObject> DescribeFreeze(PgConnection& source);

// The note that the ledger has, if any.
absl::StatusOr<std::optional<LedgerObject>> FindFreeze(Ledger& ledger);

// Takes it back and the note out of the ledger. Over sessions of its own that
// no interrupt ends: a run that is told to stop, or has lost its links, must
// not leave the source read-only. An error says which of the two it is of; the
// call may be repeated.
absl::Status ThawSource(const Connector& connector, const LedgerObject& freeze);

}  // namespace walferry

#endif  // ENGINE_CUTOVER_SOURCE_FREEZE_H_
