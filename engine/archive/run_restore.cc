// RunRestore: what is done before, around and after LoadArchive.

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/archive/archive_contents.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/archive_load.h"
#include "engine/archive/archive_parts.h"
#include "engine/archive/archive_phase.h"
#include "engine/archive/archives.h"
#include "engine/archive/target_database.h"
#include "engine/archive/target_space.h"
#include "engine/connect/shared_session.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_content.h"
#include "engine/schema/pg_tools.h"
#include "engine/target/drop_permit.h"
#include "engine/target/recreate_database.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// As the drop permit compares names: one that may be the origin's is.
DataOrigin OriginOf(const ArchiveFacts& facts, const std::string& dbname) {
  return {.system_identifier = facts.system_identifier,
          .dbname = facts.MayBeOf(dbname) ? dbname : facts.database};
}

class Restore {
 public:
  Restore(const RestoreOptions& options, Control& control, EventSink& events)
      : options_(options),
        control_(control),
        events_(events),
        target_{.connector = {.endpoints = {.source = "",
                                            .target = options.target,
                                            .name = "archive",
                                            .connect_timeout =
                                                options.connect_timeout},
                              .interrupt = &control.interrupt()},
                .dbname = ""} {}

  absl::StatusOr<RestoreReport> Run() {
    const absl::Time started = absl::Now();
    RETURN_IF_ERROR(
        InPhase(Phase::kCheck, events_, [&] { return CheckFirst(); }));
    // The archive is known to be whole, and nothing else is to be waited for.
    if (options_.drop_target_first) {
      RETURN_IF_ERROR(RecreateDatabase(
          target_.connector, tools_,
          options_.end_sessions ? OthersInside::kEnd : OthersInside::kRefuse));
    }
    ASSIGN_OR_RETURN(report_.errors,
                     LoadArchive(input_, tools_, target_,
                                 {.no_owner = options_.no_owner,
                                  .no_acl = options_.no_acl,
                                  .schema_only = options_.schema_only,
                                  .data_only = options_.data_only,
                                  .no_replication = options_.no_replication,
                                  .allow_errors = options_.allow_errors,
                                  .server_version = server_version_,
                                  .jobs = options_.jobs,
                                  .index_jobs = options_.index_jobs},
                                 control_.interrupt(), events_));
    if (const absl::Status same = input_.marks.CheckUnchanged(); !same.ok()) {
      return WithHint(same,
                      "the target may hold what the archive did not: restore "
                      "again from one that nobody writes");
    }
    if (options_.analyze && !options_.schema_only) {
      RETURN_IF_ERROR(AnalyzeDatabase(target_, options_.index_jobs, events_));
    }
    RETURN_IF_ERROR(Measure());
    report_.elapsed = absl::Now() - started;
    return std::move(report_);
  }

 private:
  absl::Status CheckFirst() {
    ASSIGN_OR_RETURN(input_, FindArchive(options_.input));
    RETURN_IF_ERROR(
        CheckParts(input_, {.schema_only = options_.schema_only,
                            .data_only = options_.data_only,
                            .no_owner = options_.no_owner,
                            .no_acl = options_.no_acl,
                            .allow_errors = options_.allow_errors}));
    // A server that is not there is found before hours of reading.
    ASSIGN_OR_RETURN(PgConnection session,
                     target_.connector.OpenTarget("check", Contact::kFirst));
    RETURN_IF_ERROR(RefuseOneSession(session, "target"));
    server_version_ = session.server_version();
    ASSIGN_OR_RETURN(
        tools_, FindToolsFor(input_, session.server_version(), options_.pg_dump,
                             control_.interrupt()));
    if (options_.drop_target_first) {
      RETURN_IF_ERROR(CheckDrop(session));
    } else {
      RETURN_IF_ERROR(TellOfLeftOver(session));
      if (!options_.data_only) RETURN_IF_ERROR(CheckEmpty(session));
    }
    RETURN_IF_ERROR(CheckArchive(input_, control_.interrupt(), events_));
    report_.checked = !input_.folder.empty();
    report_.facts = input_.facts;
    TellOmissions();
    return CheckContents(session);
  }

  absl::Status TellOfLeftOver(PgConnection& session) {
    ASSIGN_OR_RETURN(std::string text, LeftOverOf(session));
    if (!text.empty()) {
      events_.OnEvent(
          Notice{.level = Notice::Level::kWarning, .text = std::move(text)});
    }
    return absl::OkStatus();
  }

  void TellOmissions() {
    if (!input_.facts.has_value()) return;
    ArchiveFacts unasked = *input_.facts;
    if (options_.no_replication) unasked.TakeAsAsked(kReplicationOptions);
    const std::string text = OmissionsText(unasked);
    if (text.empty()) return;
    events_.OnEvent(Notice{.level = Notice::Level::kWarning,
                           .text = absl::StrCat("the archive was ", text)});
  }

  absl::Status CheckDrop(PgConnection& session) {
    if (input_.facts.has_value()) {
      RETURN_IF_ERROR(RefuseToDropOrigin(
          session, OriginOf(*input_.facts, session.dbname())));
    } else {
      events_.OnEvent(Notice{
          .level = Notice::Level::kWarning,
          .text = "the archive does not say which database it is of: that the "
                  "one to be dropped is another was not checked"});
    }
    RETURN_IF_ERROR(
        CheckNothingToUndo(session, target_.connector.endpoints.ledger_schema));
    return CheckRecreatable(session);
  }

  absl::Status CheckContents(PgConnection& session) {
    if (options_.no_replication && input_.format == ArchiveFormat::kPlain) {
      RETURN_IF_ERROR(RefuseSubscriptions(input_));
    }
    if (!options_.data_only) {
      ASSIGN_OR_RETURN(
          const std::vector<std::string> extensions,
          ArchiveContents(input_, tools_, control_.interrupt()).Extensions());
      ASSIGN_OR_RETURN(const std::vector<std::string> missing,
                       MissingExtensions(session, extensions));
      RETURN_IF_ERROR(RefuseMissingExtensions(missing));
    }
    if (options_.schema_only || options_.disk_share == 0 ||
        !input_.facts.has_value()) {
      return absl::OkStatus();
    }
    return CheckTargetSpace(session, input_.facts->database_bytes,
                            options_.disk_share);
  }

  absl::Status Measure() {
    ASSIGN_OR_RETURN(PgConnection session, target_.Open("report"));
    report_.database = session.dbname();
    ASSIGN_OR_RETURN(const PgResult size,
                     session.Exec("SELECT pg_catalog.pg_database_size("
                                  "pg_catalog.current_database())"));
    ASSIGN_OR_RETURN(report_.bytes, size.Int64(0, 0));
    return absl::OkStatus();
  }

  const RestoreOptions& options_;
  Control& control_;
  EventSink& events_;
  const TargetDatabase target_;
  ArchiveInput input_;
  PgTools tools_;
  int server_version_ = 0;
  RestoreReport report_;
};

}  // namespace

absl::StatusOr<RestoreReport> RunRestore(const RestoreOptions& options,
                                         Control& control, EventSink& events) {
  return Restore(options, control, events).Run();
}

}  // namespace walferry
