// RunServerStatus, RunServerCutover and RunServerCleanup: a move of all
// databases, as another process finds it.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/connect/connect.h"
#include "engine/connect/server_identity.h"
#include "engine/cutover/created_objects.h"
#include "engine/cutover/quiet_source.h"
#include "engine/ledger/ledger_time.h"
#include "engine/migration/migration.h"
#include "engine/migration_name.h"
#include "engine/server/server_ledger.h"
#include "engine/server/servers.h"
#include "engine/target/fast_target.h"
#include "protocol/status.h"

namespace walferry {
namespace {

DatabaseStatus StatusOf(const MigrationStatus& migration) {
  DatabaseStatus status{.phase = migration.phase,
                        .running = migration.running,
                        .usable = migration.usable,
                        .tables = static_cast<int64_t>(migration.tables.size()),
                        .steps_done = migration.steps_done,
                        .steps_total = migration.steps_total,
                        .bytes_total = 0,
                        .bytes_per_second = migration.bytes_per_second,
                        .waiting_for = migration.waiting_for,
                        .last_error = migration.last_error};
  if (migration.phase == PhaseName(Phase::kFollow) ||
      migration.phase == PhaseName(Phase::kCutover)) {
    status.lag_bytes = migration.lag_bytes;
    status.lag_seconds = migration.lag_seconds;
  }
  for (const TableStatus& table : migration.tables) {
    status.bytes += table.bytes;
    status.bytes_total += table.bytes_total;
    if (table.state == "copied") ++status.tables_copied;
  }
  return status;
}

// What its own ledger says, which is as true as the database is there.
// Without its properties, of which `steps` of the whole's ledger say, or its
// comparison, which `objects` tell of, it is not done.
absl::StatusOr<DatabaseStatus> ReadDatabase(
    PgConnection& target, const StatusOptions& options,
    const NotedDatabase& noted, const std::vector<std::string>& steps,
    const std::vector<LedgerObject>& objects, Control& control) {
  DatabaseStatus waiting{.phase = "waiting", .bytes_total = noted.bytes};
  ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, noted.name));
  if (oid.empty()) return waiting;
  StatusOptions of_database = options;
  ASSIGN_OR_RETURN(of_database.target,
                   ConnInfoOfDatabase(options.target, noted.name));
  const absl::StatusOr<MigrationStatus> status =
      RunStatus(of_database, control);
  if (status.ok()) {
    DatabaseStatus found = StatusOf(*status);
    found.comparison = KnownComparison(
        objects, noted.name, ComparedDatabase(oid, status->started_at));
    using State = ComparisonResult::State;
    // Offline the whole's notes say what is to be said, but for the time.
    const bool online = !status->slot.empty();
    if (online || found.comparison.state == status->comparison.state) {
      found.comparison = status->comparison;
    }
    const bool has_properties =
        absl::c_linear_search(steps, PropertiesStep(oid, noted.name));
    if (found.phase == PhaseName(Phase::kDone) && !has_properties) {
      found.usable = false;
    }
    if (!online && found.phase == PhaseName(Phase::kDone) &&
        (found.comparison.state == State::kComparing ||
         found.comparison.state == State::kUnknown)) {
      found.phase = std::string(PhaseName(Phase::kVerify));
    } else if (found.phase == PhaseName(Phase::kDone) && !has_properties) {
      found.phase = std::string(
          PhaseName(status->slot.empty() ? Phase::kIndexes : Phase::kCutover));
    }
    return found;
  }
  if (absl::IsCancelled(status.status())) return status.status();
  if (!absl::IsNotFound(status.status())) {
    waiting.last_error = std::string(status.status().message());
  }
  return waiting;
}

// Its ledger, and with it what it knows of the source, is there.
absl::StatusOr<bool> HasLedger(const Endpoints& of_database, Control& control) {
  const Connector connector{.endpoints = of_database,
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target, connector.OpenTarget("cleanup"));
  return Ledger(target, {.schema = of_database.ledger_schema,
                         .migration = of_database.name})
      .Exists();
}

absl::StatusOr<bool> IsThere(PgConnection& source, absl::string_view catalog,
                             absl::string_view column,
                             absl::string_view value) {
  ASSIGN_OR_RETURN(const std::string there,
                   source.QueryValue(absl::StrCat(
                       "SELECT EXISTS (SELECT FROM pg_catalog.", catalog,
                       " WHERE ", column, " = ", QuoteLiteral(value), ")")));
  return there == "t";
}

