// RunDrill: from an archive, or a source, to a verdict.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/archive/archive_contents.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/archive_load.h"
#include "engine/archive/archive_parts.h"
#include "engine/archive/archive_phase.h"
#include "engine/archive/archives.h"
#include "engine/archive/drill_archive.h"
#include "engine/archive/drill_dump.h"
#include "engine/archive/drill_finding.h"
#include "engine/archive/drill_objects.h"
#include "engine/archive/drill_rows.h"
#include "engine/archive/drill_state.h"
#include "engine/archive/scratch_database.h"
#include "engine/archive/target_database.h"
#include "engine/archive/target_space.h"
#include "engine/connect/server_identity.h"
#include "engine/connect/shared_session.h"
#include "engine/schema/pg_tools.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Errors that say nothing about the archive: the drill itself ends.
bool EndsTheDrill(const absl::Status& status) {
  return absl::IsCancelled(status) || absl::IsUnavailable(status) ||
         absl::IsInternal(status);
}

class Drill {
 public:
  Drill(const DrillOptions& options, Control& control, EventSink& events)
      : options_(options),
        control_(control),
        events_(events),
        server_{.connector = {.endpoints = {.source = options.source,
                                            .target = options.target,
                                            .name = "drill",
                                            .connect_timeout =
                                                options.connect_timeout},
                              .interrupt = &control.interrupt()},
                .dbname = ""},
        dump_(options, control, events) {
    report_.started_at = absl::Now();
    report_.scratch = ScratchName(report_.started_at);
  }

  absl::StatusOr<DrillReport> Run() {
    RETURN_IF_ERROR(LookAtTarget());
    const absl::Status held = Begin();
    RETURN_IF_ERROR(Conclude(held, dump_.Remove()));
    report_.elapsed = absl::Now() - report_.started_at;
    return std::move(report_);
  }

 private:
  absl::Status LookAtTarget() {
    ASSIGN_OR_RETURN(PgConnection session,
                     server_.connector.OpenTarget("check", Contact::kFirst));
    RETURN_IF_ERROR(RefuseOneSession(session, "target"));
    ASSIGN_OR_RETURN(target_system_, SystemIdentifierOf(session));
    report_.target_version = ServerVersionOf(session);
    target_server_version_ = session.server_version();
    return absl::OkStatus();
  }

  absl::Status Begin() {
    RETURN_IF_ERROR(options_.source.empty() ? FindInput() : DumpAfresh());
    if (!report_.passed()) return absl::OkStatus();
    return Hold();
  }

  // Of work that has come to an end, and of what was to be cleared away after
  // it. A drill that was held keeps its verdict.
  absl::Status Conclude(const absl::Status& done, const absl::Status& cleared) {
    if (!done.ok() || cleared.ok()) return WithLeftOver(done, cleared);
    absl::StrAppend(&report_.trouble, report_.trouble.empty() ? "" : "; ",
                    cleared.message(), ": ", HintOf(cleared));
    return absl::OkStatus();
  }

  // An archive that cannot be recognised, or whose facts cannot be read, is
  // damaged as one is whose rows cannot be.
  absl::Status FindInput() {
    report_.subject = options_.input;
    absl::StatusOr<ArchiveInput> found = FindArchive(options_.input);
    if (absl::IsDataLoss(found.status()) ||
        absl::IsInvalidArgument(found.status())) {
      return Check("archive", [&]() -> absl::StatusOr<DrillFinding> {
        return found.status();
      });
    }
    RETURN_IF_ERROR(found.status());
    input_ = *std::move(found);
    report_.facts = input_.facts;
    // Whether it is a part is a check of its own.
    RETURN_IF_ERROR(
        CheckParts(input_, {.data_only = input_.facts.has_value() &&
                                         input_.facts->Omits("--data-only"),
                            .no_owner = options_.no_owner,
                            .no_acl = options_.no_acl}));
    return RefuseItsOwnServer();
  }

  absl::Status RefuseItsOwnServer() {
    const bool told = input_.facts &&
                      !input_.facts->system_identifier.empty() &&
                      !target_system_.empty();
    if (told && input_.facts->system_identifier == target_system_) {
      return RefuseOwnServer(target_system_);
    }
    if (!told) {
      events_.OnEvent(Notice{
          .level = Notice::Level::kWarning,
          .text = "the archive or the target does not say which server it "
                  "is of: that they are two was not checked"});
    }
    return absl::OkStatus();
  }

  absl::Status DumpAfresh() {
    const absl::Time started = absl::Now();
    ASSIGN_OR_RETURN(input_, dump_.Make(report_.scratch, target_system_));
    expected_rows_ = dump_.rows();
    report_.subject = absl::StrCat("a fresh dump of ", dump_.dbname());
    report_.facts = input_.facts;
    report_.steps.push_back({"dump", absl::Now() - started});
    return absl::OkStatus();
  }

