#ifndef ENGINE_CREATED_OBJECTS_H_
#define ENGINE_CREATED_OBJECTS_H_

// Taking back what the ledger says walferry has created.

#include "absl/status/status.h"
#include "engine/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Drops the object, or finds it gone. `source` and `target` are idle.
// kUnavailable: a slot is still held by a walsender.
absl::Status DropObject(const LedgerObject& object, PgConnection& source,
                        PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_CREATED_OBJECTS_H_
