// Before the databases: what is found out, what is written down, and what
// belongs to none of them.

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/check/check_verdict.h"
#include "engine/connect/name_encoding.h"
#include "engine/connect/server_identity.h"
#include "engine/migration_name.h"
#include "engine/name_some.h"
#include "engine/scope_json.h"
#include "engine/server/carry_out_globals.h"
#include "engine/server/database_options.h"
#include "engine/server/server_run.h"
#include "engine/target/fast_target.h"
#include "protocol/status.h"

namespace walferry {
namespace {

Filter FlagFilter(const char* option, bool set) {
  Filter filter{.option = option};
  if (set) filter.patterns.emplace_back("true");
  return filter;
}

// What a later run must not change. What each database has of its scope, its
// own ledger says (engine/scope_json.h): but a database that this run does not
// come to must be moved like those that are done.
std::vector<Filter> FiltersOf(const ServerMigrateOptions& options) {
  const ScopeOptions& scope = options.migrate.scope;
  return {{"database", options.databases.databases, false},
          {"exclude-database", options.databases.exclude_databases, true},
          {"schema", scope.schemas, false},
          {"exclude-schema", scope.exclude_schemas, true},
          {"table", scope.tables, false},
          {"exclude-table", scope.exclude_tables, true},
          {"exclude-table-data", scope.exclude_table_data, false},
          {"delay-table-data", options.delay_table_data, false},
          FlagFilter("no-globals", !options.globals),
          FlagFilter("no-owner", options.migrate.no_owner),
          FlagFilter("no-acl", options.migrate.no_acl)};
}

// What a later run must not change once roles and tablespaces are there.
std::vector<Filter> GlobalsFiltersOf(const GlobalsPlanOptions& globals) {
  Filter mappings{
      .option = "tablespace-mapping",
      .way_on =
          "tablespaces are made once: CREATE TABLESPACE on the target, "
          "and go on with the same command as before"};
  for (const TablespaceMapping& mapping : globals.tablespaces) {
    mappings.patterns.push_back(absl::StrCat(mapping.from, "=", mapping.to));
  }
  return {std::move(mappings),
          FlagFilter("update-existing", globals.update_existing),
          FlagFilter("no-role-passwords", !globals.passwords)};
}

bool Has(const std::vector<Finding>& findings, const Finding& finding) {
  return absl::c_any_of(findings, [&](const Finding& one) {
    return one.id == finding.id && one.subject == finding.subject &&
           one.text == finding.text;
  });
}

}  // namespace

absl::Status ServerRun::Prepare() {
  ASSIGN_OR_RETURN(session_,
                   ServerSession::Open(connector_, [this](std::string text) {
                     Notify(Notice::Level::kInfo, std::move(text));
                   }));
  // First: whatever fails from here on, the settings are put back.
  RETURN_IF_ERROR(session_->Use([&](PgConnection&, Ledger& ledger) {
    return ReadFastTargetNotes(ledger);
  }));
  // Closed when the databases begin, which count on its place.
  ASSIGN_OR_RETURN(PgConnection source,
                   connector_.OpenSource("migrate", Contact::kFirst));
  RETURN_IF_ERROR(Enter(Phase::kCheck));
  RETURN_IF_ERROR(session_->Use([&](PgConnection& target, Ledger& ledger) {
    return Plan(source, target, ledger);
  }));
  session_->SetClientEncoding(encoding_);
  RETURN_IF_ERROR(StopIfBlocked(plan_.check, options_.migrate.accept));
  TellPlan();
  RETURN_IF_ERROR(session_->Use([&](PgConnection&, Ledger& ledger) {
    return StartLedger(source, ledger);
  }));
  in_ledger_ = true;
  RETURN_IF_ERROR(SettleFastTarget());
  RETURN_IF_ERROR(Enter(Phase::kPrepare));
  return session_->Use([&](PgConnection& target, Ledger& ledger) {
    return BringGlobals(target, ledger);
  });
}

absl::Status ServerRun::ReadFastTargetNotes(Ledger& ledger) {
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  fast_noted_ = HasFastTargetNotes(objects);
  return absl::OkStatus();
}

absl::Status ServerRun::Plan(PgConnection& source, PgConnection& target,
                             Ledger& ledger) {
  RETURN_IF_ERROR(SpeakNameEncoding(source, target));
  encoding_ = NameEncoding(source, target);
  RETURN_IF_ERROR(ReadLedger(source, ledger));
  ASSIGN_OR_RETURN(plan_,
                   PlanServer(options_, progress_, connector_, source, target));
  if (!options_.migrate.fast_target) return absl::OkStatus();
  return CheckFastTarget(target, ledger);
}

absl::Status ServerRun::ReadLedger(PgConnection& source, Ledger& ledger) {
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) return absl::OkStatus();
  RETURN_IF_ERROR(ledger.Create());  // Of another version it is refused.
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
  if (!known) {
    return absl::AbortedError("the migration was cleaned up just now");
  }
  ASSIGN_OR_RETURN(const std::string system, SystemIdentifierOf(source));
  if (!system.empty() && !known->source_system_identifier.empty() &&
      system != known->source_system_identifier) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "source: this is system ", system,
                        ", but the migration was begun with system ",
                        known->source_system_identifier)),
                    "go on with the same --source, or choose another --name");
  }
  if (known->mode() != options_.migrate.mode) {
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat("this migration was begun with --mode ",
                                     online() ? "offline" : "online")),
                    "go on with the same --mode, or choose another --name");
  }
  RETURN_IF_ERROR(CheckFiltersUnchanged(known->scope, FiltersOf(options_)));
  ASSIGN_OR_RETURN(progress_, ReadServerProgress(ledger));
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  for (const LedgerObject& object : objects) {
    if (object.kind != kGlobalsKind || !progress_.globals) continue;
    RETURN_IF_ERROR(CheckFiltersUnchanged(
        object.detail, GlobalsFiltersOf(options_.globals_plan)));
  }
  in_ledger_ = true;
  resumed_ = true;
  RETURN_IF_ERROR(
      ledger.EndOldCutoverRequest("the process that was asked has ended")
          .status());
  return ledger.SetLastError("");
}

