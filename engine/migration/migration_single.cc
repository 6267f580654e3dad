// All of an offline migration where a server serves one session (PGlite): one
// session of each side, one thing after the other.
//
// The target's part is one transaction. So there is nothing to resume and no
// ledger: a run that is stopped has left nothing, and the next one begins anew.
// The rows are of one state of the source, as one transaction reads all of
// them. The schema was dumped before it, because pg_dump needs the session for
// itself: that nothing of it has changed since is looked at when the
// transaction has begun.

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/catalog/catalog.h"
#include "engine/connect/name_encoding.h"
#include "engine/connect/shared_session.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/large_objects.h"
#include "engine/copy/row_insert.h"
#include "engine/copy/table_copy.h"
#include "engine/migration/migration_run.h"
#include "engine/schema/matviews.h"
#include "engine/schema/out_of_scope.h"
#include "engine/schema/sequences.h"
#include "engine/schema/step_queue.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How long a server may take to notice that its client has gone, and to let the
// next one in. Nobody knocks before the pause is over: on a Unix socket
// PGlite's server lets nobody in any more once it has refused somebody too
// early.
constexpr absl::Duration kLetIn = absl::Seconds(10);
constexpr absl::Duration kPause = absl::Milliseconds(100);

// Of a large object, at once.
constexpr int64_t kChunkBytes = int64_t{1} << 20;

constexpr size_t kTablesPerLock = 200;

// What a server that is still occupied answers with: nothing at all, or words
// that are no PostgreSQL ("Too many connections"), which libpq cannot read.
bool MayBeLetInLater(const absl::Status& status) {
  return absl::IsUnavailable(status) ||
         absl::StrContains(status.message(), "expected authentication request");
}

// Knocks until the server lets us in. Nothing ends that but the deadline: what
// has to be asked or put right at the end has to be also after an interrupt.
absl::StatusOr<PgConnection> OpenUntilLetIn(PgConnectOptions options) {
  options.interrupt = nullptr;
  const absl::Time deadline = absl::Now() + kLetIn;
  while (true) {
    absl::SleepFor(kPause);
    absl::StatusOr<PgConnection> opened = PgConnection::Open(options);
    if (!MayBeLetInLater(opened.status()) || absl::Now() > deadline) {
      return opened;
    }
  }
}

// "committed", "aborted", "in progress" for too long, or "" if the server does
// not know the transaction any more.
absl::StatusOr<std::string> OutcomeOf(const std::string& transaction,
                                      const PgConnectOptions& options) {
  ASSIGN_OR_RETURN(PgConnection target, OpenUntilLetIn(options));
  const absl::Time deadline = absl::Now() + kLetIn;
  while (true) {
    ASSIGN_OR_RETURN(std::string outcome,
                     target.QueryValue(absl::StrCat(
                         "SELECT coalesce(pg_catalog.pg_xact_status(",
                         transaction, "::xid8), '')")));
    if (outcome != "in progress" || absl::Now() > deadline) return outcome;
    absl::SleepFor(kPause);
  }
}

absl::Status LockTables(PgConnection& source,
                        const std::vector<CatalogTable>& tables) {
  for (size_t first = 0; first < tables.size(); first += kTablesPerLock) {
    const auto batch =
        absl::MakeConstSpan(tables).subspan(first, kTablesPerLock);
    const auto append = [](std::string* out, const CatalogTable& table) {
      absl::StrAppend(out, "ONLY ", Quote(table.name));
    };
    RETURN_IF_ERROR(source
                        .Exec(absl::StrCat("LOCK TABLE ",
                                           absl::StrJoin(batch, ", ", append),
                                           " IN ACCESS SHARE MODE"))
                        .status());
  }
  return absl::OkStatus();
}

absl::Status CarryLargeObject(absl::string_view oid, PgConnection& source,
                              PgConnection& target) {
  RETURN_IF_ERROR(
      target.Exec(absl::StrCat("SELECT lo_create(", oid, ")")).status());
  for (int64_t at = 0;; at += kChunkBytes) {
    ASSIGN_OR_RETURN(const std::string chunk, source.QueryValue(absl::StrCat(
                                                  "SELECT lo_get(", oid, ", ",
                                                  at, ", ", kChunkBytes, ")")));
    RETURN_IF_ERROR(target
                        .ExecParams("SELECT lo_put($1, $2, $3)",
                                    {std::string(oid), absl::StrCat(at), chunk})
                        .status());
    // As text: "\x" and two digits a byte.
    if (chunk.size() < 2 + 2 * static_cast<size_t>(kChunkBytes)) break;
  }
  return absl::OkStatus();
}

