#include "engine/stream/meeting.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/source_position.h"
#include "engine/connect/xid_snapshot.h"
#include "engine/copy/copy_session.h"
#include "engine/stream/meeting_point.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How long the reading thread may take to notice that it is to stand still.
constexpr absl::Duration kToStandStill = absl::Seconds(1);
// Snapshots are taken while it stands still, a millisecond apart: so long at
// the first attempt, and at each further one twice as long. With synchronous
// replication what was taken shows when the standby has it.
constexpr absl::Duration kFirstHold = absl::Milliseconds(25);
constexpr absl::Duration kLongestHold = absl::Seconds(1);
// Until the appliers stand at the barrier they work as always, and the run is
// looked after.
constexpr absl::Duration kTurnInterval = absl::Seconds(1);
// They are not kept for longer by a meeting that does not come to its end, ...
constexpr absl::Duration kLongestStand = absl::Seconds(15);
// ... and not by one whose barrier may prove to be at the wrong place: while
// they stand, the reading thread may have no room to read up to its end.
constexpr absl::Duration kLongestDoubt = absl::Seconds(1);
constexpr absl::Duration kDoubtInterval = absl::Milliseconds(100);
constexpr absl::Duration kLockWait = absl::Seconds(30);

constexpr char kBegin[] =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE;";

absl::Status Configure(PgConnection& session) {
  return session.Exec(ValueSettingsSql(session.server_version(), kLockWait))
      .status();
}

// What an earlier stream may have applied is not known to this one's.
absl::Status CheckOlder(const MeetingContext& context) {
  ASSIGN_OR_RETURN(const std::string running,
                   context.run.older_transactions(context.source));
  if (running.empty()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "transactions on the source must end first that run since before the "
      "stream began: ",
      running));
}

bool IsForAnotherAttempt(const absl::Status& status) {
  return absl::IsAborted(status);
}

class Meeting {
 public:
  Meeting(const MeetingContext& context, const MeetingOptions& options,
          PgConnection source, PgConnection target)
      : context_(context),
        options_(options),
        point_(context.run.meeting_point()),
        source_(std::move(source)),
        target_(std::move(target)) {}

  absl::StatusOr<std::unique_ptr<HeldStates>> Run() {
    const absl::Time deadline =
        std::min(absl::Now() + options_.patience, options_.deadline);
    while (true) {
      const absl::Status met = Attempt();
      if (met.ok()) break;
      point_.Abandon();
      NotePause();
      barrier_.reset();
      if (!IsForAnotherAttempt(met) || absl::Now() >= deadline) return met;
      RETURN_IF_ERROR(End(source_));
      RETURN_IF_ERROR(End(target_));
      RETURN_IF_ERROR(context_.turn());
    }
    if (!options_.holds_appliers) barrier_->Lift();
    NotePause();
    met_.pause = longest_pause_;
    return std::make_unique<HeldStates>(
        std::move(met_), std::move(source_), std::move(target_),
        options_.holds_appliers ? barrier_ : nullptr);
  }

 private:
  absl::Status Attempt() {
    RETURN_IF_ERROR(point_.Hold(absl::Now() + kToStandStill));
    held_ = HeldFor{.since = absl::Now()};
    ASSIGN_OR_RETURN(SourceSnapshot taken, TakeSourceSnapshot());
    if (!taken.end.has_value()) {
      ASSIGN_OR_RETURN(taken.end, WriteBehind());
    }
    barrier_ = std::make_shared<MeetingBarrier>(
        options_.holds_appliers ? options_.hold_limit : kLongestStand);
    point_.Sort(std::move(taken.xids), *taken.end, barrier_);
    held_->reader = absl::Now() - held_->since;
    RETURN_IF_ERROR(WriteBehind().status());
    ASSIGN_OR_RETURN(const Lsn applied, AwaitAppliers());
    met_.position = point_.position();
    return TakeTargetSnapshot(applied);
  }

