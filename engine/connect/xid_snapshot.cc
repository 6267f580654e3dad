#include "engine/connect/xid_snapshot.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace walferry {

absl::StatusOr<XidSnapshot> XidSnapshot::Parse(absl::string_view text) {
  const auto malformed = [&] {
    return absl::InternalError(absl::StrCat("not a snapshot: \"", text, "\""));
  };
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  XidSnapshot snapshot;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &snapshot.xmin) ||
      !absl::SimpleAtoi(parts[1], &snapshot.xmax)) {
    return malformed();
  }
  snapshot.xmax = std::max(snapshot.xmax, snapshot.xmin);
  for (absl::string_view xid :
       absl::StrSplit(parts[2], ',', absl::SkipEmpty())) {
    uint64_t value = 0;
    if (!absl::SimpleAtoi(xid, &value)) return malformed();
    snapshot.running.push_back(value);
  }
  std::sort(snapshot.running.begin(), snapshot.running.end());
  return snapshot;
}

std::string XidSnapshot::ToString() const {
  return absl::StrCat(xmin, ":", xmax, ":", absl::StrJoin(running, ","));
}

bool XidSnapshot::Sees(uint32_t xid) const {
  const auto distance = static_cast<int32_t>(xid - static_cast<uint32_t>(xmax));
  const uint64_t full = xmax + static_cast<uint64_t>(int64_t{distance});
  if (full < xmin) return true;
  if (full >= xmax) return false;
  return !std::binary_search(running.begin(), running.end(), full);
}

std::string CreatedSince(const XidSnapshot& then, const XidSnapshot& now) {
  // Every xmin in question lies before now.xmax by less than 2^31, so what is
  // not below its low half belongs to the epoch before.
  constexpr uint64_t kEpoch = uint64_t{1} << 32;
  const uint64_t low = now.xmax % kEpoch;
  const uint64_t base = now.xmax - low;
  const auto bigint = [](uint64_t value) { return absl::StrCat(value); };
  const std::string xmin = "xmin::text::bigint";
  std::string full = absl::StrCat("(", xmin, " + ", bigint(base), ")");
  if (base != 0) {
    full = absl::StrCat("(", xmin, " + CASE WHEN ", xmin, " < ", bigint(low),
                        " THEN ", bigint(base), " ELSE ", bigint(base - kEpoch),
                        " END)");
  }
  std::string unseen = absl::StrCat(full, " >= ", bigint(then.xmax));
  if (!then.running.empty()) {
    absl::StrAppend(&unseen, " OR ", full, " = ANY('{",
                    absl::StrJoin(then.running, ","), "}'::bigint[])");
  }
  if (then.running.empty()) return unseen;
  return absl::StrCat(full, " >= ", bigint(then.xmin), " AND (", unseen, ")");
}

}  // namespace walferry