// What is done beside the one transaction, or in other ones.
absl::Status RefuseBesides(const MigrateOptions& options) {
  const absl::string_view option =
      options.scope.part == ScopePart::kSchema  ? "--schema-only"
      : options.scope.part == ScopePart::kRows  ? "--data-only"
      : options.drop_target_first               ? "--drop-target-first"
      : options.fast_target                     ? "--fast-target"
      : !options.scope.delay_table_data.empty() ? "--delay-table-data"
                                                : "";
  if (option.empty()) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(
                      absl::StrCat(option,
                                   " does not go with a server that serves one "
                                   "session (PGlite)")),
                  "go on without it: all is moved, into an empty database");
}

}  // namespace

absl::StatusOr<bool> MigrationRun::OneSessionOnly() {
  ASSIGN_OR_RETURN(source_alone_, ServesOneSession(*source_));
  ASSIGN_OR_RETURN(target_alone_, ServesOneSession(*target_));
  return source_alone_ || target_alone_;
}

absl::Status MigrationRun::MoveThroughOneSession() {
  const absl::Status moved = [this]() -> absl::Status {
    RETURN_IF_ERROR(RefuseBesides(options_));
    if (offline()) return MoveInOneTransaction();
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            source_alone_ ? "source" : "target",
            ": it serves one session, and changes cannot be followed there")),
        "move it with --mode offline");
  }();
  if (source_alone_) {
    GiveBack(source_, connector_.SourceOptions("migrate"), "source");
  }
  if (target_alone_) {
    GiveBack(target_, connector_.TargetOptions("migrate"), "target");
  }
  return moved;
}

// What the session still has would be the next client's. One that broke off in
// the middle of something, or that an interrupt would end, is left for a new
// one: when a client goes the server undoes its transaction, and nothing else.
// Whatever becomes of it, the run's result stays what it was.
void MigrationRun::GiveBack(std::optional<PgConnection>& session,
                            const PgConnectOptions& options,
                            absl::string_view side) {
  if (session && !session->broken() && !control_.stop_requested() &&
      CleanSharedSession(*session).ok()) {
    return;
  }
  session.reset();
  absl::StatusOr<PgConnection> another = OpenUntilLetIn(options);
  const absl::Status cleaned =
      another.ok() ? CleanSharedSession(*another) : another.status();
  if (cleaned.ok()) return;
  Notify(Notice::Level::kWarning,
         absl::StrCat(side,
                      ": the session that all share was not put back as it "
                      "was: ",
                      cleaned.message(), "; DISCARD ALL there does it"));
}

absl::Status MigrationRun::MoveInOneTransaction() {
  RETURN_IF_ERROR(
      PinSettings(*source_, connector_.SourceOptions("migrate").settings));
  RETURN_IF_ERROR(
      PinSettings(*target_, connector_.TargetOptions("migrate").settings));
  RETURN_IF_ERROR(FindTools());
  RETURN_IF_ERROR(RunChecks());
  RETURN_IF_ERROR(Enter(Phase::kPrepare));
  RETURN_IF_ERROR(DumpAlone());
  RETURN_IF_ERROR(Enter(Phase::kSchema));
  RETURN_IF_ERROR(RunPreamble(*target_, dump_->script.preamble));
  RETURN_IF_ERROR(ConfigureCopyTarget(*target_, CopySession(), encoding_));
  RETURN_IF_ERROR(target_->Exec("BEGIN").status());
  const SchemaPlan plan =
      PlanSchema(std::move(dump_->script.entries), catalog_);
  RETURN_IF_ERROR(CreateBeforeRows(plan.pre_data));
  RETURN_IF_ERROR(Enter(Phase::kCopy));
  RETURN_IF_ERROR(CopyRowsAlone());
  RETURN_IF_ERROR(Enter(Phase::kIndexes));
  RETURN_IF_ERROR(RunStages(plan, {SchemaStage::kIndexes, SchemaStage::kObjects,
                                   SchemaStage::kForeignKeys}));
  RETURN_IF_ERROR(SetSequencesAndViews());
  RETURN_IF_ERROR(
      RunStages(plan, {SchemaStage::kTriggers, SchemaStage::kEventTriggers}));
  RETURN_IF_ERROR(AnalyzeAlone());
  RETURN_IF_ERROR(source_->Exec("COMMIT").status());
  RETURN_IF_ERROR(CommitTarget());
  report_.name = options_.endpoints.name;
  report_.offline = true;
  report_.elapsed = absl::Now() - started_;
  RemarkOnSequences();
  report_.remarks.push_back(
      "nothing that was written to the source since its rows were read is on "
      "the target");
  return Enter(Phase::kDone);
}

