#include "engine/archive/archive_migration.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/archive_parts.h"
#include "engine/archive/archive_phase.h"
#include "engine/archive/archives.h"
#include "engine/archive/target_database.h"
#include "engine/check/check_verdict.h"
#include "engine/connect/connect.h"
#include "engine/connect/server_identity.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_content.h"
#include "engine/migration/migration.h"
#include "engine/name_some.h"
#include "engine/target/drop_permit.h"
#include "engine/target/recreate_database.h"
#include "engine/time_text.h"
#include "protocol/status.h"

namespace walferry {
namespace {

class ArchiveMigration {
 public:
  ArchiveMigration(const ArchiveMigrationOptions& options, Control& control,
                   EventSink& events)
      : options_(options),
        migrate_(options.migrate),
        control_(control),
        events_(events),
        connector_{.endpoints = migrate_.endpoints,
                   .interrupt = &control.interrupt()} {}

  absl::StatusOr<ArchiveMigrationReport> Run() {
    const absl::Time started = absl::Now();
    RETURN_IF_ERROR(InPhase(Phase::kCheck, events_, [&] { return Check(); }));
    if (options_.input.empty()) {
      ASSIGN_OR_RETURN(const DumpReport dumped,
                       RunDump(Dump(), control_, events_));
      archive_ = dumped.path;
      facts_ = dumped.facts;
      events_.OnEvent(Notice{.text = absl::StrCat("dumped to ", archive_)});
    }
    absl::StatusOr<RestoreReport> restored =
        RunRestore(Restore(), control_, events_);
    if (!restored.ok()) return Explained(restored.status());
    ArchiveMigrationReport done{
        .report = {.name = migrate_.endpoints.name, .offline = true},
        .errors = std::move(restored->errors)};
    done.report.elapsed = absl::Now() - started;
    done.report.remarks = Remarks(done.errors);
    for (const std::string& text : accepted_) {
      done.report.remarks.push_back(text);
    }
    return done;
  }

 private:
  absl::Status Check() {
    ASSIGN_OR_RETURN(const CheckReport report,
                     RunCheck({.migrate = migrate_}, control_));
    TellWarnings(report.findings, migrate_.accept, events_);
    accepted_ = AcceptedTexts(report.findings, migrate_.accept);
    RETURN_IF_ERROR(StopIfBlocked(report, migrate_.accept));
    TellOfPublications(report);
    RETURN_IF_ERROR(CheckTarget());
    return options_.input.empty() ? absl::OkStatus() : CheckInput();
  }

  // They are in the archive, unless it is a script. That subscriptions stay
  // behind is a warning, and told.
  void TellOfPublications(const CheckReport& report) {
    for (const Finding& finding : report.findings) {
      if (finding.id != "other-publication") continue;
      events_.OnEvent(Notice{.text = finding.text});
    }
  }

  // The restore asks all this, too, but only after hours of dump.
  absl::Status CheckTarget() {
    ASSIGN_OR_RETURN(PgConnection target, connector_.OpenTarget("check"));
    if (!migrate_.drop_target_first) return CheckEmpty(target);
    RETURN_IF_ERROR(CheckNotBegun(target));
    ASSIGN_OR_RETURN(PgConnection source, connector_.OpenSource("check"));
    ASSIGN_OR_RETURN(std::string system, SystemIdentifierOf(source));
    RETURN_IF_ERROR(RefuseToDropOrigin(
        target,
        {.system_identifier = std::move(system), .dbname = source.dbname()}));
    RETURN_IF_ERROR(CheckRecreatable(target));
    return CheckNobodyInside(target);
  }

