#ifndef ENGINE_COPY_LARGE_OBJECTS_H_
#define ENGINE_COPY_LARGE_OBJECTS_H_

// Carries large objects: their bytes, owners, privileges and comments, under
// the same OIDs. Only an offline copy can: no stream tells of their changes.

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/control.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/snapshot.h"
#include "engine/event.h"

namespace walferry {

struct LargeObjectOptions {
  // Its interrupt is not used: Control's is.
  CopySessionOptions session;
  int jobs = 4;
  bool no_owner = false;
  bool no_acl = false;
  absl::Duration progress_interval = absl::Seconds(1);
};

// The ledger's step when all are there. Until then there is a step for each
// piece, "large-objects 16411,16412", that is no planned one.
inline constexpr absl::string_view kLargeObjectsStep = "large-objects";
bool IsLargeObjectsPiece(absl::string_view step);

// Copies all that the snapshot sees, in pieces that are one transaction of the
// target each, over `jobs` pairs of sessions, and notes the step. What an
// earlier run has copied is removed before, so that all are of one state.
// Sends Progress (phase copy). Errors as of CopyTables.
//
// Those that are not walferry's own are left alone: one of the same OID is
// kFailedPrecondition; others are told of in a warning.
absl::Status CopyLargeObjects(const LargeObjectOptions& options,
                              SourceSnapshot& snapshot, const Control& control,
                              EventSink& events);

// Statements, as rows of one column, that give the objects `oids` ('{1,2}')
// their owner, privileges and comment. For a session of the source.
std::string LargeObjectFactsSql(absl::string_view oids, bool no_owner,
                                bool no_acl);

}  // namespace walferry

#endif  // ENGINE_COPY_LARGE_OBJECTS_H_
