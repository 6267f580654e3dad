// RunFollow: an existing slot's stream into existing tables.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "apply/text_needed.h"
#include "engine/catalog/publication.h"
#include "engine/connect/connect.h"
#include "engine/connect/retry_policy.h"
#include "engine/connect/source_position.h"
#include "engine/cutover/created_objects.h"
#include "engine/ledger/ledger.h"
#include "engine/migration/migration.h"
#include "engine/report_json.h"
#include "engine/stream/binary_stream.h"
#include "engine/stream/follower.h"
#include "engine/stream/stream_run.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kLockWait = absl::Seconds(30);

class FollowRun {
 public:
  FollowRun(const FollowOptions& options, Control& control, EventSink& events)
      : options_(options),
        control_(control),
        events_(events),
        connector_{.endpoints = options.endpoints,
                   .interrupt = &control.interrupt()} {}

  absl::Status Attempt();
  bool progressed() const { return progressed_; }
  // Whether the attempt has ended because the next one must ask for text.
  bool TurnToText(const absl::Status& status);
  Report report() const;

 private:
  absl::Status OpenLedger(Ledger& ledger);
  void TellStart(bool resumed);
  absl::Status Follow(PgConnection& source, PgConnection& target,
                      Ledger& ledger);
  absl::Status NoteFailure(const absl::Status& status, PgConnection& source,
                           PgConnection& target, Ledger& ledger);
  absl::Status Watch(Follower& follower, StreamRun& run, PgConnection& source);

  const FollowOptions& options_;
  Control& control_;
  EventSink& events_;
  const Connector connector_;
  const absl::Time started_ = absl::Now();
  Contact contact_ = Contact::kFirst;
  FollowTotals totals_;
  Lsn applied_;
  bool progressed_ = false;
  bool text_only_ = false;
  bool told_start_ = false;
  bool in_ledger_before_ = true;  // This run did not begin it.
  bool streamed_ = false;         // A stream has begun.
};

absl::Status FollowRun::OpenLedger(Ledger& ledger) {
  RETURN_IF_ERROR(ledger.Create());
  RETURN_IF_ERROR(ledger.Lock(kLockWait));
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
  if (known) {
    if (known->kind == "follow" && known->slot == options_.slot) {
      TellStart(/*resumed=*/true);
      return ledger.BeginAgain(PhaseName(Phase::kFollow));
    }
    return WithHint(absl::AlreadyExistsError(absl::StrCat(
                        "the name ", options_.endpoints.name, " is taken by a ",
                        known->kind, " of slot ", known->slot)),
                    "choose another --name");
  }
  ASSIGN_OR_RETURN(PgConnection walsender, connector_.OpenWalsender(""));
  ASSIGN_OR_RETURN(const SystemIdentity identity, IdentifySystem(walsender));
  RETURN_IF_ERROR(
      ledger.Start({.kind = "follow",
                    .phase = "follow",
                    .source_system_identifier = identity.system_identifier,
                    .source_dbname = identity.dbname,
                    .slot = options_.slot,
                    .publications = options_.publications}));
  in_ledger_before_ = false;
  TellStart(/*resumed=*/false);
  return absl::OkStatus();
}

// Once per run, by the attempt that first gets so far.
void FollowRun::TellStart(bool resumed) {
  if (!told_start_) {
    events_.OnEvent(PhaseStarted{.phase = Phase::kFollow, .resumed = resumed});
  }
  told_start_ = true;
}

absl::Status FollowRun::Attempt() {
  progressed_ = false;
  ASSIGN_OR_RETURN(PgConnection source,
                   connector_.OpenSource("follow", contact_));
  RETURN_IF_ERROR(CheckPublications(source, options_.publications));
  ASSIGN_OR_RETURN(PgConnection target,
                   connector_.OpenTarget("ledger", contact_));
  contact_ = Contact::kAgain;
  Ledger ledger(target, {.schema = options_.endpoints.ledger_schema,
                         .migration = options_.endpoints.name});
  RETURN_IF_ERROR(OpenLedger(ledger));
  const absl::Status status = Follow(source, target, ledger);
  if (status.ok()) {
    RETURN_IF_ERROR(ledger.SetReport(ReportToJson(report())));
    return ledger.SetPhase(PhaseName(Phase::kDone));
  }
  // Who is stopped has not failed, and his sessions take no more statements.
  if (!target.broken() && !control_.stop_requested() && !IsTextNeeded(status)) {
    const absl::Status noted = NoteFailure(status, source, target, ledger);
    if (!noted.ok()) {
      events_.OnEvent(
          Notice{.level = Notice::Level::kWarning,
                 .text = absl::StrCat("the ledger: ", noted.message())});
    }
  }
  return status;
}