void ServerRun::TellPlan() {
  const std::vector<std::string>& accept = options_.migrate.accept;
  TellWarnings(plan_.check.findings, accept, whole_);
  absl::c_move(AcceptedTexts(plan_.check.findings, accept),
               std::back_inserter(report_.remarks));
  report_.left_out = plan_.left_out;
  if (plan_.left_out.empty()) return;
  Notify(Notice::Level::kInfo,
         absl::StrCat("left out: ", NameSome(plan_.left_out)));
}

// From here on there is something that a later run goes on with.
absl::Status ServerRun::StartLedger(PgConnection& source, Ledger& ledger) {
  if (in_ledger_) return NoteDatabases(ledger);
  ASSIGN_OR_RETURN(std::string system, SystemIdentifierOf(source));
  RETURN_IF_ERROR(ledger.Create());
  RETURN_IF_ERROR(ledger.Start(
      {.kind = std::string(kServerKind),
       .phase = std::string(PhaseName(Phase::kCheck)),
       .source_system_identifier = std::move(system),
       .source_dbname = source.dbname(),
       .slot =
           online() ? DefaultObjectName(options_.migrate.endpoints.name) : "",
       .scope = FiltersToJson(FiltersOf(options_))}));
  return NoteDatabases(ledger);
}

absl::Status ServerRun::NoteDatabases(Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::vector<NotedDatabase> noted,
                   NotedDatabases(ledger));
  for (const ServerDatabase& database : plan_.wanted) {
    RETURN_IF_ERROR(ledger.AddObject(
        NoteOf({.name = database.name, .bytes = database.bytes})));
  }
  RETURN_IF_ERROR(NoteSlots(ledger));
  for (const NotedDatabase& database : noted) {
    const bool wanted = absl::c_any_of(
        plan_.wanted,
        [&](const ServerDatabase& one) { return one.name == database.name; });
    if (wanted) continue;
    report_.remarks.push_back(absl::StrCat(
        "database ", database.name,
        " was begun by an earlier run and is not among the source's any more, "
        "or left out: what the target has of it stays as it is"));
    Notify(Notice::Level::kWarning, report_.remarks.back());
  }
  return absl::OkStatus();
}

