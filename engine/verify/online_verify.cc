#include "engine/verify/online_verify.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/connect/connect.h"
#include "engine/ledger/ledger.h"
#include "engine/migration_name.h"
#include "engine/scope_json.h"
#include "engine/stream/meeting_request.h"
#include "engine/verify/online_pair.h"
#include "engine/verify/online_repair.h"
#include "engine/verify/run_repair.h"
#include "protocol/status.h"

namespace walferry {
namespace {

void Append(const std::vector<std::string>& more,
            std::vector<std::string>& patterns) {
  patterns.insert(patterns.end(), more.begin(), more.end());
}

// What both take part in.
absl::StatusOr<ScopeOptions> ScopeWithin(ScopeOptions migration,
                                         const ScopeOptions& asked,
                                         const std::string& name) {
  const auto chooses = [](const ScopeOptions& scope) {
    return !scope.schemas.empty() || !scope.tables.empty();
  };
  if (chooses(asked) && chooses(migration)) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "migration ", name, " was begun with ", ScopeText(migration),
            ": --schema and --table cannot choose among that")),
        "leave them out, or leave tables out with --exclude-schema and "
        "--exclude-table");
  }
  if (chooses(asked)) {
    migration.schemas = asked.schemas;
    migration.tables = asked.tables;
  }
  Append(asked.exclude_schemas, migration.exclude_schemas);
  Append(asked.exclude_tables, migration.exclude_tables);
  Append(asked.exclude_table_data, migration.exclude_table_data);
  return migration;
}

// The migration's row, if there is one: what is missing is told by who asks it
// for a meeting.
absl::StatusOr<std::optional<LedgerMigration>> ReadMigration(
    const VerifyOptions& options, const Control& control) {
  const Connector connector{.endpoints = options.endpoints,
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("verify", Contact::kFirst));
  Ledger ledger(target, {.schema = options.endpoints.ledger_schema,
                         .migration = options.endpoints.name});
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) return std::nullopt;
  return ledger.Read();
}

MeetFunction MeetOverLedger(const VerifyOptions& options,
                            const Control& control, EventSink& events) {
  return [&options, &control,
          &events]() -> absl::StatusOr<std::unique_ptr<HeldStates>> {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<AskedStates> asked,
        AskForMeeting(AskingFor(options.endpoints, control, events)));
    return asked->TakeStates();
  };
}

absl::StatusOr<VerifyReport> CompareOrRepair(const VerifyOptions& options,
                                             Control& control,
                                             EventSink& events) {
  const MeetFunction meet = MeetOverLedger(options, control, events);
  if (options.repair != RepairMode::kNo) {
    OnlineGround ground(options, meet, control, events);
    return RunRepair(options, ground, control, events);
  }
  ASSIGN_OR_RETURN(
      const std::unique_ptr<OnlinePair> pair,
      OnlinePair::Create(options.endpoints, meet, options.max_snapshot_age));
  return VerifySnapshots(options, *pair, control, events);
}

}  // namespace

absl::StatusOr<VerifyReport> VerifyOnline(const VerifyOptions& options,
                                          Control& control, EventSink& events) {
  RETURN_IF_ERROR(CheckMigrationName(options.endpoints.name));
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> row,
                   ReadMigration(options, control));
  VerifyOptions narrowed = options;
  std::string filters;
  if (row.has_value() && row->kind == "migrate") {
    ASSIGN_OR_RETURN(ScopeOptions scope, ScopeFromJson(row->scope));
    filters = ScopeText(scope);
    ASSIGN_OR_RETURN(
        narrowed.scope,
        ScopeWithin(std::move(scope), options.scope, options.endpoints.name));
    narrowed.triggers_come_later = row->defer_triggers;
  }
  ASSIGN_OR_RETURN(VerifyReport report,
                   CompareOrRepair(narrowed, control, events));
  if (!filters.empty()) {
    report.remarks.push_back(absl::StrCat(
        "what the migration leaves out is not compared: it was begun with ",
        filters));
  }
  return report;
}

}  // namespace walferry
