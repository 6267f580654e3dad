// RunVerify: opens both sides, and lets each part compare what is its own.

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/connect.h"
#include "engine/connect/server_identity.h"
#include "engine/ledger/verify_notes.h"
#include "engine/migration_name.h"
#include "engine/name_some.h"
#include "engine/verify/both_sides.h"
#include "engine/verify/check_comparison.h"
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/large_object_comparison.h"
#include "engine/verify/online_verify.h"
#include "engine/verify/row_comparison.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/run_repair.h"
#include "engine/verify/schema_compare.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/still_repair.h"
#include "engine/verify/table_pairs.h"
#include "engine/verify/unfinished_migration.h"
#include "engine/verify/verification.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Beyond it, estimates are worth a look.
constexpr double kEstimatesDiffer = 0.1;

std::string NameOf(const PgConnection& session) {
  return absl::StrCat(session.peer(), "/", session.dbname());
}

// "15.18" of "15.18 (Debian 15.18-0+deb12u1)".
std::string VersionOf(const PgConnection& session) {
  const std::string version = session.parameter("server_version");
  return version.substr(0, version.find(' '));
}

bool ComparesRows(VerifyMethod method) {
  return method == VerifyMethod::kCounts || method == VerifyMethod::kSample ||
         method == VerifyMethod::kChecksum;
}

// They belong to the database as a whole.
bool ComparesLargeObjects(const VerifyOptions& options) {
  return ComparesRows(options.method) && options.scope.schemas.empty() &&
         options.scope.tables.empty();
}

// "": there are none. They cannot be asked for together with tables.
absl::StatusOr<std::string> LargeObjectsLeftOut(SessionPair& sessions) {
  constexpr char kCount[] = "SELECT count(*) FROM pg_largeobject_metadata";
  ASSIGN_OR_RETURN(const BothAnswers counts, AskBoth(sessions, kCount, kCount));
  const absl::string_view source = counts.source.Text(0, 0);
  const absl::string_view target = counts.target.Text(0, 0);
  if (source == "0" && target == "0") return "";
  return absl::StrCat(
      "large objects are not compared where schemas or tables are asked for, "
      "as they are in none: the source has ",
      source, ", the target ", target);
}

TableVerdict CompareEstimates(const TablePair& pair) {
  TableVerdict verdict;
  verdict.table = pair.name;
  verdict.method = "estimate";
  const double source = pair.source.estimate, target = pair.target.estimate;
  if (source < 0 || target < 0) {
    verdict.outcome = TableVerdict::Outcome::kWarning;
    verdict.detail = absl::StrCat("no estimate on ",
                                  source >= 0   ? "the target"
                                  : target >= 0 ? "the source"
                                                : "either side",
                                  ": the table was never analysed");
    return verdict;
  }
  verdict.source_rows = std::llround(source);
  verdict.target_rows = std::llround(target);
  const bool differ =
      std::abs(source - target) > kEstimatesDiffer * std::max(source, target);
  verdict.outcome =
      differ ? TableVerdict::Outcome::kWarning : TableVerdict::Outcome::kEqual;
  if (differ) verdict.detail = "the estimates differ by more than 10 %";
  return verdict;
}

class Verification {
 public:
  Verification(const VerifyOptions& options, const TableSet* only,
               SnapshotPair& snapshots, Control& control, EventSink& events)
      : options_(options),
        only_(only),
        snapshots_(snapshots),
        control_(control),
        events_(events) {}

  absl::StatusOr<SnapshotComparison> Run() {
    report_.method = options_.method;
    report_.started_at = absl::Now();
    ASSIGN_OR_RETURN(const Scope scope, Scope::Create(options_.scope));
    AddRemarks(snapshots_.remarks());
    RETURN_IF_ERROR(CompareInOneSession(scope));
    if (ComparesRows(options_.method)) RETURN_IF_ERROR(CompareAllRows());
    NoteMoment();
    absl::c_sort(report_.tables,
                 [](const TableVerdict& a, const TableVerdict& b) {
                   return a.table < b.table;
                 });
    report_.elapsed = absl::Now() - report_.started_at;
    return SnapshotComparison{.report = std::move(report_),
                              .rows = std::move(rows_)};
  }

