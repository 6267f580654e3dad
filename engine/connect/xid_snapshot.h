#ifndef ENGINE_CONNECT_XID_SNAPSHOT_H_
#define ENGINE_CONNECT_XID_SNAPSHOT_H_

// Which transactions a snapshot sees, as pg_current_snapshot() prints it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Transaction ids are of 64 bits, epoch included (type xid8).
struct XidSnapshot {
  uint64_t xmin = 0;              // All before it are seen.
  uint64_t xmax = 0;              // None from it on is seen.
  std::vector<uint64_t> running;  // In between, not seen; ascending.

  // Of "xmin:xmax:xid,xid,..."; kInternal if it is not of that form. A slot's
  // snapshot may have xmax before xmin, when the transactions between were
  // rolled back: the type pg_snapshot rejects that text, this makes both equal.
  static absl::StatusOr<XidSnapshot> Parse(absl::string_view text);
  std::string ToString() const;

  // Of an id as the stream and xmin have it, without its epoch: one that is
  // less than 2^31 away from xmax, so of any transaction that still matters.
  bool Sees(uint32_t xid) const;
};

// SQL that holds for those row versions visible in `now` that a transaction
// has made which `then` does not see. For a table's own scan: it reads xmin.
// It may also hold for rows older than two billion transactions, as xmin has
// only 32 bits.
std::string CreatedSince(const XidSnapshot& then, const XidSnapshot& now);

}  // namespace walferry

#endif  // ENGINE_CONNECT_XID_SNAPSHOT_H_
