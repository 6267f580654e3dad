#ifndef ENGINE_TARGET_DROP_PERMIT_H_
#define ENGINE_TARGET_DROP_PERMIT_H_

// Whether a target's database may be dropped and made again. Asked before
// anything is touched, by everything that can do it.

#include <string>

#include "absl/status/status.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The database that data comes from.
struct DataOrigin {
  std::string system_identifier;  // Of its server; "": nobody may know.
  std::string dbname;
};

// `target` is a session of the database that is to be dropped.
// kFailedPrecondition: it is the origin itself; or it bears its name, and which
// of the two servers it is of cannot be told.
absl::Status RefuseToDropOrigin(PgConnection& target, const DataOrigin& origin);

// kFailedPrecondition: its role may not drop that database or create one like
// it, or something in it forbids that it be dropped (what, and what helps).
absl::Status CheckRecreatable(PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_TARGET_DROP_PERMIT_H_