 private:
  // What takes no workers. The sessions are closed behind it: a server may
  // serve one.
  absl::Status CompareInOneSession(const Scope& scope) {
    ASSIGN_OR_RETURN(SessionPair sessions,
                     snapshots_.Open(&control_.interrupt()));
    const absl::Status compared = CompareIn(sessions, scope);
    snapshots_.Close(std::move(sessions));
    return compared;
  }

  absl::Status CompareIn(SessionPair& sessions, const Scope& scope) {
    report_.source = NameOf(sessions.source);
    report_.target = NameOf(sessions.target);
    report_.source_version = VersionOf(sessions.source);
    report_.target_version = VersionOf(sessions.target);
    RETURN_IF_ERROR(CompareIdentities(sessions));
    ASSIGN_OR_RETURN(rows_.hash, ChooseRowHash(sessions));
    if (options_.schema) RETURN_IF_ERROR(CompareBothSchemas(sessions, scope));
    for (const SqlCheck& check : options_.checks) {
      ASSIGN_OR_RETURN(CheckVerdict verdict, CompareAnswers(sessions, check));
      report_.checks.push_back(std::move(verdict));
    }
    if (options_.method == VerifyMethod::kOff ||
        !options_.scope.carries_rows()) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(TablePairs found,
                     FindTablePairs(sessions, scope, options_.share,
                                    options_.endpoints.ledger_schema));
    report_.share = found.share;
    rows_.pairs = std::move(found.pairs);
    if (snapshots_.renewable()) LeaveOutUnlogged();
    if (only_ != nullptr) {
      std::erase_if(rows_.pairs, [this](const TablePair& pair) {
        return !only_->contains(pair.name);
      });
      // One side may have lost it meanwhile.
      absl::c_copy_if(found.single, std::back_inserter(report_.tables),
                      [this](const TableVerdict& table) {
                        return only_->contains(table.table);
                      });
      return absl::OkStatus();
    }
    AddRemarks(found.remarks);
    if (!options_.schema && found.sequences > 0) {
      report_.remarks.push_back(absl::StrCat(
          "sequences are not compared, as no objects are: the source has ",
          found.sequences));
    }
    absl::c_move(found.single, std::back_inserter(report_.tables));
    if (options_.method == VerifyMethod::kEstimate) {
      for (const TablePair& pair : rows_.pairs) {
        report_.tables.push_back(CompareEstimates(pair));
      }
    }
    // Clients may have large objects of their own.
    if (ComparesLargeObjects(options_) &&
        report_.share != VerifyShare::kBehindClients) {
      if (snapshots_.renewable()) return RemarkOnLargeObjects(sessions);
      return CompareObjectsOrSayWhyNot(sessions);
    }
    if (!ComparesRows(options_.method)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string left_out, LargeObjectsLeftOut(sessions));
    if (!left_out.empty()) report_.remarks.push_back(left_out);
    return absl::OkStatus();
  }

  // No stream tells of their rows.
  void LeaveOutUnlogged() {
    std::vector<std::string> names;
    for (const TablePair& pair : rows_.pairs) {
      if (pair.unlogged) names.push_back(ToDisplay(pair.name));
    }
    if (names.empty()) return;
    std::erase_if(rows_.pairs,
                  [](const TablePair& pair) { return pair.unlogged; });
    report_.remarks.push_back(
        absl::StrCat("rows of unlogged tables are not compared, as the cutover "
                     "brings them: ",
                     NameSome(names)));
  }

  absl::Status RemarkOnLargeObjects(SessionPair& sessions) {
    const absl::StatusOr<std::string> found = sessions.source.QueryValue(
        "SELECT count(*) FROM (SELECT FROM "
        "pg_catalog.pg_largeobject_metadata LIMIT 1) AS one");
    if (!found.ok()) return Annotate(found.status(), "source");
    if (*found == "0") return absl::OkStatus();
    report_.remarks.push_back(
        "large objects are not compared: no stream tells of their changes");
    return absl::OkStatus();
  }