  // Up to the first check that makes the others pointless.
  absl::Status Hold() {
    RETURN_IF_ERROR(
        Step("check", Phase::kCheck, [this] { return CheckBefore(); }));
    if (!report_.passed()) return absl::OkStatus();
    ASSIGN_OR_RETURN(
        ScratchDatabase scratch,
        ScratchDatabase::Create(server_, report_.scratch, encoding_));
    const absl::Status done = RestoreAndCheck(scratch.database());
    return Conclude(done, Clear(scratch, done.ok()));
  }

  absl::Status RestoreAndCheck(const TargetDatabase& scratch) {
    RETURN_IF_ERROR(Restore(scratch));
    if (report_.passed()) {
      RETURN_IF_ERROR(
          Step("checks", Phase::kCheck, [&] { return CheckAfter(scratch); }));
    }
    const absl::Status same = input_.marks.CheckUnchanged();
    if (same.ok()) return absl::OkStatus();
    return Check("archive",
                 [&]() -> absl::StatusOr<DrillFinding> { return same; });
  }

  absl::Status Step(const std::string& name, Phase phase,
                    absl::FunctionRef<absl::Status()> work) {
    const absl::Time started = absl::Now();
    const absl::Status done = InPhase(phase, events_, work);
    report_.steps.push_back({name, absl::Now() - started});
    return done;
  }

  // Adds the check to the report, also one that ended with an error.
  absl::Status Check(const std::string& name,
                     absl::FunctionRef<absl::StatusOr<DrillFinding>()> look) {
    const absl::Time started = absl::Now();
    const absl::StatusOr<DrillFinding> found = look();
    if (!found.ok() && EndsTheDrill(found.status())) return found.status();
    const DrillFinding finding =
        found.ok()
            ? *found
            : DrillFinding::Failed(std::string(found.status().message()));
    report_.checks.push_back({.name = name,
                              .outcome = finding.outcome,
                              .detail = finding.detail,
                              .elapsed = absl::Now() - started});
    return absl::OkStatus();
  }

  absl::StatusOr<DrillFinding> IsWhole() {
    RETURN_IF_ERROR(CheckArchive(input_, control_.interrupt(), events_));
    if (input_.folder.empty()) {
      return DrillFinding::Skipped("it has no manifest");
    }
    return DrillFinding::Passed("every file is as its manifest says");
  }

  absl::Status CheckBefore() {
    RETURN_IF_ERROR(Check("whole", [this] {
      // Who has it dumped afresh says in the same breath what to leave out.
      return CheckWhole(input_,
                        options_.allow_partial || !options_.source.empty());
    }));
    if (options_.max_age < absl::InfiniteDuration()) {
      RETURN_IF_ERROR(Check("age", [this] {
        return CheckAge(input_, report_.started_at, options_.max_age);
      }));
    }
    if (!report_.passed()) return absl::OkStatus();
    RETURN_IF_ERROR(Check("archive", [this] { return IsWhole(); }));
    if (!report_.passed()) return absl::OkStatus();
    // Which client it takes stands in it, so that had to be whole.
    ASSIGN_OR_RETURN(
        tools_, FindToolsFor(input_, target_server_version_, options_.pg_dump,
                             control_.interrupt()));
    const ArchiveContents contents(input_, tools_, control_.interrupt());
    return Check("contents", [&]() -> absl::StatusOr<DrillFinding> {
      ASSIGN_OR_RETURN(extensions_, contents.Extensions());
      ASSIGN_OR_RETURN(encoding_, contents.Encoding());
      ASSIGN_OR_RETURN(PgConnection session, server_.Open("check"));
      ASSIGN_OR_RETURN(const std::vector<std::string> missing,
                       MissingExtensions(session, extensions_));
      RETURN_IF_ERROR(RefuseMissingExtensions(missing));
      if (input_.facts.has_value()) {
        RETURN_IF_ERROR(CheckTargetSpace(session, input_.facts->database_bytes,
                                         options_.disk_share));
      }
      if (input_.format == ArchiveFormat::kPlain) {
        return DrillFinding::Passed(
            "the server has every extension that the script creates");
      }
      ASSIGN_OR_RETURN(schema_, contents.Schema());
      return DrillFinding::Passed(absl::StrCat(
          schema_->entries.size(), " entries in its table of contents"));
    });
  }

  absl::StatusOr<DrillFinding> LoadInto(const TargetDatabase& scratch) {
    const absl::Status loaded =
        LoadArchive(input_, tools_, scratch,
                    {.no_owner = options_.no_owner,
                     .no_acl = options_.no_acl,
                     .no_replication = true,
                     .server_version = target_server_version_,
                     .jobs = options_.jobs,
                     .index_jobs = options_.index_jobs},
                    control_.interrupt(), events_)
            .status();
    if (loaded.ok()) return DrillFinding::Passed("without an error");
    // Its hint is for a target that stays.
    return absl::Status(loaded.code(), loaded.message());
  }

