#ifndef ENGINE_LARGE_OBJECTS_H_
#define ENGINE_LARGE_OBJECTS_H_

// Carries large objects: their bytes, owners, privileges and comments, under
// the same OIDs. Only an offline copy can: no stream tells of their changes.

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/control.h"
#include "engine/copy_session.h"
#include "engine/event.h"
#include "engine/snapshot.h"

namespace walferry {

struct LargeObjectOptions {
  // Its interrupt is not used: Control's is.
  CopySessionOptions session;
  int jobs = 4;
  bool no_owner = false;
  bool no_acl = false;
  absl::Duration progress_interval = absl::Seconds(1);
};

// Copies all that the snapshot sees, in pieces that are one transaction of the
// target each, over `jobs` pairs of sessions. Sends Progress (phase copy).
//
// One that the target has already must hold the same bytes, as an earlier run
// has left it: kFailedPrecondition if not (it is somebody else's, or was
// written on the source since). Those that only the target has are left alone,
// with a warning.
absl::Status CopyLargeObjects(const LargeObjectOptions& options,
                              SourceSnapshot& snapshot, const Control& control,
                              EventSink& events);

// "WITH ... " free SQL for a session of the source: the statements, as rows of
// one column, that give the objects `oids` ('{1,2}') their owner, privileges
// and comment.
std::string LargeObjectFactsSql(absl::string_view oids, bool no_owner,
                                bool no_acl);

}  // namespace walferry

#endif  // ENGINE_LARGE_OBJECTS_H_