absl::Status CheckSameSystem(PgConnection& source, Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
  ASSIGN_OR_RETURN(const std::string system, SystemIdentifierOf(source));
  if (!known || system.empty() || known->source_system_identifier.empty() ||
      system == known->source_system_identifier) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("source: this is system ", system,
                   ", but the migration was begun with system ",
                   known->source_system_identifier));
}

absl::Status DropSlot(const CleanupOptions& options, const LedgerObject& slot,
                      PgConnection& source, PgConnection& target,
                      const Interrupt& interrupt) {
  if (options.force) {
    RETURN_IF_ERROR(EndWalsender(source, slot.identity, interrupt));
    return DropObject(slot, source, target);
  }
  const absl::Status dropped = DropObject(slot, source, target);
  if (dropped.ok()) return dropped;
  return WithHint(dropped,
                  "if a walsender still holds the slot, `walferry cleanup "
                  "--force` ends it");
}

// What a database of the target that is gone, or was replaced, has left on the
// source, where nobody else knows of it. Each part may be gone already.
absl::Status DropLeftOnSource(const CleanupOptions& options, Ledger& ledger,
                              PgConnection& target, const std::string& database,
                              const std::vector<LedgerObject>& notes,
                              Control& control,
                              std::vector<std::string>& done) {
  Connector connector{.endpoints = options.endpoints,
                      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection any, connector.OpenSource("cleanup"));
  RETURN_IF_ERROR(CheckSameSystem(any, ledger));
  ASSIGN_OR_RETURN(const bool exists,
                   IsThere(any, "pg_database", "datname", database));
  if (!exists) return absl::OkStatus();
  ASSIGN_OR_RETURN(connector.endpoints,
                   DatabaseEndpoints(options.endpoints, database));
  ASSIGN_OR_RETURN(PgConnection source, connector.OpenSource("cleanup"));
  const auto tell = [&](absl::string_view what) {
    done.push_back(absl::StrCat("database ", database, ": source: ", what));
  };
  // First: a source that stays read-only is the worst of it.
  for (const LedgerObject& note : notes) {
    if (note.kind != kFreezeKind) continue;
    RETURN_IF_ERROR(UnfreezeDatabase(source, note.detail));
    tell("setting default_transaction_read_only put back");
  }
  for (const LedgerObject& note : notes) {
    if (note.kind != "slot") continue;
    ASSIGN_OR_RETURN(const bool there, IsThere(source, "pg_replication_slots",
                                               "slot_name", note.identity));
    if (!there) continue;
    RETURN_IF_ERROR(
        DropSlot(options, note, source, target, control.interrupt()));
    tell(absl::StrCat("slot ", note.identity, " dropped"));
  }
  const std::string publication = DefaultObjectName(options.endpoints.name);
  ASSIGN_OR_RETURN(const bool published,
                   IsThere(source, "pg_publication", "pubname", publication));
  if (!published) return absl::OkStatus();
  RETURN_IF_ERROR(DropObject(
      {.side = Side::kSource, .kind = "publication", .identity = publication},
      source, target));
  tell(absl::StrCat("publication ", publication, " dropped"));
  return absl::OkStatus();
}

// The whole's notes of what databases have on the source, by database.
std::map<std::string, std::vector<LedgerObject>> NotesOfSource(
    const std::vector<LedgerObject>& objects) {
  std::map<std::string, std::vector<LedgerObject>> notes;
  for (const LedgerObject& object : objects) {
    if (object.kind == "slot") notes[object.detail].push_back(object);
    if (object.kind == kFreezeKind) notes[object.identity].push_back(object);
  }
  return notes;
}

Endpoints EndpointsOf(const StatusOptions& options) {
  return {.source = "",
          .target = options.target,
          .name = options.name,
          .ledger_schema = options.ledger_schema};
}

}  // namespace