// The source's session is given to pg_dump and taken again.
absl::Status MigrationRun::DumpAlone() {
  ASSIGN_OR_RETURN(Catalog catalog, ReadCatalog(*source_, scope_));
  ASSIGN_OR_RETURN(facts_, ReadSchemaFacts(*source_, catalog));
  catalog_ = catalog;
  RETURN_IF_ERROR(CleanSharedSession(*source_));
  source_.reset();
  ASSIGN_OR_RETURN(dump_, DumpUntilLetIn(encoding_));
  RETURN_IF_ERROR(OpenSourceAgain());
  ASSIGN_OR_RETURN(const SchemaFacts now, ReadSchemaFacts(*source_, catalog));
  const std::vector<std::string> differences =
      DescribeFactDifferences(facts_, now);
  if (!differences.empty()) {
    return absl::AbortedError(
        absl::StrCat("source: the schema changed while it was dumped: ",
                     absl::StrJoin(differences, ", ")));
  }
  RETURN_IF_ERROR(HoldSource(catalog));
  ASSIGN_OR_RETURN(dump_->left_out,
                   LeaveOutWhatNeeds(catalog_, *source_, dump_->script));
  TellOfDump();
  return absl::OkStatus();
}

absl::StatusOr<SchemaDump> MigrationRun::DumpUntilLetIn(
    const std::string& encoding) {
  const absl::Time deadline = absl::Now() + kLetIn;
  while (true) {
    RETURN_IF_ERROR(control_.interrupt().Sleep(kPause));
    absl::StatusOr<SchemaDump> dump =
        DumpSchemaAlone(DumpOptions(), catalog_, encoding);
    if (!MayBeLetInLater(dump.status()) || absl::Now() > deadline) return dump;
  }
}

absl::Status MigrationRun::OpenSourceAgain() {
  const absl::Time deadline = absl::Now() + kLetIn;
  while (!source_) {
    RETURN_IF_ERROR(control_.interrupt().Sleep(kPause));
    absl::StatusOr<PgConnection> opened = connector_.OpenSource("migrate");
    if (opened.ok()) {
      source_ = *std::move(opened);
    } else if (!MayBeLetInLater(opened.status()) || absl::Now() > deadline) {
      return opened.status();
    }
  }
  RETURN_IF_ERROR(CleanSharedSession(*source_));
  RETURN_IF_ERROR(
      PinSettings(*source_, connector_.SourceOptions("migrate").settings));
  return SpeakNameEncoding(*source_, *target_);
}

// Locked before the first statement takes the snapshot: no table can be emptied
// or rewritten between the two.
absl::Status MigrationRun::HoldSource(const Catalog& dumped) {
  RETURN_IF_ERROR(ConfigureCopySource(*source_, CopySession()));
  RETURN_IF_ERROR(
      source_->Exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
          .status());
  RETURN_IF_ERROR(LockTables(*source_, dumped.tables));
  ASSIGN_OR_RETURN(const PgResult position,
                   source_->Exec("SELECT CASE WHEN pg_is_in_recovery() THEN "
                                 "pg_last_wal_replay_lsn() ELSE "
                                 "pg_current_wal_insert_lsn() END"));
  ASSIGN_OR_RETURN(report_.applied_lsn, position.LsnAt(0, 0));
  ASSIGN_OR_RETURN(catalog_, ReadCatalog(*source_, scope_));
  const std::string difference = DescribeShapeDifference(dumped, catalog_);
  if (difference.empty()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "source: the schema changed since it was dumped: ", difference));
}

