// AskForMeeting: another process asks, waits, and takes over what it is given.

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "engine/connect/connect.h"
#include "engine/connect/server_identity.h"
#include "engine/copy/copy_session.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_content.h"
#include "engine/stream/meeting_request.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kPollInterval = absl::Milliseconds(50);
constexpr absl::Duration kSignInterval = absl::Seconds(3);
constexpr absl::Duration kLockWait = absl::Seconds(30);
// While appliers are held.
constexpr absl::Duration kHoldInterval = absl::Seconds(1);
// So that nobody waits for what is undone when they go on by themselves.
constexpr absl::Duration kLetGoEarlier = absl::Seconds(10);

std::string NewId() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8));
}

LedgerKey KeyOf(const Endpoints& endpoints) {
  return {.schema = endpoints.ledger_schema, .migration = endpoints.name};
}

// Over a session that no interrupt ends: it is what comes behind one. What
// fails here is settled by time.
void Withdraw(const Endpoints& endpoints, const std::string& id) {
  const Connector connector{.endpoints = endpoints};
  absl::StatusOr<PgConnection> target = connector.OpenTarget("verify");
  if (!target.ok()) return;
  MeetingRequests(*target, KeyOf(endpoints)).Withdraw(id).IgnoreError();
}

// Inside the snapshot, and with a name of its own for it.
absl::StatusOr<std::string> TakeOver(PgConnection& session,
                                     const std::string& snapshot) {
  RETURN_IF_ERROR(
      session.Exec(ValueSettingsSql(session.server_version(), kLockWait))
          .status());
  RETURN_IF_ERROR(session
                      .Exec(absl::StrCat(
                          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT "
                          "DEFERRABLE;SET TRANSACTION SNAPSHOT ",
                          QuoteLiteral(snapshot)))
                      .status());
  return session.QueryValue("SELECT pg_catalog.pg_export_snapshot()");
}

class Asking {
 public:
  explicit Asking(const AskOptions& options)
      : options_(options),
        connector_{.endpoints = options.endpoints,
                   .interrupt = options.interrupt},
        id_(NewId()) {}

  const std::string& id() const { return id_; }
  bool asked() const { return asked_; }

  absl::StatusOr<std::unique_ptr<HeldStates>> Run() {
    ASSIGN_OR_RETURN(PgConnection target,
                     connector_.OpenTarget("verify", Contact::kFirst));
    Ledger ledger(target, KeyOf(options_.endpoints));
    RETURN_IF_ERROR(CheckMayAsk(target, ledger));
    MeetingRequests requests(target, KeyOf(options_.endpoints));
    asked_ = true;
    RETURN_IF_ERROR(requests.Ask(id_, options_.holds_appliers));
    ASSIGN_OR_RETURN(MetStates met, AwaitAnswer(ledger, requests));
    return TakeOverBoth(std::move(met));
  }

