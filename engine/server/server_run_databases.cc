// The databases: each is created, migrated, and given what is its owner's.

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/delayed_tables.h"
#include "engine/migration.h"
#include "engine/retry_policy.h"
#include "engine/server/create_database.h"
#include "engine/server/database_pool.h"
#include "engine/server/server_run.h"
#include "protocol/status.h"

namespace walferry {

void ServerRun::MoveDatabases() {
  std::vector<std::string> names;
  for (const DatabasePlan& plan : plan_.databases.databases) {
    names.push_back(plan.name);
  }
  const absl::Status entered = Enter(Phase::kCopy);
  if (!entered.ok()) {
    Notify(Notice::Level::kWarning, std::string(entered.message()));
  }
  report_.databases = RunDatabases(
      names,
      {.max_parallel = options_.max_parallel,
       .tick = options_.migrate.stream.poll_interval},
      control_.interrupt(),
      [this](size_t place, EventSink& events) {
        return MoveDatabase(plan_.databases.databases[place], events);
      },
      [&](int64_t done) { ShowLife(done, static_cast<int64_t>(names.size())); },
      events_);
}

void ServerRun::ShowLife(int64_t done, int64_t total) {
  whole_.OnEvent(Progress{.phase = phase_,
                          .items_done = done,
                          .items_total = total,
                          .elapsed = absl::Now() - phase_began_});
  // A session that is lost is opened anew by who needs it.
  session_->Use([](PgConnection&, Ledger& ledger) { return ledger.Beat(); })
      .IgnoreError();
}

absl::StatusOr<Report> ServerRun::MoveDatabase(const DatabasePlan& plan,
                                               EventSink& events) {
  RETURN_IF_ERROR(Persist(events, [&](PgConnection& target, Ledger& ledger) {
    return CreateDatabase(target, ledger, plan);
  }));
  MigrateOptions migrate = options_.migrate;
  ASSIGN_OR_RETURN(migrate.endpoints,
                   DatabaseEndpoints(options_.migrate.endpoints, plan.name));
  migrate.fast_target = false;  // The whole server's is.
  migrate.turns = &turns_;
  migrate.scope.delay_table_data =
      DelayPatternsOf(options_.delay_table_data, plan.name);
  const auto set_properties = [&] {
    return Persist(events, [&](PgConnection& target, Ledger& ledger) {
      return SetProperties(plan, target, ledger);
    });
  };
  // Clients need them.
  migrate.on_usable = set_properties;
  ASSIGN_OR_RETURN(Report report, RunMigration(migrate, control_, events));
  RETURN_IF_ERROR(set_properties());
  return report;
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
