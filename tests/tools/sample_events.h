#ifndef TESTS_TOOLS_SAMPLE_EVENTS_H_
#define TESTS_TOOLS_SAMPLE_EVENTS_H_

// One event of every kind with all its fields set.

#include <vector>

#include "engine/event.h"

namespace walferry {

inline Progress SampleProgress() {
  return {.phase = Phase::kCopy,
          .items_done = 12,
          .items_total = 40,
          .bytes = int64_t{1288490189},
          .bytes_total = int64_t{3650722202},
          .rows = 2100000,
          .elapsed = absl::Seconds(20),
          .active = {{.name = "public.orders",
                      .bytes = int64_t{512} << 20,
                      .bytes_total = int64_t{1} << 30,
                      .rows = 2100000,
                      .elapsed = absl::Seconds(12)},
                     {.name = "public.events",
                      .bytes = int64_t{3} << 20,
                      .bytes_total = int64_t{2} << 30,
                      .rows = 900,
                      .elapsed = absl::Seconds(1)}}};
}

inline Lag SampleLag() {
  return {.phase = Phase::kFollow,
          .lag_bytes = 1258291,
          .lag_seconds = 0.8,
          .source_lsn = Lsn(0x1'0013'3333),
          .received_lsn = Lsn(0x1'0000'0010),
          .applied_lsn = Lsn(0x1'0000'0000),
          .transactions = 12345,
          .changes = 88000,
          .waiting_for = ""};
}

inline ConflictFound SampleConflict() {
  return {.conflict = {.relation = {"public", "Orders"},
                       .kind = ChangeKind::kUpdate,
                       .key = "id=7",
                       .xid = 735,
                       .commit_lsn = Lsn(0x16B3748),
                       .end_lsn = Lsn(0x16B3778),
                       .commit_time = absl::FromUnixSeconds(1767225600),
                       .type = "update_missing",
                       .sqlstate = "P0002",
                       .message = "no row with this key"},
          .slot = "walferry_shop"};
}

inline Report SampleReport() {
  return {.name = "shop",
          .tables = 40,
          .rows_copied = 12345678,
          .bytes_copied = int64_t{3650722202},
          .transactions_applied = 12345,
          .inserts = 50000,
          .updates = 30000,
          .deletes = 8000,
          .truncates = 1,
          .sequences_set = 12,
          .materialized_views_refreshed = 3,
          .applied_lsn = Lsn(0x16B3778),
          .freeze_to_done = absl::Milliseconds(850),
          .elapsed = absl::Seconds(750),
          .comparison = {.state = ComparisonResult::State::kEqual,
                         .method = VerifyMethod::kChecksum,
                         .at = absl::FromUnixSeconds(1767225540)},
          .remarks = {"table public.log has no key"}};
}

inline std::vector<Event> SampleEvents() {
  Lag waiting = SampleLag();
  waiting.phase = Phase::kCutover;
  waiting.waiting_for = "writes on the source to stop: 2 sessions";
  return {PhaseStarted{.phase = Phase::kCopy, .resumed = true},
          PhaseFinished{.phase = Phase::kCopy,
                        .duration = absl::Milliseconds(12345)},
          SampleProgress(),
          SampleLag(),
          waiting,
          CaughtUp{.applied_lsn = Lsn(0x16B3748), .lag_bytes = 100},
          Usable{.delayed_tables = 2},
          SampleConflict(),
          Notice{.level = Notice::Level::kWarning, .text = "source is away"},
          Failed{.phase = Phase::kFollow,
                 .status = absl::CancelledError("stopped")},
          Done{SampleReport()}};
}

}  // namespace walferry

#endif  // TESTS_TOOLS_SAMPLE_EVENTS_H_