 private:
  absl::Status CheckMayAsk(PgConnection& target, Ledger& ledger) {
    const std::string& name = options_.endpoints.name;
    ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
    std::optional<LedgerMigration> row;
    if (exists) {
      ASSIGN_OR_RETURN(row, ledger.Read());
    }
    if (!row.has_value()) {
      return NoSuchMigration(
          target, KeyOf(options_.endpoints),
          "of a move of all databases --source and --target name one of them; "
          "databases between which nothing runs are compared without --online");
    }
    if (row->kind != "migrate" || row->mode() == MigrateMode::kOffline) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              name,
              " is no online migration of one database: it cannot be "
              "asked for one state of both sides")),
          "leave out --online when nobody writes; of a whole server name one "
          "database and its migration");
    }
    if (row->report.has_value()) {
      return IsDone();
    }
    RETURN_IF_ERROR(ledger.Create());  // Of this version.
    RETURN_IF_ERROR(CheckSource(*row));
    ASSIGN_OR_RETURN(const bool running, ledger.Locked());
    if (!running) {
      return WithHint(absl::FailedPreconditionError(
                          absl::StrCat("no process runs migration ", name)),
                      "start it again with the command that began it, then ask "
                      "once more");
    }
    return CheckFollows(*row);
  }

  absl::Status IsDone() const {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "migration ", options_.endpoints.name,
                        " is done: the target does not follow any more")),
                    "leave out --online, and compare while nobody writes");
  }

  // A role that may not ask for the system identifier is believed.
  absl::Status CheckSource(const LedgerMigration& row) const {
    ASSIGN_OR_RETURN(PgConnection source,
                     connector_.OpenSource("verify", Contact::kFirst));
    const absl::StatusOr<ServerIdentity> identity = IdentifyServer(source);
    if (!identity.ok()) return Annotate(identity.status(), "source");
    const std::string& system = identity->system_identifier;
    if (identity->dbname == row.source_dbname &&
        (system.empty() || system == row.source_system_identifier)) {
      return absl::OkStatus();
    }
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "source: database ", identity->dbname, " at ",
                        identity->address, " is not the one that migration ",
                        options_.endpoints.name, " is of")),
                    "give --source the migration's own");
  }

  absl::Status CheckFollows(const LedgerMigration& row) const {
    // Whoever compares for the cutover asks during it.
    if (row.phase == PhaseName(Phase::kFollow) ||
        row.phase == PhaseName(Phase::kCutover)) {
      return absl::OkStatus();
    }
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat("migration ", options_.endpoints.name,
                         " does not follow now: it is in phase ", row.phase)),
        "ask again when it follows; `walferry status` shows how far it is");
  }

  absl::StatusOr<MetStates> AwaitAnswer(Ledger& ledger,
                                        MeetingRequests& requests) {
    const absl::Time deadline = absl::Now() + options_.wait;
    absl::Time next_sign = absl::Now() + kSignInterval;
    last_seen_ = absl::Now();
    std::string waiting_for;
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<MeetingRequest> request,
                       requests.Find(id_));
      if (!request.has_value()) {
        return absl::UnavailableError(
            "target: the request for one state of both sides is gone: the "
            "migration was cleaned up, or was not heard for long");
      }
      if (request->state == MeetingRequest::State::kMet) return request->met;
      if (request->state == MeetingRequest::State::kFailed) {
        return absl::UnavailableError(absl::StrCat(
            "the migration could not give one state of both sides: ",
            request->failure));
      }
      if (request->waiting_for != waiting_for) {
        waiting_for = request->waiting_for;
        if (options_.on_wait) {
          options_.on_wait(absl::StrCat("waiting for one state of both sides: ",
                                        waiting_for));
        }
      }
      if (absl::Now() >= deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat("the migration gave no state of both sides within ",
                         absl::FormatDuration(options_.wait),
                         waiting_for.empty() ? "" : ": ", waiting_for));
      }
      if (absl::Now() >= next_sign) {
        next_sign = absl::Now() + kSignInterval;
        RETURN_IF_ERROR(requests.Renew(id_));
        RETURN_IF_ERROR(CheckStillRuns(ledger));
      }
      RETURN_IF_ERROR(Sleep());
    }
  }

  // Between two attempts a process holds no lock.
  absl::Status CheckStillRuns(Ledger& ledger) {
    ASSIGN_OR_RETURN(const bool running, ledger.Locked());
    const absl::Time now = absl::Now();
    if (running) last_seen_ = now;
    ASSIGN_OR_RETURN(const std::optional<LedgerMigration> row, ledger.Read());
    if (row.has_value() && row->report.has_value()) return IsDone();
    if (now - last_seen_ <= options_.process_grace) return absl::OkStatus();
    return WithHint(absl::UnavailableError(
                        absl::StrCat("the process that ran migration ",
                                     options_.endpoints.name, " has ended")),
                    "start it again with the command that began it, then ask "
                    "once more");
  }

  absl::Status Sleep() const {
    if (options_.interrupt != nullptr) {
      return options_.interrupt->Sleep(kPollInterval);
    }
    absl::SleepFor(kPollInterval);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<HeldStates>> TakeOverBoth(MetStates met) {
    ASSIGN_OR_RETURN(PgConnection source, connector_.OpenSource("verify"));
    ASSIGN_OR_RETURN(PgConnection target, connector_.OpenTarget("verify"));
    absl::StatusOr<std::string> name = TakeOver(source, met.source_snapshot);
    if (!name.ok()) return NotTakenOver("source", name.status());
    met.source_snapshot = *std::move(name);
    name = TakeOver(target, met.target_snapshot);
    if (!name.ok()) return NotTakenOver("target", name.status());
    met.target_snapshot = *std::move(name);
    met.at = absl::Now();
    return std::make_unique<HeldStates>(std::move(met), std::move(source),
                                        std::move(target));
  }

  static absl::Status NotTakenOver(absl::string_view side,
                                   const absl::Status& why) {
    if (absl::IsCancelled(why)) return why;
    return absl::UnavailableError(absl::StrCat(
        side,
        ": the migration's snapshot cannot be taken over: ", why.message()));
  }

  const AskOptions& options_;
  const Connector connector_;
  const std::string id_;
  bool asked_ = false;
  absl::Time last_seen_;
};

}  // namespace