absl::Status MigrationRun::CreateBeforeRows(
    const std::vector<DumpEntry>& entries) {
  for (const DumpEntry& entry : entries) {
    if (entry.sql.empty()) continue;
    const bool may_fail = IsExtensionComment(entry);
    if (may_fail) RETURN_IF_ERROR(target_->Exec("SAVEPOINT comment").status());
    const absl::Status made = target_->Exec(entry.sql).status();
    if (may_fail && SqlStateOf(made) == "42501") {
      RETURN_IF_ERROR(target_->Exec("ROLLBACK TO SAVEPOINT comment").status());
      Notify(Notice::Level::kWarning,
             absl::StrCat("the comment was not set: ", entry.name, ": ",
                          made.message()));
      continue;
    }
    RETURN_IF_ERROR(EntryError(made, entry.Display(), entry.sql));
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::CopyRowsAlone() {
  const bool inserts = options_.inserts || target_alone_;
  Progress progress{.phase = Phase::kCopy};
  for (const CatalogTable& table : catalog_.tables) {
    progress.items_total += table.copy_data ? 1 : 0;
    progress.bytes_total += table.copy_data ? table.bytes : 0;
  }
  report_.tables = progress.items_total;
  CopyCounters counters;
  for (const CatalogTable& table : catalog_.tables) {
    if (!table.copy_data) continue;
    const std::string name = ToDisplay(table.name);
    progress.elapsed = absl::Now() - phase_started_;
    progress.active = {{.name = name, .bytes_total = table.bytes}};
    events_.OnEvent(progress);
    const std::string copy_out = CopyOutSql(table, LedgerRange{});
    const absl::StatusOr<int64_t> rows =
        inserts ? InsertRows(*source_, copy_out, *target_, table, counters)
                : PipeRows(*source_, copy_out, *target_,
                           CopyInSql(table, CopyFreeze::kNo), counters);
    if (!rows.ok()) {
      return Annotate(rows.status(), absl::StrCat("table ", name));
    }
    report_.rows_copied += *rows;
    progress.rows = report_.rows_copied;
    progress.bytes = counters.bytes.load();
    ++progress.items_done;
  }
  report_.bytes_copied = progress.bytes;
  progress.active.clear();
  events_.OnEvent(progress);
  if (!CarriesLargeObjects(options_)) return absl::OkStatus();
  return Annotate(CopyLargeObjectsAlone(), "large objects");
}

absl::Status MigrationRun::CopyLargeObjectsAlone() {
  ASSIGN_OR_RETURN(
      const PgResult objects,
      source_->Exec("SELECT oid FROM pg_largeobject_metadata ORDER BY oid"));
  for (int row = 0; row < objects.rows(); ++row) {
    const absl::string_view oid = objects.Text(row, 0);
    RETURN_IF_ERROR(CarryLargeObject(oid, *source_, *target_));
    ASSIGN_OR_RETURN(
        const PgResult facts,
        source_->Exec(LargeObjectFactsSql(absl::StrCat("{", oid, "}"),
                                          options_.no_owner, options_.no_acl)));
    for (int fact = 0; fact < facts.rows(); ++fact) {
      RETURN_IF_ERROR(target_->Exec(std::string(facts.Text(fact, 0))).status());
    }
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::RunStages(const SchemaPlan& plan,
                                     const std::vector<SchemaStage>& stages) {
  absl::flat_hash_set<std::string> done;
  for (const SchemaStep& step : plan.steps) {
    if (step.stage < stages.front()) done.insert(step.id);
  }
  for (const SchemaStage stage : stages) {
    StepQueue queue(plan.steps, stage, done);
    RETURN_IF_ERROR(queue.Check());
    while (const std::optional<size_t> place = queue.Take()) {
      const SchemaStep& step = plan.steps[*place];
      RETURN_IF_ERROR(
          EntryError(target_->Exec(step.sql).status(), step.display, step.sql));
      queue.Finish(*place);
      done.insert(step.id);
    }
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::AnalyzeAlone() {
  if (!options_.analyze) return absl::OkStatus();
  std::vector<QualifiedName> names = catalog_.partitioned;
  for (const CatalogTable& table : catalog_.tables) names.push_back(table.name);
  for (const QualifiedName& name : names) {
    RETURN_IF_ERROR(
        Annotate(target_->Exec(absl::StrCat("ANALYZE ", Quote(name))).status(),
                 absl::StrCat("ANALYZE ", ToDisplay(name))));
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::CommitTarget() {
  ASSIGN_OR_RETURN(
      const std::string transaction,
      target_->QueryValue("SELECT quote_literal(pg_current_xact_id()::text)"));
  const absl::StatusOr<PgResult> committed = target_->Exec("COMMIT");
  if (!committed.ok() && target_->broken()) {
    return SettleCommit(transaction, committed.status());
  }
  RETURN_IF_ERROR(committed.status());
  if (committed->command_tag() == "COMMIT") return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("COMMIT was answered by ", committed->command_tag()));
}

// The answer to COMMIT was lost. Another attempt may only follow if nothing is
// there: it would find its own tables.
absl::Status MigrationRun::SettleCommit(const std::string& transaction,
                                        const absl::Status& lost) {
  target_.reset();
  const absl::StatusOr<std::string> outcome =
      OutcomeOf(transaction, connector_.TargetOptions("migrate"));
  if (outcome.ok() && *outcome == "committed") return absl::OkStatus();
  if (outcome.ok() && *outcome == "aborted") {
    return Annotate(lost, "target: nothing was committed");
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "target: whether all was committed is not known: ", lost.message(),
          outcome.ok() ? "" : "; asked once more: ",
          outcome.status().message())),
      "look whether the tables are there: if they are, so are all rows, and "
      "the migration is done; if not, run the same command again");
}

}  // namespace walferry
