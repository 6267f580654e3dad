// RunStatus and RunCutover: another process asks the ledger.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/connect/connect.h"
#include "engine/copy/copy_rate.h"
#include "engine/copy/large_objects.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_content.h"
#include "engine/ledger/ledger_time.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kPollInterval = absl::Milliseconds(200);
// How often one who waits for a cutover says so.
constexpr absl::Duration kSignInterval = absl::Seconds(10);

// One migration's ledger, as another process sees it.
class LedgerView {
 public:
  // kNotFound: the target has no such migration.
  static absl::StatusOr<std::unique_ptr<LedgerView>> Open(
      const Endpoints& endpoints, absl::string_view purpose, Control& control,
      Contact contact = Contact::kFirst) {
    const Connector connector{.endpoints = endpoints,
                              .interrupt = &control.interrupt()};
    ASSIGN_OR_RETURN(PgConnection target,
                     connector.OpenTarget(purpose, contact));
    auto view = absl::WrapUnique(new LedgerView(endpoints, std::move(target)));
    ASSIGN_OR_RETURN(const bool exists, view->ledger_.Exists());
    if (!exists) return view->NotFound();
    return view;
  }

  Ledger& ledger() { return ledger_; }
  PgConnection& target() { return target_; }

  absl::StatusOr<LedgerMigration> Read() {
    ASSIGN_OR_RETURN(std::optional<LedgerMigration> row, ledger_.Read());
    if (row) return *std::move(row);
    return NotFound();
  }

 private:
  absl::Status NotFound() {
    return NoSuchMigration(target_, {.schema = endpoints_.ledger_schema,
                                     .migration = endpoints_.name});
  }

  LedgerView(const Endpoints& endpoints, PgConnection target)
      : endpoints_(endpoints),
        target_(std::move(target)),
        ledger_(target_, {.schema = endpoints.ledger_schema,
                          .migration = endpoints.name}) {}

  const Endpoints endpoints_;
  PgConnection target_;
  Ledger ledger_;
};

absl::Status FillTables(Ledger& ledger, MigrationStatus& status) {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger.Tables());
  for (const LedgerTable& table : tables) {
    const bool begun = table.rows > 0 || table.bytes_copied > 0;
    status.tables.push_back(
        {.table = table.table,
         .state = table.copied ? "copied" : (begun ? "copying" : "waiting"),
         .rows = table.rows,
         .bytes = table.bytes_copied,
         .bytes_total = table.bytes});
  }
  return absl::OkStatus();
}

// Whether a process is there to answer.
absl::StatusOr<bool> AskForCutover(LedgerView& view, const std::string& name) {
  ASSIGN_OR_RETURN(const LedgerMigration row, view.Read());
  if (row.kind != "migrate" && row.kind != "server") {
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat(name, " is a ", row.kind, " of slot ", row.slot,
                         " and not a migration: there is nothing to cut over")),
        "end it with Ctrl+C where it runs, or begin it with --until-lsn");
  }
  if (row.mode() == MigrateMode::kOffline) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        name,
                        " is an offline migration: there is nothing to cut "
                        "over")),
                    "it ends by itself; `walferry status` tells how far it is");
  }
  ASSIGN_OR_RETURN(const bool running, view.ledger().Locked());
  if (running) {
    RETURN_IF_ERROR(view.ledger().RequestCutover());
    return true;
  }
  // Asked again: it may just have ended.
  ASSIGN_OR_RETURN(const LedgerMigration ended, view.Read());
  if (ended.report) return false;
  return WithHint(absl::FailedPreconditionError(
                      absl::StrCat("no process runs migration ", name)),
                  "start it again with the command that began it, then "
                  "ask once more");
}

// The report if the migration is over, an error if the cutover was given up,
// nothing while neither is so.
absl::StatusOr<std::optional<Report>> CutoverOutcome(LedgerView& view) {
  ASSIGN_OR_RETURN(const LedgerMigration row, view.Read());
  if (row.phase == PhaseName(Phase::kDone) && row.report) {
    ASSIGN_OR_RETURN(Report report, view.ledger().ReportOf(row));
    return std::optional<Report>(std::move(report));
  }
  if (!row.cutover_requested && !row.cutover_failure.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the cutover was given up: ", row.cutover_failure));
  }
  return std::optional<Report>();
}

// Why there will be no report, as no process runs the migration.
absl::Status EndedWithoutCutover(const LedgerMigration& row) {
  const std::string reason =
      row.last_error.empty() ? "" : absl::StrCat(": ", row.last_error);
  if (row.report) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "the target has taken over, but the migration ended "
                        "before it dropped what it had created",
                        reason)),
                    "run the command that began it again");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the migration has ended without cutting over", reason));
}

