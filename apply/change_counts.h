#ifndef APPLY_CHANGE_COUNTS_H_
#define APPLY_CHANGE_COUNTS_H_

// The kinds of changes, and how many there are of each.

#include <cstdint>

#include "absl/strings/string_view.h"

namespace walferry {

enum class ChangeKind : uint8_t { kInsert, kUpdate, kDelete, kTruncate };

absl::string_view ChangeKindName(ChangeKind kind);

struct ChangeCounts {
  int64_t inserts = 0;
  int64_t updates = 0;
  int64_t deletes = 0;
  int64_t truncates = 0;

  int64_t& of(ChangeKind kind) {
    switch (kind) {
      case ChangeKind::kInsert:
        return inserts;
      case ChangeKind::kUpdate:
        return updates;
      case ChangeKind::kDelete:
        return deletes;
      case ChangeKind::kTruncate:
        break;
    }
    return truncates;
  }
  int64_t total() const { return inserts + updates + deletes + truncates; }

  ChangeCounts& operator+=(const ChangeCounts& more) {
    inserts += more.inserts;
    updates += more.updates;
    deletes += more.deletes;
    truncates += more.truncates;
    return *this;
  }
  friend bool operator==(const ChangeCounts&, const ChangeCounts&) = default;
};

}  // namespace walferry

#endif  // APPLY_CHANGE_COUNTS_H_