  absl::Status Restore(const TargetDatabase& scratch) {
    const absl::Time started = absl::Now();
    const absl::Status done =
        Check("restore", [&] { return LoadInto(scratch); });
    report_.steps.push_back({"restore", absl::Now() - started});
    return done;
  }

  absl::Status CheckAfter(const TargetDatabase& scratch) {
    PgConnectOptions session_options = scratch.Options("checks");
    session_options.client_encoding = encoding_;
    ASSIGN_OR_RETURN(PgConnection session, PgConnection::Open(session_options));
    // Whoever may not see all rows is told so.
    RETURN_IF_ERROR(session.Exec("SET row_security = off").status());
    RETURN_IF_ERROR(CheckCopies(session, scratch));
    RETURN_IF_ERROR(
        Check("sequences", [&] { return CheckSequences(session); }));
    RETURN_IF_ERROR(Check("constraints", [&] {
      return CheckConstraints(session,
                              schema_.has_value()
                                  ? std::optional(NotValidOnPurpose(*schema_))
                                  : std::nullopt);
    }));
    RETURN_IF_ERROR(Check("indexes", [&] { return CheckIndexes(session); }));
    RETURN_IF_ERROR(Check(
        "extensions", [&] { return CheckExtensions(session, extensions_); }));
    // The operator's own come out of TOML.
    RETURN_IF_ERROR(session.Exec("SET client_encoding = 'UTF8'").status());
    for (const SqlCheck& check : options_.checks) {
      RETURN_IF_ERROR(
          Check(check.name, [&] { return RunSqlCheck(session, check); }));
    }
    ASSIGN_OR_RETURN(const PgResult size,
                     session.Exec("SELECT pg_catalog.pg_database_size("
                                  "pg_catalog.current_database())"));
    ASSIGN_OR_RETURN(report_.restored_bytes, size.Int64(0, 0));
    return absl::OkStatus();
  }

  // Against what they are copies of.
  absl::Status CheckCopies(PgConnection& session,
                           const TargetDatabase& scratch) {
    RETURN_IF_ERROR(Check("objects", [&]() -> absl::StatusOr<DrillFinding> {
      if (!schema_.has_value()) {
        return DrillFinding::Skipped(
            "a plain script has no list of its objects");
      }
      ASSIGN_OR_RETURN(
          const DumpScript restored,
          DescribeDatabase(scratch, tools_, encoding_, control_.interrupt()));
      return CompareObjects(*schema_, restored);
    }));
    RETURN_IF_ERROR(Check("rows", [&]() -> absl::StatusOr<DrillFinding> {
      if (!expected_rows_.has_value()) {
        ASSIGN_OR_RETURN(
            const ScriptRows rows,
            ArchiveContents(input_, tools_, control_.interrupt()).Rows());
        expected_rows_ = RowsOfArchive(rows);
      }
      return CompareRows(session, *expected_rows_);
    }));
    return Check("large objects", [&]() -> absl::StatusOr<DrillFinding> {
      if (!expected_rows_.has_value())
        return DrillFinding::Skipped("the archive's unknown");
      return CompareLargeObjects(session, *expected_rows_);
    });
  }

  absl::Status Clear(ScratchDatabase& scratch, bool held) {
    if (options_.keep && held) {
      scratch.Keep();
      report_.kept = true;
      return absl::OkStatus();
    }
    const absl::Time started = absl::Now();
    const absl::Status dropped = scratch.Drop();
    // Nobody else will: that would only fail again, and unheard.
    scratch.Keep();
    RETURN_IF_ERROR(dropped);
    report_.checks.push_back(
        {.name = "clean up",
         .outcome = DrillCheck::Outcome::kPassed,
         .detail = absl::StrCat(report_.scratch, " is dropped"),
         .elapsed = absl::Now() - started});
    return absl::OkStatus();
  }

  const DrillOptions& options_;
  Control& control_;
  EventSink& events_;
  const TargetDatabase server_;
  std::string target_system_;
  int target_server_version_ = 0;
  PgTools tools_;
  DrillDump dump_;
  ArchiveInput input_;
  std::string encoding_;
  std::vector<std::string> extensions_;
  std::optional<DumpScript> schema_;
  std::optional<ExpectedRows> expected_rows_;
  DrillReport report_;
};

}  // namespace

bool DrillReport::found_faults() const {
  return std::any_of(checks.begin(), checks.end(), [](const DrillCheck& check) {
    return check.outcome == DrillCheck::Outcome::kFailed;
  });
}

absl::StatusOr<DrillReport> RunDrill(const DrillOptions& options,
                                     Control& control, EventSink& events) {
  return Drill(options, control, events).Run();
}

}  // namespace walferry