// Of a migration that is asked to cut over.
absl::StatusOr<Lag> LagOf(LedgerView& view) {
  ASSIGN_OR_RETURN(const LedgerMigration row, view.Read());
  ASSIGN_OR_RETURN(const std::optional<LedgerStream> stream,
                   view.ledger().Stream());
  Lag lag{.phase = Phase::kCutover,
          .lag_bytes = row.heartbeat.lag_bytes,
          .lag_seconds = row.heartbeat.lag_seconds,
          .source_lsn = row.heartbeat.source_lsn,
          .received_lsn = row.heartbeat.received_lsn,
          .waiting_for = row.heartbeat.waiting_for};
  if (stream) {
    lag.applied_lsn = stream->applied_lsn;
    lag.transactions = stream->counts.transactions;
    lag.changes = Changes(stream->counts);
  }
  if (row.phase != PhaseName(Phase::kFollow) &&
      row.phase != PhaseName(Phase::kCutover)) {
    lag.waiting_for = absl::StrCat("the phase ", row.phase, " to end");
  }
  return lag;
}

// Waits for the outcome of a request, or for the end of the process that could
// fulfil it.
class CutoverWait {
 public:
  CutoverWait(LedgerView& view, absl::Duration grace)
      : view_(view), grace_(grace) {}

  // `last`: nobody will look again.
  absl::StatusOr<std::optional<Report>> Look(bool last) {
    // Asked before the row is read: a process that ends between the two has
    // written all that it will write.
    ASSIGN_OR_RETURN(const bool running, view_.ledger().Locked());
    ASSIGN_OR_RETURN(std::optional<Report> report, CutoverOutcome(view_));
    if (report) return report;
    const absl::Time now = absl::Now();
    if (running) last_seen_ = now;
    // Between two attempts a process holds no lock.
    if (running || (now - last_seen_ < grace_ && !last)) {
      return std::optional<Report>();
    }
    return GiveUp();
  }

 private:
  // The request must not be fulfilled behind the back of whoever was told that
  // it failed.
  absl::StatusOr<std::optional<Report>> GiveUp() {
    const absl::Status lock = view_.ledger().Lock(absl::ZeroDuration());
    if (absl::IsFailedPrecondition(lock)) {  // It is back.
      last_seen_ = absl::Now();
      return std::optional<Report>();
    }
    RETURN_IF_ERROR(lock);
    ASSIGN_OR_RETURN(std::optional<Report> report, CutoverOutcome(view_));
    if (report) return report;
    RETURN_IF_ERROR(view_.ledger().EndCutoverRequest(""));
    ASSIGN_OR_RETURN(const LedgerMigration row, view_.Read());
    return EndedWithoutCutover(row);
  }

  LedgerView& view_;
  const absl::Duration grace_;
  absl::Time last_seen_ = absl::Now();
};

Endpoints EndpointsOf(const CutoverOptions& options) {
  return {.source = "",
          .target = options.target,
          .name = options.name,
          .ledger_schema = options.ledger_schema};
}

// `asked`: there may be a request.
absl::StatusOr<Report> AskAndAwaitCutover(const CutoverOptions& options,
                                          Control& control, EventSink& events,
                                          bool& asked) {
  ASSIGN_OR_RETURN(const auto view,
                   LedgerView::Open(EndpointsOf(options), "cutover", control));
  asked = true;
  ASSIGN_OR_RETURN(const bool running, AskForCutover(*view, options.name));
  CutoverWait wait(*view,
                   running ? options.process_grace : absl::ZeroDuration());
  const absl::Time deadline = absl::Now() + options.wait;
  absl::Time next_sign = absl::Now() + kSignInterval;
  while (absl::Now() < deadline) {
    ASSIGN_OR_RETURN(std::optional<Report> report, wait.Look(/*last=*/false));
    if (report) return *std::move(report);
    if (absl::Now() >= next_sign) {
      RETURN_IF_ERROR(view->ledger().RenewCutoverRequest());
      next_sign = absl::Now() + kSignInterval;
    }
    ASSIGN_OR_RETURN(const Lag lag, LagOf(*view));
    events.OnEvent(lag);
    RETURN_IF_ERROR(control.interrupt().Sleep(kPollInterval));
  }
  ASSIGN_OR_RETURN(std::optional<Report> report, wait.Look(/*last=*/true));
  if (report) return *std::move(report);
  ASSIGN_OR_RETURN(const LedgerMigration row, view->Read());
  return absl::DeadlineExceededError(
      absl::StrCat("the migration has not cut over within ",
                   absl::FormatDuration(options.wait), "; the request stands",
                   row.heartbeat.waiting_for.empty() ? "" : "; it waits for ",
                   row.heartbeat.waiting_for));
}