// Also the whole's ledger knows of them: those of the databases go with
// databases that are dropped, and a slot that nobody knows keeps the source's
// log for ever.
absl::Status ServerRun::NoteSlots(Ledger& ledger) {
  if (!online()) return absl::OkStatus();
  for (const ServerDatabase& database : plan_.wanted) {
    RETURN_IF_ERROR(ledger.AddObject({.side = Side::kSource,
                                      .kind = "slot",
                                      .identity = SlotOf(options_, database),
                                      .detail = database.name}));
  }
  return absl::OkStatus();
}

absl::Status ServerRun::SettleFastTarget() {
  clients_noted_ = absl::c_linear_search(progress_.steps, kUsableStep);
  if (!options_.migrate.fast_target) return EndFastTarget();
  if (clients_noted_) {
    Notify(Notice::Level::kInfo, kNotFastText);
    return EndFastTarget();
  }
  fast_noted_ = true;  // Also if it fails half-way.
  absl::StatusOr<std::vector<std::string>> changed;
  RETURN_IF_ERROR(session_->Use([&](PgConnection& target, Ledger& ledger) {
    changed = BeginFastTarget(target, ledger.sql().key(), {});
    return changed.status();
  }));
  if (changed->empty()) return absl::OkStatus();
  Notify(Notice::Level::kWarning, kFastTargetWarning);
  Notify(Notice::Level::kInfo, absl::StrCat("settings of the target: ",
                                            absl::StrJoin(*changed, ", ")));
  return absl::OkStatus();
}

absl::Status ServerRun::BringGlobals(PgConnection& target, Ledger& ledger) {
  if (!plan_.globals) return absl::OkStatus();
  for (const TablespacePlan& tablespace : plan_.globals->tablespaces) {
    if (tablespace.create.sql.empty()) continue;
    RETURN_IF_ERROR(ledger.AddObject({.side = Side::kTarget,
                                      .kind = std::string(kTablespaceKind),
                                      .identity = tablespace.name}));
  }
  GlobalsReport globals;
  RETURN_IF_ERROR(CarryOutGlobals(target, *plan_.globals,
                                  plan_.rights.superuser, whole_, globals));
  // Some tablespaces may have been skipped.
  ASSIGN_OR_RETURN(plan_.databases,
                   PlanDatabasesAgain(options_, progress_, plan_, target));
  std::vector<Finding> untold;
  for (const Finding& finding : plan_.databases.findings) {
    if (!Has(plan_.check.findings, finding)) untold.push_back(finding);
  }
  TellWarnings(untold, options_.migrate.accept, whole_);
  absl::c_move(AcceptedTexts(untold, options_.migrate.accept),
               std::back_inserter(report_.remarks));
  RETURN_IF_ERROR(StopIfBlocked({.findings = plan_.databases.findings},
                                options_.migrate.accept));
  const auto remark = [this](absl::string_view what,
                             const std::vector<std::string>& names) {
    if (names.empty()) return;
    report_.remarks.push_back(
        absl::StrCat(what, ": ", absl::StrJoin(names, ", ")));
  };
  remark("roles without a password", plan_.globals->roles_without_password);
  std::vector<std::string> skipped = plan_.globals->skipped_tablespaces;
  skipped.insert(skipped.end(), globals.skipped_tablespaces.begin(),
                 globals.skipped_tablespaces.end());
  remark("tablespaces skipped", skipped);
  RETURN_IF_ERROR(ledger.AddObject(
      {.side = Side::kTarget,
       .kind = std::string(kGlobalsKind),
       .identity = "options",
       .detail = FiltersToJson(GlobalsFiltersOf(options_.globals_plan))}));
  return target.Exec(ledger.sql().StepDone(kGlobalsStep)).status();
}

}  // namespace walferry