absl::StatusOr<std::optional<ServerStatus>> RunServerStatus(
    const StatusOptions& options, Control& control) {
  const Connector connector{.endpoints = ServerEndpoints(EndpointsOf(options)),
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("status", Contact::kFirst));
  Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                         .migration = connector.endpoints.name});
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) return std::optional<ServerStatus>();
  ServerStatus status{.name = options.name};
  ASSIGN_OR_RETURN(status.running, ledger.Locked());
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> row, ledger.Read());
  if (!row) return std::optional<ServerStatus>();
  status.phase = row->phase;
  status.last_error = row->last_error;
  if (status.running) status.waiting_for = row->heartbeat.waiting_for;
  ASSIGN_OR_RETURN(const auto started_at, LedgerTime(row->started_at));
  status.started_at = started_at.value_or(absl::UnixEpoch());
  ASSIGN_OR_RETURN(status.heartbeat_at, LedgerTime(row->heartbeat_at));
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  status.fast_target = HasFastTargetNotes(objects);
  ASSIGN_OR_RETURN(const std::vector<NotedDatabase> databases,
                   NotedDatabases(ledger));
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  for (const NotedDatabase& noted : databases) {
    ASSIGN_OR_RETURN(
        DatabaseStatus database,
        ReadDatabase(target, options, noted, steps, objects, control));
    database.database = noted.name;
    database.running |=
        status.running &&
        database.comparison.state == ComparisonResult::State::kComparing;
    status.databases.push_back(std::move(database));
  }
  return std::optional<ServerStatus>(std::move(status));
}

absl::StatusOr<Report> RunServerCutover(const CutoverOptions& options,
                                        Control& control, EventSink& events) {
  const Connector connector{
      .endpoints = ServerEndpoints({.source = "",
                                    .target = options.target,
                                    .name = options.name,
                                    .ledger_schema = options.ledger_schema}),
      .interrupt = &control.interrupt()};
  CutoverOptions of_whole = options;
  {
    ASSIGN_OR_RETURN(PgConnection target,
                     connector.OpenTarget("cutover", Contact::kFirst));
    Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                           .migration = connector.endpoints.name});
    ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
    if (exists) of_whole.name = connector.endpoints.name;
  }
  return RunCutover(of_whole, control, events);
}

absl::StatusOr<std::vector<std::string>> RunServerCleanup(
    const CleanupOptions& options, Control& control) {
  RETURN_IF_ERROR(CheckMigrationName(options.endpoints.name));
  const Connector connector{.endpoints = ServerEndpoints(options.endpoints),
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("cleanup", Contact::kFirst));
  Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                         .migration = connector.endpoints.name});
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) return RunCleanup(options, control);
  RETURN_IF_ERROR(ledger.Create());
  RETURN_IF_ERROR(
      ledger.Lock(options.force ? absl::Seconds(5) : absl::ZeroDuration()));
  std::vector<std::string> done;
  // First, as it does not depend on the source.
  ASSIGN_OR_RETURN(const std::vector<std::string> settings,
                   EndFastTarget(connector));
  for (const std::string& name : settings) {
    done.push_back(absl::StrCat("target: setting ", name, " put back"));
  }
  ASSIGN_OR_RETURN(const std::vector<NotedDatabase> databases,
                   NotedDatabases(ledger));
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  auto notes = NotesOfSource(objects);
  for (const NotedDatabase& database : databases) {
    ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, database.name));
    if (oid.empty()) continue;
    CleanupOptions of_database = options;
    ASSIGN_OR_RETURN(of_database.endpoints,
                     DatabaseEndpoints(options.endpoints, database.name));
    ASSIGN_OR_RETURN(const bool known,
                     HasLedger(of_database.endpoints, control));
    const absl::StatusOr<std::vector<std::string>> lines =
        RunCleanup(of_database, control);
    const std::string subject = absl::StrCat("database ", database.name);
    if (!lines.ok()) return Annotate(lines.status(), subject);
    for (const std::string& line : *lines) {
      done.push_back(absl::StrCat(subject, ": ", line));
    }
    // It has undone what there was.
    if (known) notes.erase(database.name);
  }
  absl::Status failed;
  for (const auto& [database, of_database] : notes) {
    const absl::Status dropped = DropLeftOnSource(
        options, ledger, target, database, of_database, control, done);
    failed.Update(Annotate(dropped, absl::StrCat("database ", database)));
  }
  // What is still there stays noted; all else is found gone by the next one.
  RETURN_IF_ERROR(failed);
  RETURN_IF_ERROR(ledger.Forget());
  done.push_back(absl::StrCat("target: ledger of migration ",
                              connector.endpoints.name, " forgotten"));
  return done;
}

}  // namespace walferry
