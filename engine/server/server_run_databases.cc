// The databases: each is created, migrated, and given what is its owner's.

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/connect/retry_policy.h"
#include "engine/ledger/joint_cutover.h"
#include "engine/migration/migration.h"
#include "engine/server/create_database.h"
#include "engine/server/database_options.h"
#include "engine/server/database_pool.h"
#include "engine/server/server_run.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How often it is looked whether all databases are to cut over.
constexpr absl::Duration kAskInterval = absl::Milliseconds(200);

}  // namespace

void ServerRun::MoveDatabases() {
  std::vector<std::string> names;
  for (const DatabasePlan& plan : plan_.databases.databases) {
    names.push_back(plan.name);
  }
  const absl::Status entered = Enter(Phase::kCopy);
  if (!entered.ok()) {
    Notify(Notice::Level::kWarning, std::string(entered.message()));
  }
  comparisons_.resize(names.size());
  const absl::Duration beat = options_.migrate.stream.poll_interval;
  if (online()) BeginRound(names);
  report_.databases = RunDatabases(
      names,
      {.max_parallel = plan_.jobs.max_parallel,
       .tick = online() ? std::min(beat, kAskInterval) : beat},
      control_.interrupt(),
      [this](size_t place, EventSink& events) {
        const DatabasePlan& plan = plan_.databases.databases[place];
        absl::StatusOr<Report> report = MoveDatabase(place, plan, events);
        if (online()) round_->End(place, report.status());
        return report;
      },
      [&](int64_t done) { ShowLife(done, static_cast<int64_t>(names.size())); },
      events_);
  for (size_t place = 0; place < comparisons_.size(); ++place) {
    report_.databases[place].comparison = comparisons_[place];
  }
}

void ServerRun::ShowLife(int64_t done, int64_t total) {
  const absl::Time now = absl::Now();
  if (online()) {
    WatchRound();
    if (now < next_life_) return;  // It looks more often.
  }
  next_life_ = now + options_.migrate.stream.poll_interval;
  whole_.OnEvent(Progress{.phase = phase_,
                          .items_done = done,
                          .items_total = total,
                          .elapsed = absl::Now() - phase_began_});
  if (online()) return;  // There it goes with what is waited for.
  // A session that is lost is opened anew by who needs it.
  session_->Use([](PgConnection&, Ledger& ledger) { return ledger.Beat(); })
      .IgnoreError();
}

absl::StatusOr<Report> ServerRun::MoveDatabase(size_t place,
                                               const DatabasePlan& plan,
                                               EventSink& events) {
  RETURN_IF_ERROR(Persist(events, [&](PgConnection& target, Ledger& ledger) {
    return CreateDatabase(target, ledger, plan);
  }));
  ASSIGN_OR_RETURN(MigrateOptions migrate,
                   OptionsOfDatabase(options_, plan_.wanted[place]));
  migrate.turns = &turns_;
  const auto finish = [&] {
    return Persist(events, [&](PgConnection& target, Ledger& ledger) {
      return FinishDatabase(plan, migrate.slot, target, ledger);
    });
  };
  const auto before_usable = [&] {
    return CompareBeforeClients(place, plan, migrate, events);
  };
  migrate.on_usable = [&]() -> absl::Status {
    RETURN_IF_ERROR(EndFastTargetForClients(events));
    return finish();  // Clients need its properties.
  };
  ASSIGN_OR_RETURN(
      Report report,
      online()
          ? RunMigrationWithOthers(migrate, round_->Of(place), control_, events)
          : RunDelayingMigration(migrate, before_usable, control_, events));
  RETURN_IF_ERROR(CompareMoved(place, plan, migrate, events));
  if (online()) {
    comparisons_[place] = report.comparison;
  } else if (options_.compare) {
    if (comparisons_[place].state == report.comparison.state) {
      comparisons_[place].at = report.comparison.at;  // It was settled before.
    }
    report.comparison = comparisons_[place];
  } else if (report.comparison.state == ComparisonResult::State::kComparing) {
    // An earlier run has begun what this one does not end.
    report.comparison = {};
    NoteInItsLedger(migrate, {.begun = report.begun}, events);
  }
  RETURN_IF_ERROR(finish());
  return report;
}

absl::Status ServerRun::FinishDatabase(const DatabasePlan& plan,
                                       const std::string& slot,
                                       PgConnection& target, Ledger& ledger) {
  RETURN_IF_ERROR(SetProperties(plan, target, ledger));
  if (slot.empty()) return absl::OkStatus();
  // A source that is frozen stays so: its writers belong to the target now.
  RETURN_IF_ERROR(ledger.RemoveObject(FreezeNoteOf(plan.name, "")));
  // A slot that is kept is cleanup's to drop.
  if (options_.migrate.keep_slot) return absl::OkStatus();
  return ledger.RemoveObject({.side = Side::kSource,
                              .kind = "slot",
                              .identity = slot,
                              .detail = plan.name});
}

absl::Status ServerRun::Persist(
    EventSink& events,
    absl::FunctionRef<absl::Status(PgConnection& target, Ledger& ledger)>
        work) {
  RetryPolicy retry(options_.migrate.stream.retry_for, control_.interrupt(),
                    events);
  while (true) {
    const absl::Status status = session_->Use(work);
    if (status.ok()) return status;
    RETURN_IF_ERROR(retry.WaitAfter(status));
  }
}

// Once: later they are for whoever works with the target.
absl::Status ServerRun::SetProperties(const DatabasePlan& plan,
                                      PgConnection& target, Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, plan.name));
  const std::string step = PropertiesStep(oid, plan.name);
  ASSIGN_OR_RETURN(const std::vector<std::string> done, ledger.StepsDone());
  if (absl::c_linear_search(done, step)) return absl::OkStatus();
  RETURN_IF_ERROR(SetDatabaseProperties(target, plan));
  return target.Exec(ledger.sql().StepDone(step)).status();
}

}  // namespace walferry
