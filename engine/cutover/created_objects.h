#ifndef ENGINE_CUTOVER_CREATED_OBJECTS_H_
#define ENGINE_CUTOVER_CREATED_OBJECTS_H_

// Taking back what the ledger says walferry has created.

#include <string>

#include "absl/status/status.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// A running migration would be cut off in mid-air, so it must be stopped
// first; what a killed one has left on the source is ended here. The server
// ends it in its own time, and keeps the slot for it until then.
absl::Status EndWalsender(PgConnection& source, const std::string& slot,
                          const Interrupt& interrupt);

// Drops the object, or finds it gone. `source` and `target` are idle.
// kUnavailable: a slot is still held by a walsender.
absl::Status DropObject(const LedgerObject& object, PgConnection& source,
                        PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_CUTOVER_CREATED_OBJECTS_H_