  // Of states that changes go on behind.
  void NoteMoment() {
    const std::optional<PairMoment> moment = snapshots_.moment();
    if (!moment.has_value()) return;
    report_.position = moment->position;
    report_.applier_pause = moment->pause;
    if (moment->taken <= 1) return;
    report_.remarks.push_back(absl::StrCat(
        "parts of the tables were compared at ", moment->taken,
        " positions one after another, of which the last is told, and the "
        "longest pause of all: no state was kept for longer than "
        "--max-snapshot-age, and a table that was truncated meanwhile was "
        "compared again"));
  }

  // A database is always equal to itself, which proves nothing.
  absl::Status CompareIdentities(SessionPair& sessions) {
    absl::StatusOr<ServerIdentity> source = IdentifyServer(sessions.source);
    if (!source.ok()) return Annotate(source.status(), "source");
    absl::StatusOr<ServerIdentity> target = IdentifyServer(sessions.target);
    if (!target.ok()) return Annotate(target.status(), "target");
    source_system_ = source->system_identifier;
    target_system_ = target->system_identifier;
    if (!SameDatabase(*source, *target)) return absl::OkStatus();
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "source and target are one and the same database: ",
                        source->dbname, " at ", source->address)),
                    "give --source and --target two different databases");
  }

  absl::Status CompareBothSchemas(SessionPair& sessions, const Scope& scope) {
    ASSIGN_OR_RETURN(
        SchemaComparison schema,
        CompareSchemas(sessions.source, sessions.target, scope,
                       {.privileges = options_.privileges,
                        .owners = options_.privileges,
                        .ledger_schema = options_.endpoints.ledger_schema,
                        .before_cutover = snapshots_.renewable(),
                        .triggers_come_later = options_.triggers_come_later}));
    report_.schema_compared = true;
    report_.objects_compared = schema.objects;
    report_.objects = std::move(schema.differences);
    AddRemarks(schema.remarks);
    return absl::OkStatus();
  }

  absl::Status CompareObjectsOrSayWhyNot(SessionPair& sessions) {
    absl::StatusOr<std::optional<TableVerdict>> verdict = CompareLargeObjects(
        sessions, rows_.hash, options_.method == VerifyMethod::kCounts,
        options_.max_reported);
    if (verdict.ok()) {
      if (verdict->has_value()) report_.tables.push_back(**std::move(verdict));
      return absl::OkStatus();
    }
    if (SqlStateOf(verdict.status()).empty() ||
        absl::IsUnavailable(verdict.status())) {
      return verdict.status();
    }
    TableVerdict unknown;
    unknown.table = {"pg_catalog", "pg_largeobject"};
    unknown.detail = std::string(verdict.status().message());
    report_.tables.push_back(std::move(unknown));
    return absl::OkStatus();
  }

  absl::Status CompareAllRows() {
    const absl::Time begun = absl::Now();
    events_.OnEvent(PhaseStarted{.phase = Phase::kVerify});
    std::optional<VerifyNotes> notes = OpenNotes();
    ASSIGN_OR_RETURN(
        RowComparisonResult result,
        CompareTableRows(
            {.method = options_.method,
             .hash = rows_.hash,
             .jobs = options_.jobs,
             .sample_percent = options_.sample_percent,
             .seed = options_.seed,
             .range_bytes = options_.range_bytes,
             .max_reported = options_.max_reported,
             .clients_write = report_.share == VerifyShare::kBehindClients,
             .databases = absl::StrCat(report_.source, " of system ",
                                       source_system_, " and ", report_.target,
                                       " of system ", target_system_)},
            snapshots_, rows_.pairs, notes.has_value() ? &*notes : nullptr,
            control_, events_));
    report_.rows_compared = result.rows;
    report_.bytes_compared = result.bytes;
    rows_.pieces = std::move(result.differing);
    AddRemarks(result.remarks);
    absl::c_move(result.tables, std::back_inserter(report_.tables));
    if (notes.has_value()) {
      const absl::Status forgotten = notes->Forget();
      if (!forgotten.ok()) {
        report_.remarks.push_back(
            absl::StrCat("what was noted for a later run is left on the "
                         "target (walferry cleanup removes it): ",
                         forgotten.message()));
      }
    }
    events_.OnEvent(PhaseFinished{.phase = Phase::kVerify,
                                  .duration = absl::Now() - begun});
    return absl::OkStatus();
  }

  // None where a run cannot go on later: that is said, and nothing else.
  std::optional<VerifyNotes> OpenNotes() {
    if (!options_.notes || options_.method == VerifyMethod::kCounts ||
        snapshots_.most_sessions() == 1) {
      return std::nullopt;
    }
    const Connector connector{.endpoints = options_.endpoints,
                              .interrupt = &control_.interrupt()};
    absl::StatusOr<PgConnection> session = connector.OpenTarget("verify notes");
    if (session.ok()) {
      VerifyNotes notes(*std::move(session),
                        {.schema = options_.endpoints.ledger_schema,
                         .migration = options_.endpoints.name});
      // Where nothing changes what they write is seen by a later run only.
      absl::Status ready =
          snapshots_.renewable() ? notes.KeepTriggersQuiet() : absl::OkStatus();
      if (ready.ok()) ready = notes.SpeakUtf8();
      if (ready.ok()) ready = notes.Lock();
      if (ready.ok()) ready = notes.Create();
      if (ready.ok() && !options_.resume) {
        // Nor may a later run take them for what this one has found.
        ready = notes.Forget();
        if (ready.ok()) ready = notes.Create();
      }
      if (ready.ok()) return notes;
      return NoNotes(ready);
    }
    return NoNotes(session.status());
  }

  std::nullopt_t NoNotes(const absl::Status& why) {
    report_.remarks.push_back(
        absl::StrCat("a run that is interrupted would begin anew, as nothing "
                     "can be noted on the target: ",
                     why.message()));
    return std::nullopt;
  }

  void AddRemarks(const std::vector<std::string>& remarks) {
    report_.remarks.insert(report_.remarks.end(), remarks.begin(),
                           remarks.end());
  }

  const VerifyOptions& options_;
  const TableSet* const only_;
  SnapshotPair& snapshots_;
  Control& control_;
  EventSink& events_;
  // System identifiers, "" where the role may not read them.
  std::string source_system_, target_system_;
  DifferingRows rows_;
  VerifyReport report_;
};

}  // namespace

