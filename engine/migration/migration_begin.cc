// The beginning of an attempt: connections, the ledger, and on the first run
// the checks.

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/catalog/publication.h"
#include "engine/check/check.h"
#include "engine/check/check_verdict.h"
#include "engine/connect/name_encoding.h"
#include "engine/ledger/same_source.h"
#include "engine/migration/migration_run.h"
#include "engine/migration_name.h"
#include "engine/scope_json.h"
#include "engine/target/fast_target.h"
#include "engine/target/recreate_database.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kLockWait = absl::Seconds(30);

}  // namespace

absl::Status MigrationRun::Connect() {
  ASSIGN_OR_RETURN(source_, connector_.OpenSource("migrate", contact_));
  ASSIGN_OR_RETURN(target_, connector_.OpenTarget("ledger", contact_));
  contact_ = Contact::kAgain;
  RETURN_IF_ERROR(SpeakNameEncoding(*source_, *target_));
  encoding_ = source_->parameter("server_encoding");
  ledger_.emplace(*target_,
                  LedgerKey{.schema = options_.endpoints.ledger_schema,
                            .migration = options_.endpoints.name});
  // By doing: what a role may set differs from service to service.
  const absl::Status replica =
      target_
          ->Exec(
              "BEGIN; SET LOCAL session_replication_role = replica; "
              "ROLLBACK")
          .status();
  if (!replica.ok()) {
    RETURN_IF_ERROR(target_->Exec("ROLLBACK").status());
  }
  may_guard_ = replica.ok();
  return absl::OkStatus();
}

absl::Status MigrationRun::LockLedger() {
  const absl::Status locked =
      ledger_->Lock(kLockWait, [this](std::string text) {
        Notify(Notice::Level::kInfo, std::move(text));
      });
  of_another_ = !locked.ok();
  return locked;
}

// An earlier process was asked, and whoever asked has not said for a minute
// that he still waits.
absl::Status MigrationRun::WithdrawOldRequest() {
  if (sought_old_request_) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const bool withdrawn,
      ledger_->EndOldCutoverRequest("the process that was asked has ended"));
  sought_old_request_ = true;
  if (withdrawn) {
    Notify(Notice::Level::kInfo,
           "a cutover that an earlier run was asked for is not made: ask "
           "again");
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::FindTools() {
  if (!carries_schema()) return absl::OkStatus();
  ASSIGN_OR_RETURN(tools_, FindPgTools(
                               {
                                   .pg_dump = options_.pg_dump,
                                   .source_version = source_->server_version(),
                                   .target_version = target_->server_version(),
                                   .interrupt = &control_.interrupt(),
                               },
                               PgToolDirectories()));
  return absl::OkStatus();
}

absl::Status MigrationRun::Begin() {
  RETURN_IF_ERROR(FindTools());
  ASSIGN_OR_RETURN(in_ledger_, ledger_->Exists());
  // Once; and beside one, no database is dropped.
  if (!known_ && (!options_.drop_target_first || in_ledger_)) {
    ASSIGN_OR_RETURN(std::string left_over, LeftOverOf(*target_));
    if (!left_over.empty()) {
      Notify(Notice::Level::kWarning, std::move(left_over));
    }
  }
  if (!in_ledger_) {
    RETURN_IF_ERROR(options_.drop_target_first && !replaced_ ? ReplaceTarget()
                                                             : RunChecks());
    return StartLedger();
  }
  RETURN_IF_ERROR(ledger_->Create());
  RETURN_IF_ERROR(LockLedger());
  ASSIGN_OR_RETURN(known_, ledger_->Read());
  if (!known_) {
    return absl::AbortedError("the migration was cleaned up just now");
  }
  consistent_point_ = known_->consistent_point;
  if (known_->kind != "migrate") {
    return WithHint(absl::AlreadyExistsError(absl::StrCat(
                        "the name ", options_.endpoints.name,
                        " is taken by a follow of slot ", known_->slot)),
                    "choose another --name");
  }
  if (known_->mode() != options_.mode) {
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat("this migration was begun with --mode ",
                                     offline() ? "online" : "offline")),
                    "go on with the same --mode, or choose another --name");
  }
  if (known_->slot != slot_ || known_->publications != Publications()) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "this migration was begun with slot ", known_->slot,
            " and publication ", absl::StrJoin(known_->publications, ", "))),
        "go on with the same --slot and --publication");
  }
  RETURN_IF_ERROR(CheckSameSource(connector_, *known_));
  RETURN_IF_ERROR(CheckScopeUnchanged(known_->scope, scope_.options()));
  // Not before: that another migration is done says nothing of this one.
  if (known_->phase == PhaseName(Phase::kDone)) {
    phase_ = Phase::kDone;
    // Who has a copy replaced now and then must not take the old one for it.
    if (options_.drop_target_first && !went_on_) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              "this migration is done: database ", target_->dbname(),
              " is what it has made, and is not dropped")),
          "`walferry cleanup` forgets it; then the same command drops the "
          "database and begins anew");
    }
    ASSIGN_OR_RETURN(report_, ledger_->ReportOf(*known_));
    report_.remarks.push_back(NameCommands(
        "this is what an earlier run has done, and nothing was done now; "
        "`walferry cleanup` forgets it",
        options_.endpoints.name));
    Notify(Notice::Level::kInfo,
           "this migration is done; `walferry cleanup` forgets it");
    return absl::OkStatus();
  }
  if (options_.drop_target_first && !replaced_) {
    Notify(Notice::Level::kInfo,
           absl::StrCat("database ", target_->dbname(),
                        " is not dropped: this migration has begun in it; "
                        "`walferry cleanup` forgets that"));
  }
  went_on_ = true;
  // Until then nothing holds on to what an earlier run's checks have found.
  if (!consistent_point_.valid() && !checked_) RETURN_IF_ERROR(RunChecks());
  RETURN_IF_ERROR(WithdrawOldRequest());
  return ledger_->SetLastError("");
}