AskedStates::AskedStates(const AskOptions& options, std::string id,
                         std::unique_ptr<HeldStates> states)
    : endpoints_(options.endpoints),
      id_(std::move(id)),
      states_(std::move(states)),
      over_(options.interrupt),
      interrupt_(options.interrupt) {
  if (options.holds_appliers)
    renewing_ = std::thread([this] { KeepRenewing(); });
}

AskedStates::~AskedStates() {
  interrupt_.Raise();
  {
    const absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  if (renewing_.joinable()) renewing_.join();
  Withdraw(endpoints_, id_);
}

void AskedStates::KeepRenewing() {
  const absl::MutexLock lock(&mutex_);
  while (!ending_ && RenewLocked().ok()) {
    mutex_.AwaitWithTimeout(absl::Condition(&ending_), kHoldInterval);
  }
}

absl::Status AskedStates::Renew() {
  const absl::MutexLock lock(&mutex_);
  return RenewLocked();
}

absl::Duration AskedStates::stood() {
  const absl::MutexLock lock(&mutex_);
  return std::min(absl::Now(), over_at_) - begun_;
}

absl::Status AskedStates::RenewLocked() {
  if (!why_over_.ok()) return why_over_;
  why_over_ = AskLocked();
  if (why_over_.ok() &&
      absl::Now() - begun_ >= kAppliersStand - kLetGoEarlier) {
    why_over_ = absl::UnavailableError(absl::StrCat(
        "changes wait no longer than ", absl::FormatDuration(kAppliersStand)));
  }
  if (why_over_.ok()) return why_over_;
  over_at_ = absl::Now();
  over_.Raise();
  return why_over_;
}

absl::Status AskedStates::AskLocked() {
  if (!session_.has_value()) {
    const Connector connector{.endpoints = endpoints_,
                              .interrupt = &interrupt_};
    ASSIGN_OR_RETURN(PgConnection session, connector.OpenTarget("verify"));
    session_.emplace(std::move(session));
  }
  MeetingRequests requests(*session_, KeyOf(endpoints_));
  RETURN_IF_ERROR(requests.Renew(id_));
  ASSIGN_OR_RETURN(const std::optional<MeetingRequest> request,
                   requests.Find(id_));
  if (request.has_value() && request->state == MeetingRequest::State::kMet) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(
      "changes are applied again",
      request.has_value() ? absl::StrCat(": ", request->failure) : ""));
}

absl::StatusOr<std::unique_ptr<AskedStates>> AskForMeeting(
    const AskOptions& options) {
  Asking asking(options);
  absl::StatusOr<std::unique_ptr<HeldStates>> states = asking.Run();
  if (states.ok()) {
    return std::make_unique<AskedStates>(options, asking.id(),
                                         *std::move(states));
  }
  if (asking.asked()) Withdraw(options.endpoints, asking.id());
  return states.status();
}

}  // namespace walferry