  // Where the target is when they stand at a barrier that is known to be at its
  // place.
  absl::StatusOr<Lsn> AwaitAppliers() {
    const absl::Time begun = absl::Now();
    const absl::Time deadline =
        std::min(begun + options_.to_stand, options_.deadline);
    while (true) {
      const absl::Status sorted =
          AwaitSorted(std::min(deadline, absl::Now() + kTurnInterval));
      if (sorted.ok()) {
        const std::optional<Lsn> applied = barrier_->AwaitStanding(
            std::min(deadline, absl::Now() + kTurnInterval));
        if (applied.has_value()) return *applied;
        if (barrier_->lifted()) {
          return absl::AbortedError("the appliers did not wait long enough");
        }
      } else if (!absl::IsDeadlineExceeded(sorted)) {
        return sorted;
      }
      if (absl::Now() >= deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat("the target is too far behind: within ",
                         absl::FormatDuration(absl::Trunc(
                             absl::Now() - begun, absl::Milliseconds(1))),
                         " it did not come to where the source was"));
      }
      RETURN_IF_ERROR(context_.turn());
    }
  }

  absl::Status AwaitSorted(absl::Time deadline) {
    while (true) {
      absl::Status sorted =
          point_.AwaitSorted(std::min(deadline, absl::Now() + kDoubtInterval));
      if (!absl::IsDeadlineExceeded(sorted)) return sorted;
      if (barrier_->stood() >= kLongestDoubt) {
        return absl::AbortedError(
            "too much was committed on the source while its snapshot was "
            "taken");
      }
      if (absl::Now() >= deadline) return sorted;
    }
  }

  // The log's end, which the walsender reaches without further writes.
  absl::StatusOr<Lsn> WriteBehind() {
    absl::StatusOr<Lsn> end = LastRecordEnd(context_.source);
    if (!end.ok()) return Annotate(end.status(), "source");
    return end;
  }

  struct SourceSnapshot {
    XidSnapshot xids;
    // All that it sees committed before, and little else: the more there is,
    // the longer the appliers stand. Unknown on a standby, which shows a
    // transaction before it says that its commit is replayed.
    std::optional<Lsn> end;
  };

  // The first statement takes it.
  absl::StatusOr<SourceSnapshot> TakeSourceSnapshot() {
    absl::Status taken;
    const absl::Time until = absl::Now() + hold_;
    hold_ = std::min(2 * hold_, kLongestHold);
    for (bool first = true; first || absl::Now() < until; first = false) {
      if (!first) {
        RETURN_IF_ERROR(End(source_));
        absl::SleepFor(absl::Milliseconds(1));
      }
      const absl::StatusOr<PgResult> row = source_.Exec(absl::StrCat(
          kBegin,
          "SELECT pg_catalog.pg_current_snapshot(), "
          "pg_catalog.pg_export_snapshot(), CASE WHEN NOT "
          "pg_catalog.pg_is_in_recovery() THEN "
          "pg_catalog.pg_current_wal_insert_lsn() END, (SELECT setting FROM "
          "pg_catalog.pg_settings WHERE name = 'wal_segment_size')"));
      if (!row.ok()) return Annotate(row.status(), "source: the snapshot");
      met_.at = absl::Now();
      met_.source_snapshot = std::string(row->Text(0, 1));
      SourceSnapshot snapshot;
      ASSIGN_OR_RETURN(snapshot.xids, XidSnapshot::Parse(row->Text(0, 0)));
      if (!row->IsNull(0, 2)) {
        ASSIGN_OR_RETURN(const Lsn insert, row->LsnAt(0, 2));
        ASSIGN_OR_RETURN(const int64_t segment_bytes, row->Int64(0, 3));
        snapshot.end =
            WithoutPageHeader(insert, static_cast<uint64_t>(segment_bytes));
      }
      taken = point_.CheckTaken(snapshot.xids);
      if (taken.ok()) return snapshot;
      if (!IsForAnotherAttempt(taken)) break;
    }
    return taken;
  }

  // What it shows of the ledger is as far as the appliers say they are.
  absl::Status TakeTargetSnapshot(Lsn applied) {
    const Endpoints& endpoints = context_.connector.endpoints;
    const absl::StatusOr<PgResult> row = target_.Exec(absl::StrCat(
        kBegin, "SELECT applied_lsn, pg_catalog.pg_export_snapshot() FROM ",
        QuoteIdentifier(endpoints.ledger_schema),
        ".stream WHERE name = ", QuoteLiteral(endpoints.name)));
    if (!row.ok()) return Annotate(row.status(), "target: the snapshot");
    const absl::StatusOr<Lsn> shown =
        row->rows() == 1 ? row->LsnAt(0, 0) : Lsn();
    if (!shown.ok()) return shown.status();
    if (*shown != applied) {
      return absl::InternalError(absl::StrCat(
          "target: the snapshot shows what was applied up to ",
          shown->ToString(), ", and not up to ", applied.ToString()));
    }
    if (barrier_->lifted()) {
      return absl::AbortedError("the appliers did not wait for the snapshot");
    }
    met_.target_snapshot = std::string(row->Text(0, 1));
    return absl::OkStatus();
  }

  static absl::Status End(PgConnection& session) {
    if (!session.in_transaction()) return absl::OkStatus();
    return session.Exec("ROLLBACK").status();
  }

  // What was read before the barrier was applied in between.
  void NotePause() {
    if (!held_.has_value()) return;
    const absl::Duration reader =
        held_->reader.value_or(absl::Now() - held_->since);
    const absl::Duration appliers =
        barrier_ == nullptr ? absl::ZeroDuration() : barrier_->stood();
    longest_pause_ = std::max(longest_pause_, reader + appliers);
    held_.reset();
  }

  const MeetingContext& context_;
  const MeetingOptions& options_;
  MeetingPoint& point_;
  PgConnection source_;
  PgConnection target_;
  std::shared_ptr<MeetingBarrier> barrier_;
  struct HeldFor {
    absl::Time since;
    std::optional<absl::Duration> reader;  // Once it has gone on.
  };
  std::optional<HeldFor> held_;
  absl::Duration longest_pause_;
  absl::Duration hold_ = kFirstHold;
  MetStates met_;
};

}  // namespace

