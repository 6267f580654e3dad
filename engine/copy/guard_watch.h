#ifndef ENGINE_COPY_GUARD_WATCH_H_
#define ENGINE_COPY_GUARD_WATCH_H_

// Looks after a snapshot's guard while others read under it.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/copy/snapshot.h"
#include "engine/event.h"

namespace walferry {

// Used by one thread; all that it is given outlives it.
class GuardWatch {
 public:
  // `name_of` tells a table's name by its OID.
  GuardWatch(SourceSnapshot& snapshot, absl::Duration patience,
             std::function<std::string(uint32_t oid)> name_of,
             EventSink& events)
      : snapshot_(snapshot),
        patience_(patience),
        name_of_(std::move(name_of)),
        events_(events) {}

  // For now and then. kUnavailable: the guard is lost, and what is read from
  // now on cannot be trusted. kAborted: somebody waits for its lock, for as
  // long as the patience lasts; before that a warning is sent about him. A
  // server before 14 does not know for how long: then it is since he was first
  // seen.
  absl::Status Look();

 private:
  SourceSnapshot& snapshot_;
  const absl::Duration patience_;
  const std::function<std::string(uint32_t oid)> name_of_;
  EventSink& events_;
  // By process id and table. Who does not wait any more is forgotten.
  using WhoWaits = std::pair<int, uint32_t>;
  absl::flat_hash_map<WhoWaits, absl::Time> first_seen_;
};

// Somebody waits for the guard on the source, and others behind him, for so
// long: the snapshot is given up.
inline constexpr absl::Duration kWaiterPatience = absl::Minutes(1);

}  // namespace walferry

#endif  // ENGINE_COPY_GUARD_WATCH_H_