  absl::Status CheckNotBegun(PgConnection& target) {
    const Endpoints& endpoints = migrate_.endpoints;
    RETURN_IF_ERROR(CheckNothingToUndo(target, endpoints.ledger_schema));
    Ledger ledger(target, {.schema = endpoints.ledger_schema,
                           .migration = endpoints.name});
    ASSIGN_OR_RETURN(const bool begun, ledger.Exists());
    if (!begun) return absl::OkStatus();
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "target: migration ", endpoints.name, " has begun in database ",
            target.dbname(), ", which is not dropped")),
        "go on with --via stream, or run `walferry cleanup` first");
  }

  // That it is what its manifest says is the restore's first question.
  absl::Status CheckInput() {
    ASSIGN_OR_RETURN(const ArchiveInput input, FindArchive(options_.input));
    archive_ = options_.input;
    if (!input.facts.has_value()) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              archive_, " does not say which database it was made of")),
          "take one that walferry has made, or restore it with `walferry "
          "restore`");
    }
    facts_ = *input.facts;
    ASSIGN_OR_RETURN(PgConnection source, connector_.OpenSource("check"));
    ASSIGN_OR_RETURN(const std::string system, SystemIdentifierOf(source));
    const bool same_system = system.empty() ||
                             facts_.system_identifier.empty() ||
                             system == facts_.system_identifier;
    if (same_system && facts_.database == source.dbname()) {
      RETURN_IF_ERROR(CheckOmissions(input));
      if (system.empty() || facts_.system_identifier.empty()) {
        WarnOfUnknownSystem();
      }
      events_.OnEvent(Notice{
          .text = absl::StrCat("taking ", archive_, " instead of a new dump")});
      return absl::OkStatus();
    }
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            archive_, " was made of database ", facts_.database, " of system ",
            facts_.system_identifier, ", but the source is ", source.dbname(),
            " of system ", system)),
        "name the source's own archive, or none");
  }

  void WarnOfUnknownSystem() {
    events_.OnEvent(Notice{
        .level = Notice::Level::kWarning,
        .text = absl::StrCat(
            archive_, " was made of a database ", facts_.database,
            ": whether it is the source's cannot be told, as a role may not "
            "call pg_control_system()")});
  }

  // It must hold all the rows that are asked for, and of a script nothing can
  // be left out any more. What else it lacks, the report says.
  absl::Status CheckOmissions(const ArchiveInput& input) const {
    if (facts_.Omits("--data-only") ||
        (facts_.Omits("--schema-only") && !schema_only())) {
      return WithHint(absl::FailedPreconditionError(absl::StrCat(
                          archive_, " was ", OmissionsText(facts_))),
                      "name one of the whole database, or none");
    }
    RETURN_IF_ERROR(CheckParts(input, {.schema_only = schema_only(),
                                       .no_owner = migrate_.no_owner,
                                       .no_acl = migrate_.no_acl,
                                       .allow_errors = options_.allow_errors}));
    if (input.format == ArchiveFormat::kPlain &&
        !facts_.Omits("--no-publications")) {
      events_.OnEvent(Notice{
          .text = "the source's publications come along, if it has any: a "
                  "plain script is restored as it is"});
    }
    return absl::OkStatus();
  }

  // Of an archive that was named: what it lacks beyond what is asked for.
  std::string Lacks() const {
    if (!facts_.omissions.has_value()) {
      return "the archive does not say whether it is of the whole database";
    }
    ArchiveFacts unasked = facts_;
    unasked.TakeAsAsked(kReplicationOptions);
    if (schema_only()) unasked.TakeAsAsked({"--schema-only"});
    if (migrate_.no_owner) unasked.TakeAsAsked({"--no-owner"});
    if (migrate_.no_acl) unasked.TakeAsAsked({"--no-acl"});
    const std::string text = OmissionsText(unasked);
    return text.empty() ? "" : absl::StrCat("the archive was ", text);
  }

  DumpOptions Dump() const {
    DumpOptions dump;
    dump.source = migrate_.endpoints.source;
    dump.format = options_.format;
    dump.compression = options_.compression;
    dump.archive_folder = options_.archive_folder;
    dump.jobs = migrate_.jobs;
    dump.schema_only = schema_only();
    // A script is restored as it is, all others can do without when they are.
    dump.no_owner = migrate_.no_owner && plain();
    dump.no_acl = migrate_.no_acl && plain();
    dump.no_replication = true;
    dump.scope = migrate_.scope;
    dump.scope.part = ScopePart::kAll;
    dump.disk_share = options_.disk_share;
    dump.pg_dump = migrate_.pg_dump;
    dump.connect_timeout = migrate_.endpoints.connect_timeout;
    return dump;
  }

  RestoreOptions Restore() const {
    const bool script = facts_.format == ArchiveFormat::kPlain;
    RestoreOptions restore;
    restore.input = archive_;
    restore.target = migrate_.endpoints.target;
    restore.no_owner = migrate_.no_owner && !script;
    restore.no_acl = migrate_.no_acl && !script;
    restore.schema_only = schema_only() && !script;
    restore.no_replication = true;
    restore.drop_target_first = migrate_.drop_target_first;
    restore.end_sessions = false;
    restore.allow_errors = options_.allow_errors;
    restore.analyze = migrate_.analyze && !schema_only();
    restore.jobs = migrate_.jobs;
    restore.index_jobs = migrate_.index_jobs;
    restore.disk_share = options_.disk_share;
    restore.pg_dump = migrate_.pg_dump;
    restore.connect_timeout = migrate_.endpoints.connect_timeout;
    return restore;
  }

  absl::Status Explained(const absl::Status& failure) const {
    const std::string hint = HintOf(failure);
    if (absl::IsDataLoss(failure)) {
      return WithHint(
          absl::Status(failure.code(), failure.message()),
          absl::StrCat(hint, hint.empty() ? "" : "; ",
                       "this archive cannot be relied on: ",
                       options_.input.empty() ? "" : "without --input, ",
                       "the same command makes a new one"));
    }
    const bool excludes = !(migrate_.scope.exclude_schemas.empty() &&
                            migrate_.scope.exclude_tables.empty() &&
                            migrate_.scope.exclude_table_data.empty());
    return WithHint(absl::Status(failure.code(), failure.message()),
                    absl::StrCat(hint, hint.empty() ? "" : "; ",
                                 "the archive is complete: --input ", archive_,
                                 excludes ? " (without --exclude-*)" : "",
                                 " takes it instead of a new dump"));
  }

  std::vector<std::string> Remarks(
      const std::vector<RestoreErrorKind>& errors) const {
    std::vector<std::string> remarks;
    for (const RestoreErrorKind& kind : errors) {
      remarks.push_back(
          absl::StrCat(CountOf(kind.count, "error"), ": ", kind.Text()));
    }
    remarks.push_back(absl::StrCat("the archive is kept: ", archive_));
    if (!options_.input.empty()) {
      if (std::string lacks = Lacks(); !lacks.empty()) {
        remarks.push_back(std::move(lacks));
      }
    }
    if (schema_only()) {
      remarks.push_back("only the schema was carried (--schema-only)");
    } else {
      remarks.push_back(
          absl::StrCat("nothing that was written to the source since ",
                       TimeText(facts_.time), " is on the target"));
    }
    return remarks;
  }

  bool plain() const { return options_.format == ArchiveFormat::kPlain; }
  bool schema_only() const { return !migrate_.scope.carries_rows(); }

  const ArchiveMigrationOptions& options_;
  const MigrateOptions& migrate_;
  Control& control_;
  EventSink& events_;
  const Connector connector_;
  std::vector<std::string> accepted_;  // AcceptedTexts.
  std::string archive_;
  ArchiveFacts facts_;
};

}  // namespace

absl::StatusOr<ArchiveMigrationReport> RunArchiveMigration(
    const ArchiveMigrationOptions& options, Control& control,
    EventSink& events) {
  return ArchiveMigration(options, control, events).Run();
}

}  // namespace walferry