HeldStates::HeldStates(MetStates met, PgConnection source, PgConnection target,
                       std::shared_ptr<MeetingBarrier> barrier)
    : met_(std::move(met)),
      source_(std::move(source)),
      target_(std::move(target)),
      barrier_(std::move(barrier)) {}

HeldStates::~HeldStates() {
  if (barrier_ != nullptr) barrier_->Lift();
}

absl::Status HeldStates::Check() {
  const absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Annotate(source_.Exec("SELECT").status(),
                           "source: the session that holds the snapshot"));
  RETURN_IF_ERROR(Annotate(target_.Exec("SELECT").status(),
                           "target: the session that holds the snapshot"));
  if (barrier_ == nullptr || !barrier_->lifted()) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(
      "changes are applied again",
      barrier_->overdue()
          ? absl::StrCat(" after ", absl::FormatDuration(barrier_->stood()))
          : ""));
}

bool HeldStates::holds_appliers() const {
  return barrier_ != nullptr && !barrier_->lifted();
}

absl::StatusOr<std::unique_ptr<HeldStates>> Meet(
    const MeetingContext& context, const MeetingOptions& options) {
  // Before sessions are opened: it may be asked many times.
  RETURN_IF_ERROR(CheckOlder(context));
  ASSIGN_OR_RETURN(PgConnection source,
                   context.connector.OpenSource("meeting"));
  ASSIGN_OR_RETURN(PgConnection target,
                   context.connector.OpenTarget("meeting"));
  RETURN_IF_ERROR(Annotate(Configure(source), "source"));
  RETURN_IF_ERROR(Annotate(Configure(target), "target"));
  return Meeting(context, options, std::move(source), std::move(target)).Run();
}

}  // namespace walferry
