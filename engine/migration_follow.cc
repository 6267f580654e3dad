// follow and cutover.

#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/cutover.h"
#include "engine/matviews.h"
#include "engine/migration_run.h"
#include "engine/schema_change.h"
#include "engine/sequences.h"
#include "engine/table_copy.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How often the source's catalog is looked at for tables that the migration
// does not know.
constexpr absl::Duration kCatalogInterval = absl::Seconds(10);
// How often the ledger is asked for a request to cut over.
constexpr absl::Duration kAskInterval = absl::Milliseconds(200);
// How long an unasked source must have been still to count as stopped: a pool's
// idle moment is not the end.
constexpr absl::Duration kQuietForAuto = absl::Seconds(1);
constexpr absl::Duration kQuietForAsked = absl::Milliseconds(100);

struct ExpectedTable {
  std::vector<std::pair<std::string, uint32_t>> columns;
  RelationPolicy policy;
};

std::string DescribeColumns(const SourceRelation& now,
                            const ExpectedTable& expected) {
  std::vector<std::string> differences;
  for (const SourceColumn& column : now.columns) {
    bool known = false;
    for (const auto& [name, type] : expected.columns) {
      if (name != column.name) continue;
      known = true;
      if (type != column.type_oid) {
        differences.push_back(
            absl::StrCat("column ", column.name, " changed its type"));
      }
    }
    if (!known) {
      differences.push_back(
          absl::StrCat("column ", column.name, " was added or renamed"));
    }
  }
  for (const auto& [name, type] : expected.columns) {
    bool found = false;
    for (const SourceColumn& column : now.columns) {
      found |= column.name == name;
    }
    if (!found) {
      differences.push_back(
          absl::StrCat("column ", name, " was dropped or renamed"));
    }
  }
  return absl::StrJoin(differences, ", ");
}

}  // namespace

// Asked by the reading thread about every relation of the stream.
RelationGate MigrationRun::Gate() const {
  auto expected =
      std::make_shared<absl::flat_hash_map<QualifiedName, ExpectedTable>>();
  for (const CatalogTable& table : catalog_.tables) {
    ExpectedTable entry;
    for (const CatalogColumn& column : table.columns) {
      if (column.generated == 0) {
        entry.columns.emplace_back(column.name, column.type_oid);
      }
    }
    const auto copied_at = copied_at_.find(table.name);
    entry.policy = {
        .apply = table.copy_data,
        .copied_at = copied_at == copied_at_.end() ? Lsn() : copied_at->second};
    expected->emplace(table.name, std::move(entry));
  }
  // By name, and not by the scope's patterns alone: a partition goes with its
  // parents.
  const auto excluded =
      std::make_shared<const absl::flat_hash_set<QualifiedName>>(
          catalog_.excluded_tables.begin(), catalog_.excluded_tables.end());
  const auto scope = std::make_shared<const Scope>(scope_);
  return [expected, excluded, scope](
             const SourceRelation& relation) -> absl::StatusOr<RelationPolicy> {
    const auto found = expected->find(relation.name);
    if (found == expected->end()) {
      if (excluded->contains(relation.name) ||
          !scope->IncludesTable(relation.name)) {
        return RelationPolicy{.apply = false};
      }
      return SchemaChanged({absl::StrCat("table ", ToDisplay(relation.name),
                                         " was created or renamed")});
    }
    const std::string difference = DescribeColumns(relation, found->second);
    if (!difference.empty()) {
      return SchemaChanged(
          {absl::StrCat("table ", ToDisplay(relation.name), ": ", difference)});
    }
    return found->second.policy;
  };
}

absl::Status MigrationRun::Follow() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  for (const LedgerTable& table : tables) {
    copied_at_[table.table] = table.lsn;
  }
  RETURN_IF_ERROR(
      Enter(Phase::kFollow, known_->phase == PhaseName(Phase::kFollow)));
  ASSIGN_OR_RETURN(
      std::unique_ptr<StreamRun> run,
      StreamRun::Start(
          {.connector = connector_,
           .slot = slot_,
           .publications = {publication_},
           .client_encoding = encoding_,
           .trigger_guard = defer_triggers_ ? TriggerGuard::kNone
                                            : TriggerGuard::kReplicaRole,
           .gate = Gate(),
           .stream = options_.stream},
          events_));
  Follower follower({.run = *run,
                     .source = *source_,
                     .ledger = *ledger_,
                     .control = control_,
                     .events = events_,
                     .options = options_.stream,
                     .slot = slot_});
  const absl::Status followed = FollowUntilCutover(follower, *run);
  progressed_ |= follower.progressed();
  return followed;
}