absl::StatusOr<VerifyReport> RunVerify(const VerifyOptions& options,
                                       Control& control, EventSink& events) {
  if (options.online) return VerifyOnline(options, control, events);
  if (options.repair != RepairMode::kNo) {
    StillGround ground(options, control, events);
    return RunRepair(options, ground, control, events);
  }
  // Before clients come it has not, and knows.
  std::string goes_on;
  if (options.share == VerifyShare::kAll) {
    goes_on = MigrationThatGoesOn(options.endpoints, control.interrupt());
  }
  if (!goes_on.empty()) {
    events.OnEvent(Notice{.level = Notice::Level::kWarning, .text = goes_on});
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotPair> snapshots,
                   TakeSnapshotPair(options.endpoints, &control.interrupt()));
  ASSIGN_OR_RETURN(VerifyReport report,
                   VerifySnapshots(options, *snapshots, control, events));
  if (!goes_on.empty()) report.remarks.push_back(std::move(goes_on));
  return report;
}

absl::StatusOr<VerifyReport> VerifySnapshots(const VerifyOptions& options,
                                             SnapshotPair& snapshots,
                                             Control& control,
                                             EventSink& events) {
  ASSIGN_OR_RETURN(
      SnapshotComparison compared,
      CompareSnapshots(options, /*only=*/nullptr, snapshots, control, events));
  return std::move(compared.report);
}

absl::StatusOr<SnapshotComparison> CompareSnapshots(
    const VerifyOptions& options, const TableSet* only, SnapshotPair& snapshots,
    Control& control, EventSink& events) {
  RETURN_IF_ERROR(CheckMigrationName(options.endpoints.name));
  return Verification(options, only, snapshots, control, events).Run();
}

}  // namespace walferry