// For `walferry status`. A follow that cannot even begin leaves nothing behind.
absl::Status FollowRun::NoteFailure(const absl::Status& status,
                                    PgConnection& source, PgConnection& target,
                                    Ledger& ledger) {
  if (in_ledger_before_ || streamed_ || IsRetriable(status)) {
    return ledger.SetLastError(status.message());
  }
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  for (const LedgerObject& object : objects) {
    RETURN_IF_ERROR(DropObject(object, source, target));
  }
  return ledger.Forget();
}

absl::Status FollowRun::Follow(PgConnection& source, PgConnection& target,
                               Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::string origin,
                   OriginName(target, options_.endpoints.name));
  RETURN_IF_ERROR(ledger.AddObject(
      {.side = Side::kTarget, .kind = "origin", .identity = origin}));
  ASSIGN_OR_RETURN(
      std::unique_ptr<StreamRun> run,
      StreamRun::Start(
          {.connector = connector_,
           .slot = options_.slot,
           .publications = options_.publications,
           .client_encoding = source.parameter("server_encoding"),
           .until = options_.until_lsn,
           .gate = [](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
             return RelationPolicy{};
           },
           .text_only = text_only_,
           .stream = options_.stream},
          events_));
  streamed_ = true;
  Follower follower({.run = *run,
                     .source = source,
                     .ledger = ledger,
                     .control = control_,
                     .events = events_,
                     .options = options_.stream,
                     .totals = totals_,
                     .slot = options_.slot});
  absl::Status status = Watch(follower, *run, source);
  const absl::Status stopped = run->Stop();
  if (status.ok()) status = stopped;
  follower.AddToTotals();
  applied_ = run->state().applied();
  progressed_ = follower.progressed();
  return status;
}

// Until the stream has come where it is meant to end.
absl::Status FollowRun::Watch(Follower& follower, StreamRun& run,
                              PgConnection& source) {
  if (options_.until_lsn) {
    return follower.DrainTo(*options_.until_lsn, absl::InfiniteFuture());
  }
  while (!control_.cutover_requested()) RETURN_IF_ERROR(follower.Turn());
  ASSIGN_OR_RETURN(const Lsn end, LastRecordEnd(source));
  follower.SetWaitingFor(absl::StrCat("the stream to reach ", end.ToString()));
  return follower.DrainTo(std::max(end, run.state().applied()),
                          absl::InfiniteFuture());
}

bool FollowRun::TurnToText(const absl::Status& status) {
  if (!IsTextNeeded(status) || std::exchange(text_only_, true)) return false;
  events_.OnEvent(TurnedToText(status));
  return true;
}

Report FollowRun::report() const {
  Report report;
  report.name = options_.endpoints.name;
  report.transactions_applied = totals_.counts.transactions;
  report.inserts = totals_.counts.inserts;
  report.updates = totals_.counts.updates;
  report.deletes = totals_.counts.deletes;
  report.truncates = totals_.counts.truncates;
  report.applied_lsn = applied_;
  report.elapsed = absl::Now() - started_;
  return report;
}

}  // namespace

absl::StatusOr<Report> RunFollow(const FollowOptions& options, Control& control,
                                 EventSink& events) {
  FollowRun run(options, control, events);
  RetryPolicy retry(options.stream.retry_for, control.interrupt(), events);
  while (true) {
    const absl::Status status = run.Attempt();
    if (status.ok()) break;
    if (run.progressed()) retry.NoteProgress();
    if (run.TurnToText(status)) continue;
    if (const absl::Status wait = retry.WaitAfter(status); !wait.ok()) {
      events.OnEvent(Failed{.phase = Phase::kFollow, .status = wait});
      return wait;
    }
  }
  const Report report = run.report();
  events.OnEvent(
      PhaseFinished{.phase = Phase::kFollow, .duration = report.elapsed});
  events.OnEvent(Done{report});
  return report;
}

}  // namespace walferry