// Nothing is created before these have passed.
absl::Status MigrationRun::RunChecks() {
  RETURN_IF_ERROR(Enter(Phase::kCheck));
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(*source_, scope_));
  ASSIGN_OR_RETURN(
      const CheckReport report,
      CheckOpeningWalsender(
          options_, catalog, connector_,
          {.source = &*source_, .target = &*target_, .resuming = in_ledger_}));
  if (options_.fast_target)
    RETURN_IF_ERROR(CheckFastTarget(*target_, *ledger_));
  TellWarnings(report.findings, options_.accept, events_);
  RETURN_IF_ERROR(StopIfBlocked(report, options_.accept));
  for (std::string& text : AcceptedTexts(report.findings, options_.accept)) {
    if (absl::c_linear_search(report_.remarks, text)) continue;
    report_.remarks.push_back(std::move(text));
  }
  if (!options_.publication.empty()) {
    RETURN_IF_ERROR(
        CheckPublicationCovers(*source_, publication_, catalog.tables));
  }
  checked_ = true;
  return absl::OkStatus();
}

absl::Status MigrationRun::StartLedger() {
  ASSIGN_OR_RETURN(const SourceIdentity identity,
                   IdentifySource(connector_, options_.mode));
  RETURN_IF_ERROR(ledger_->Create());
  RETURN_IF_ERROR(LockLedger());
  RETURN_IF_ERROR(
      ledger_->Start({.kind = "migrate",
                      .phase = std::string(PhaseName(Phase::kPrepare)),
                      .source_system_identifier = identity.system_identifier,
                      .source_dbname = identity.dbname,
                      .slot = slot_,
                      .publications = Publications(),
                      .scope = ScopeToJson(scope_.options()),
                      .defer_triggers = !may_guard_}));
  in_ledger_ = true;
  went_on_ = true;
  began_ = true;
  sought_old_request_ = true;  // There is no earlier process.
  ASSIGN_OR_RETURN(known_, ledger_->Read());
  return absl::OkStatus();
}

}  // namespace walferry
