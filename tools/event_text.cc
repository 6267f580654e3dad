#include "tools/event_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "tools/human_format.h"

namespace walferry {

std::string ProgressText(const Progress& progress, double bytes_per_second) {
  std::vector<std::string> parts;
  if (progress.items_total > 0) {
    parts.push_back(absl::StrCat(HumanCount(progress.items_done), " of ",
                                 HumanCount(progress.items_total), " ",
                                 ItemsNoun(progress.phase)));
  }
  const auto bytes = static_cast<double>(progress.bytes);
  const auto total = static_cast<double>(progress.bytes_total);
  if (progress.bytes_total > 0) {
    parts.push_back(absl::StrCat(HumanBytes(bytes), " of ", HumanBytes(total),
                                 " (", HumanPercent(bytes, total), ")"));
  } else if (progress.bytes > 0) {
    parts.push_back(HumanBytes(bytes));
  }
  if (bytes_per_second > 0) parts.push_back(HumanRate(bytes_per_second));
  const absl::Duration left =
      TimeLeft(progress.bytes, progress.bytes_total, bytes_per_second);
  if (left != absl::InfiniteDuration()) {
    parts.push_back(absl::StrCat("about ", HumanDuration(left), " left"));
  }
  if (parts.empty()) return HumanDuration(progress.elapsed);
  return absl::StrJoin(parts, ", ");
}

std::string LagText(const Lag& lag) {
  return absl::StrCat(
      "lag ", HumanBytes(static_cast<double>(lag.lag_bytes)), ", ",
      HumanDuration(absl::Seconds(lag.lag_seconds)),
      lag.applied_lsn.valid()
          ? absl::StrCat("; applied ", lag.applied_lsn.ToString())
          : "",
      "; ", HumanCount(lag.transactions, "transaction", "transactions"), ", ",
      HumanCount(lag.changes, "change", "changes"));
}

std::string WaitText(absl::string_view waiting_for) {
  return absl::StrCat("waiting for ", waiting_for);
}

std::string UsableText(int64_t delayed_tables) {
  return absl::StrCat("the target can be used; ",
                      HumanCount(delayed_tables, "table is", "tables are"),
                      " still being loaded");
}

std::string ConflictText(const ConflictFound& found) {
  const Conflict& conflict = found.conflict;
  std::string text =
      absl::StrFormat("conflict: the target does not take this %s on %s (%s)",
                      ChangeKindName(conflict.kind),
                      ToDisplay(conflict.relation), conflict.type);
  const auto add = [&](absl::string_view name, absl::string_view value) {
    if (!value.empty())
      absl::StrAppendFormat(&text, "\n  %-12s%s", name, value);
  };
  add("key", conflict.key);
  add("transaction", absl::StrCat(conflict.xid, ", committed ",
                                  absl::FormatTime("%Y-%m-%d %H:%M:%E6S UTC",
                                                   conflict.commit_time,
                                                   absl::UTCTimeZone())));
  add("commit LSN", conflict.commit_lsn.ToString());
  add("end LSN", conflict.end_lsn.ToString());
  add("slot", found.slot);
  add("SQLSTATE", conflict.sqlstate);
  add("message", conflict.message);
  return text;
}

absl::string_view ItemsNoun(Phase phase) {
  return phase == Phase::kCopy || phase == Phase::kVerify ? "tables" : "steps";
}

absl::Duration TimeLeft(int64_t done, int64_t total, double per_second) {
  if (total <= 0 || per_second <= 0) return absl::InfiniteDuration();
  if (done >= total) return absl::ZeroDuration();
  return absl::Seconds(static_cast<double>(total - done) / per_second);
}

}  // namespace walferry
