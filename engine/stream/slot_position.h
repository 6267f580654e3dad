#ifndef ENGINE_STREAM_SLOT_POSITION_H_
#define ENGINE_STREAM_SLOT_POSITION_H_

// Whether a slot's stream can go on from what the target holds.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Up to where the slot's changes are confirmed: it sends none from before.
// Also over a walsender connection. kNotFound: there is no such slot;
// kFailedPrecondition: it is of another kind or database, or invalidated.
absl::StatusOr<Lsn> ReadSlotPosition(PgConnection& source,
                                     const std::string& slot);

// The target holds all changes up to `position`, read after `confirmed`.
// kFailedPrecondition: the slot has passed it (every position is stored on the
// target before it is reported, so the target has gone back or something else
// has moved the slot), or the source's log ends before it (the source has gone
// back): what lies between would never be sent. kUnavailable: the source is a
// standby that has not come as far yet.
absl::Status CheckSlotContinues(PgConnection& source, const std::string& slot,
                                Lsn confirmed, Lsn position);

}  // namespace walferry

#endif  // ENGINE_STREAM_SLOT_POSITION_H_
