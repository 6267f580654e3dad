// RunServerMigration and RunServerCheck: every database of a server.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/connect/name_encoding.h"
#include "engine/migration_name.h"
#include "engine/server/check_databases.h"
#include "engine/server/server_run.h"
#include "engine/server/servers.h"
#include "engine/target/fast_target.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status RefuseBadOptions(const ServerMigrateOptions& options) {
  RETURN_IF_ERROR(CheckMigrationName(options.migrate.endpoints.name));
  const MigrateOptions& migrate = options.migrate;
  MigrateOptions of_one = migrate;
  of_one.scope.delay_table_data = options.delay_table_data;
  RETURN_IF_ERROR(CheckMayDelay(of_one));
  RETURN_IF_ERROR(CheckDelayPatterns(options.delay_table_data));
  if (migrate.mode == MigrateMode::kOffline) return absl::OkStatus();
  if (options.compare) {
    return absl::InvalidArgumentError(
        "databases are compared by an offline run only");
  }
  if (migrate.fast_target) {
    return absl::InvalidArgumentError(
        "the settings of a target are changed for an offline run only");
  }
  if (!migrate.slot.empty() || !migrate.publication.empty()) {
    return absl::InvalidArgumentError(
        "every database of a server has a slot and a publication of its own");
  }
  return absl::OkStatus();
}

// See --max-parallel: online, all are worked on at once, and only what loads
// the servers is counted.
int TurnsOf(const ServerMigrateOptions& options, int wanted) {
  return options.migrate.mode == MigrateMode::kOnline
             ? std::min(wanted, options.max_parallel)
             : wanted;
}

// Without looking into any database. Its sessions end with it, as those of the
// databases take their places.
absl::StatusOr<ServerPlan> CheckServers(const ServerMigrateOptions& options,
                                        const Connector& connector) {
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("check", Contact::kFirst));
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("check", Contact::kFirst));
  RETURN_IF_ERROR(SpeakNameEncoding(source, target));
  Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                         .migration = connector.endpoints.name});
  ServerProgress progress;
  ASSIGN_OR_RETURN(const bool begun, ledger.Exists());
  if (begun) {
    ASSIGN_OR_RETURN(progress, ReadServerProgress(ledger));
  }
  ASSIGN_OR_RETURN(ServerPlan plan,
                   PlanServer(options, progress, connector, source, target));
  RETURN_IF_ERROR(CheckBothServers(options, source, target, plan.check));
  if (options.migrate.fast_target) {
    RETURN_IF_ERROR(CheckFastTarget(target, ledger));
  }
  return plan;
}

}  // namespace

absl::StatusOr<ServerReport> RunServerMigration(
    const ServerMigrateOptions& options, Control& control,
    ServerEventSink& events) {
  RETURN_IF_ERROR(RefuseBadOptions(options));
  return ServerRun(options, control, events).Run();
}

absl::StatusOr<CheckReport> RunServerCheck(const ServerMigrateOptions& options,
                                           Control& control) {
  RETURN_IF_ERROR(RefuseBadOptions(options));
  const Connector connector{
      .endpoints = ServerEndpoints(options.migrate.endpoints),
      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(ServerPlan plan, CheckServers(options, connector));
  RETURN_IF_ERROR(CheckDatabases(options, connector, plan));
  return std::move(plan.check);
}

ServerRun::ServerRun(const ServerMigrateOptions& options, Control& control,
                     ServerEventSink& events)
    : options_(options),
      asked_(control),
      control_(online() ? relayed_ : control),
      events_(events),
      whole_("", events_),
      connector_{.endpoints = ServerEndpoints(options.migrate.endpoints),
                 .interrupt = &control_.interrupt()},
      turns_(TurnsOf(options, options.dump_parallel),
             TurnsOf(options, options.restore_parallel),
             options.verify_concurrency),
      relay_(asked_, relayed_) {
  report_.name = options.migrate.endpoints.name;
  report_.online = online();
}

absl::StatusOr<ServerReport> ServerRun::Run() {
  const absl::Status prepared = Prepare();
  if (!prepared.ok()) return FailBeforeDatabases(prepared);
  MoveDatabases();
  Finish();
  return std::move(report_);
}

absl::StatusOr<ServerReport> ServerRun::FailBeforeDatabases(
    const absl::Status& status) {
  NoteError(status);
  const absl::Status put_back = EndFastTarget();
  if (!put_back.ok()) {
    Notify(Notice::Level::kWarning,
           absl::StrCat(put_back.message(), "; ", HintOf(put_back)));
  }
  whole_.OnEvent(Failed{.phase = phase_, .status = status});
  return status;
}

void ServerRun::Finish() {
  report_.failure = EndFastTarget();
  report_.pause = PauseOf(report_);
  report_.elapsed = absl::Now() - started_;  // It is stored.
  if (OutcomeOf(report_).ok()) report_.failure = StoreReport();
  if (OutcomeOf(report_).ok()) report_.failure = Enter(Phase::kDone);
  const absl::Status outcome = OutcomeOf(report_);
  if (outcome.ok()) {
    whole_.OnEvent(Done{TotalOf(report_)});
    return;
  }
  NoteError(outcome);
  whole_.OnEvent(Failed{.phase = phase_, .status = outcome});
}

absl::Status ServerRun::EndFastTarget() {
  if (!fast_noted_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   walferry::EndFastTarget(connector_));
  fast_noted_ = false;
  if (!names.empty()) {
    Notify(Notice::Level::kInfo,
           absl::StrCat("the target's settings are what they were: ",
                        absl::StrJoin(names, ", ")));
  }
  return absl::OkStatus();
}

// Clients must not write to a target that can lose all of it. The settings are
// those of the whole server, so that from here on all databases go without; by
// the note also in every later run.
absl::Status ServerRun::EndFastTargetForClients(EventSink& events) {
  absl::MutexLock lock(&clients_mutex_);
  if (!clients_noted_) {
    RETURN_IF_ERROR(Persist(
        events, [](PgConnection& target, Ledger& ledger) -> absl::Status {
          ASSIGN_OR_RETURN(const std::vector<std::string> done,
                           ledger.StepsDone());
          if (absl::c_linear_search(done, kUsableStep)) return absl::OkStatus();
          return target.Exec(ledger.sql().StepDone(kUsableStep)).status();
        }));
    clients_noted_ = true;
  }
  return EndFastTarget();
}

absl::Status ServerRun::Enter(Phase phase) {
  const absl::Time now = absl::Now();
  if (in_phase_) {
    whole_.OnEvent(
        PhaseFinished{.phase = phase_, .duration = now - phase_began_});
  }
  phase_ = phase;
  phase_began_ = now;
  in_phase_ = true;
  if (in_ledger_) {
    const auto note = [&](PgConnection&, Ledger& ledger) {
      return ledger.SetPhase(PhaseName(phase));
    };
    // Who waits for a cutover sees it by this; other phases are noted again.
    RETURN_IF_ERROR(phase == Phase::kDone ? Persist(whole_, note)
                                          : session_->Use(note));
  }
  whole_.OnEvent(PhaseStarted{.phase = phase, .resumed = resumed_});
  return absl::OkStatus();
}

void ServerRun::Notify(Notice::Level level, std::string text) {
  whole_.OnEvent(Notice{.level = level, .text = std::move(text)});
}

// The error itself is what matters; the note is for `walferry status`.
void ServerRun::NoteError(const absl::Status& status) {
  if (!in_ledger_) return;
  session_
      ->Use([&](PgConnection&, Ledger& ledger) {
        return ledger.SetLastError(status.message());
      })
      .IgnoreError();
}

}  // namespace walferry
