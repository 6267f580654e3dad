#ifndef ENGINE_EVENT_H_
#define ENGINE_EVENT_H_

// What a migration tells while it runs. docs/events.md documents the same
// fields as JSON.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "apply/applier.h"
#include "engine/report.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"

namespace walferry {

// The steps of a migration, in their order; the comparison of two databases has
// a step of its own.
enum class Phase {
  kCheck,
  kPrepare,
  kSchema,
  kCopy,
  kIndexes,
  kFollow,
  kCutover,
  kVerify,
  kDone,
};

// "check", "prepare", ...: in events, in the ledger, on the screen.
absl::string_view PhaseName(Phase phase);

struct PhaseStarted {
  Phase phase = Phase::kCheck;
  // Part of it was done before: by an earlier run, or before a cutover that was
  // given up.
  bool resumed = false;
};
struct PhaseFinished {
  Phase phase = Phase::kCheck;
  absl::Duration duration;
};

// One table (copy) or one object (schema, indexes) that is being worked on.
struct ActiveItem {
  std::string name;         // "public.orders", "INDEX public.orders_pkey".
  int64_t bytes = 0;        // Copied so far; 0 where bytes mean nothing.
  int64_t bytes_total = 0;  // Estimate; 0: unknown.
  int64_t rows = 0;
  absl::Duration elapsed;
};
// Sent about every poll interval during schema, copy, indexes and verify.
struct Progress {
  Phase phase = Phase::kCopy;
  int64_t items_done = 0;
  int64_t items_total = 0;
  int64_t bytes = 0;  // In all tables, this run and earlier ones.
  int64_t bytes_total = 0;
  int64_t rows = 0;
  absl::Duration elapsed;  // Of the phase, in this run.
  std::vector<ActiveItem> active;
};

// The heartbeat of follow and cutover.
struct Lag {
  Phase phase = Phase::kFollow;
  // source_lsn - applied_lsn; or - received_lsn, if that is further and nothing
  // received waits to be applied.
  uint64_t lag_bytes = 0;
  // Age of the oldest transaction received but not applied; 0 if none waits.
  double lag_seconds = 0;
  Lsn source_lsn;
  Lsn received_lsn;
  Lsn applied_lsn;
  int64_t transactions = 0;  // Applied in this run.
  int64_t changes = 0;
  // What it waits for: "" or "writes on the source to stop: ...".
  std::string waiting_for;
};

// Once per run: the lag fell under the threshold.
struct CaughtUp {
  Lsn applied_lsn;
  uint64_t lag_bytes = 0;
};

// Clients may work on the target of an offline migration. Rows of so many
// tables are missing yet, or their indexes (engine/catalog/delayed_tables.h).
struct Usable {
  int64_t delayed_tables = 0;
};

struct ConflictFound {
  Conflict conflict;
  std::string slot;
};

// Something a person should read but nothing failed: retries, waits, warnings.
struct Notice {
  enum class Level { kInfo, kWarning };
  Level level = Level::kInfo;
  std::string text;
};

// The run ends with this error.
struct Failed {
  Phase phase = Phase::kCheck;
  absl::Status status;
};

// The run ends well.
struct Done {
  Report report;
};

using Event = std::variant<PhaseStarted, PhaseFinished, Progress, Lag, CaughtUp,
                           Usable, ConflictFound, Notice, Failed, Done>;

// Receives events from any thread; calls never overlap in time.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnEvent(const Event& event) = 0;
};

}  // namespace walferry

#endif  // ENGINE_EVENT_H_