// Of one who will not see how it ends. The error that says so.
absl::Status WithdrawCutover(const CutoverOptions& options) {
  Control control;
  ASSIGN_OR_RETURN(const auto view,
                   LedgerView::Open(EndpointsOf(options), "cutover", control));
  ASSIGN_OR_RETURN(const LedgerMigration row, view->Read());
  RETURN_IF_ERROR(view->ledger().EndCutoverRequest(""));
  return absl::CancelledError(
      row.phase == PhaseName(Phase::kCutover) || row.report
          ? "interrupted; the request is withdrawn, but a cutover that has "
            "found the source still goes on (`walferry status`)"
          : "interrupted; the request is withdrawn");
}

}  // namespace

absl::StatusOr<MigrationStatus> RunStatus(const StatusOptions& options,
                                          Control& control) {
  ASSIGN_OR_RETURN(const auto view,
                   LedgerView::Open({.source = "",
                                     .target = options.target,
                                     .name = options.name,
                                     .ledger_schema = options.ledger_schema},
                                    "status", control));
  Ledger& ledger = view->ledger();
  MigrationStatus status;
  ASSIGN_OR_RETURN(status.running, ledger.Locked());
  ASSIGN_OR_RETURN(const LedgerMigration row, view->Read());
  status.name = options.name;
  status.kind = row.kind;
  status.phase = row.phase;
  ASSIGN_OR_RETURN(const auto started_at, LedgerTime(row.started_at));
  status.started_at = started_at.value_or(absl::UnixEpoch());
  ASSIGN_OR_RETURN(status.heartbeat_at, LedgerTime(row.heartbeat_at));
  status.waiting_for = row.heartbeat.waiting_for;
  status.received_lsn = row.heartbeat.received_lsn;
  status.source_lsn = row.heartbeat.source_lsn;
  status.lag_bytes = row.heartbeat.lag_bytes;
  status.lag_seconds = row.heartbeat.lag_seconds;
  status.slot = row.slot;
  status.publications = row.publications;
  ASSIGN_OR_RETURN(const LedgerComparisons comparisons, ledger.Comparisons());
  status.comparison = comparisons.Known();
  status.compared_before_clients = comparisons.before_clients;
  status.last_error = row.last_error;
  status.steps_total = row.planned_steps;
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  status.usable =
      row.report.has_value() || absl::c_linear_search(steps, kUsableStep);
  status.steps_done = std::count_if(
      steps.begin(), steps.end(),
      [](const std::string& step) { return !IsLargeObjectsPiece(step); });
  ASSIGN_OR_RETURN(const std::optional<LedgerStream> stream, ledger.Stream());
  if (stream) {
    status.applied_lsn = stream->applied_lsn;
    // A heartbeat is older than what was applied since.
    status.received_lsn = std::max(status.received_lsn, stream->applied_lsn);
    status.source_lsn = std::max(status.source_lsn, status.received_lsn);
    status.transactions = stream->counts.transactions;
    status.changes = Changes(stream->counts);
    status.counted_since = stream->counted_since;
    ASSIGN_OR_RETURN(status.counts, ledger.TableCounts());
  }
  RETURN_IF_ERROR(FillTables(ledger, status));
  if (status.running && row.phase == PhaseName(Phase::kCopy)) {
    ASSIGN_OR_RETURN(status.bytes_per_second,
                     RecentCopyRate(view->target(), ledger.sql().key()));
  }
  if (row.report) {
    ASSIGN_OR_RETURN(status.report, ledger.ReportOf(row));
    status.lag_bytes = 0;
    status.lag_seconds = 0;
  }
  if (!status.running) status.waiting_for.clear();
  return status;
}

absl::Status NoteComparison(const Endpoints& endpoints,
                            const ComparisonNote& note, Control& control) {
  ASSIGN_OR_RETURN(const auto view, LedgerView::Open(endpoints, "compare",
                                                     control, Contact::kAgain));
  return view->ledger().SetComparison(note.result, note.before_clients,
                                      note.begun);
}

absl::StatusOr<Report> RunCutover(const CutoverOptions& options,
                                  Control& control, EventSink& events) {
  bool asked = false;
  absl::StatusOr<Report> report =
      AskAndAwaitCutover(options, control, events, asked);
  if (!asked || !absl::IsCancelled(report.status())) return report;
  return WithdrawCutover(options);
}

}  // namespace walferry