absl::Status MigrationRun::FollowUntilCutover(Follower& follower,
                                              StreamRun& run) {
  absl::Time next_look = absl::Now() + kCatalogInterval;
  absl::Time next_ask = absl::InfinitePast();
  while (true) {
    RETURN_IF_ERROR(follower.Turn());
    const absl::Time now = absl::Now();
    if (now >= next_look) {
      RETURN_IF_ERROR(WatchCatalog());
      next_look = absl::Now() + kCatalogInterval;
    }
    if (now < next_ask) continue;
    next_ask = now + kAskInterval;
    ASSIGN_OR_RETURN(const bool asked, CutoverIsAskedFor(follower));
    if (!asked) continue;
    const absl::StatusOr<absl::Duration> pause = TryCutover(follower, run);
    if (pause.ok()) return Finish(run, *pause);
    if (!absl::IsDeadlineExceeded(pause.status()) || source_->broken()) {
      return pause.status();
    }
    control_.WithdrawCutover();
    RETURN_IF_ERROR(ledger_->EndCutoverRequest(pause.status().message()));
    RETURN_IF_ERROR(Enter(Phase::kFollow, /*resumed=*/true));
    Notify(Notice::Level::kWarning,
           absl::StrCat(
               "cutover given up, still following: ", pause.status().message(),
               "; stop the writers and ask again"));
  }
}

absl::StatusOr<bool> MigrationRun::CutoverIsAskedFor(const Follower& follower) {
  if (!follower.caught_up()) return false;
  if (options_.cutover == CutoverMode::kAuto) return true;
  if (control_.cutover_requested()) return true;
  ASSIGN_OR_RETURN(const bool requested, ledger_->CutoverRequested());
  return requested;
}

absl::StatusOr<absl::Duration> MigrationRun::TryCutover(Follower& follower,
                                                        StreamRun& run) {
  RETURN_IF_ERROR(Enter(Phase::kCutover));
  const bool asked =
      options_.cutover == CutoverMode::kManual || control_.cutover_requested();
  if (options_.freeze == FreezeMode::kReadOnly) {
    RETURN_IF_ERROR(
        ledger_->AddObject({.side = Side::kSource,
                            .kind = "setting",
                            .identity = "default_transaction_read_only"}));
  }
  return CutOver(
      {.freeze = options_.freeze,
       .quiet_for = asked ? kQuietForAsked : kQuietForAuto,
       .timeout = asked ? options_.cutover_timeout : absl::InfiniteDuration()},
      follower, run, *source_, [this] { return FinishTarget(); });
}

absl::Status MigrationRun::WatchCatalog() {
  ASSIGN_OR_RETURN(const Catalog now, ReadCatalog(*source_, scope_));
  const std::string difference = DescribeShapeDifference(catalog_, now);
  if (difference.empty()) return absl::OkStatus();
  return SchemaChanged({difference});
}

// What the stream does not carry.
absl::Status MigrationRun::FinishTarget() {
  RETURN_IF_ERROR(WatchCatalog());
  RETURN_IF_ERROR(CopyUnlogged());
  if (options_.sequence_sync) {
    ASSIGN_OR_RETURN(report_.sequences_set,
                     SyncSequences(*source_, *target_, catalog_.sequences));
  }
  ASSIGN_OR_RETURN(
      report_.materialized_views_refreshed,
      RefreshMaterializedViews(*target_, catalog_.materialized_views,
                               [this](absl::string_view view) {
                                 Notify(Notice::Level::kInfo,
                                        absl::StrCat("refreshing ", view));
                               }));
  if (defer_triggers_) {
    RETURN_IF_ERROR(
        RestoreStages({SchemaStage::kForeignKeys, SchemaStage::kTriggers,
                       SchemaStage::kEventTriggers}));
  }
  return absl::OkStatus();
}

// Their changes are in no log: they are copied once more, from the still
// source.
absl::Status MigrationRun::CopyUnlogged() {
  for (const CatalogTable& table : catalog_.tables) {
    if (!table.unlogged || !table.copy_data) continue;
    ASSIGN_OR_RETURN(PgConnection from, OpenCopySource(CopySession()));
    ASSIGN_OR_RETURN(PgConnection to, OpenCopyTarget(CopySession(), encoding_));
    CopyCounters counters;
    RETURN_IF_ERROR(
        to.Exec(absl::StrCat("BEGIN; DELETE FROM ONLY ", Quote(table.name), " ",
                             table.config_condition))
            .status());
    RETURN_IF_ERROR(
        Annotate(PipeRows(from, CopyOutSql(table, LedgerRange{}), to,
                          CopyInSql(table, CopyFreeze::kNo), counters)
                     .status(),
                 absl::StrCat("unlogged table ", ToDisplay(table.name))));
    RETURN_IF_ERROR(to.Exec("COMMIT").status());
  }
  return absl::OkStatus();
}

}  // namespace walferry
