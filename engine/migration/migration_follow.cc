// The stream: until all tables have come together, and until the cutover.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "apply/text_needed.h"
#include "engine/catalog/publication.h"
#include "engine/catalog/schema_change.h"
#include "engine/ledger/joint_cutover.h"
#include "engine/migration/migration_run.h"
#include "engine/stream/binary_stream.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How often the source's catalog is looked at for tables that the migration
// does not know, or does not get any more.
constexpr absl::Duration kWatchInterval = absl::Seconds(10);
// How often the ledger is asked for a request to cut over.
constexpr absl::Duration kAskInterval = absl::Milliseconds(200);

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
  return [expected, excluded, scope, sealed = sealed_](
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
      return ShapeChanged(relation.name, difference);
    }
    if (sealed && found->second.policy.apply)
      return WrittenTooLate(relation.name);
    return found->second.policy;
  };
}

absl::StatusOr<std::unique_ptr<StreamRun>> MigrationRun::StartStream(
    std::optional<Lsn> until) {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  for (const LedgerTable& table : tables) {
    copied_at_[table.table] = table.lsn;
  }
  return StreamRun::Start(
      {.connector = connector_,
       .slot = slot_,
       .publications = {publication_},
       .start = consistent_point_,
       .client_encoding = encoding_,
       .trigger_guard =
           may_guard_ ? TriggerGuard::kReplicaRole : TriggerGuard::kNone,
       .until = until,
       .gate = Gate(),
       .text_only = text_only_,
       .stream = options_.stream},
      events_);
}

bool MigrationRun::TurnToText(const absl::Status& status) {
  if (!IsTextNeeded(status) || std::exchange(text_only_, true)) return false;
  events_.OnEvent(TurnedToText(status));
  return true;
}

Follower::Context MigrationRun::FollowContext(StreamRun& run) {
  return {.run = run,
          .source = *source_,
          .ledger = *ledger_,
          .control = control_,
          .events = events_,
          .options = options_.stream,
          .totals = followed_,
          .slot = slot_};
}

// Tables that were copied by different runs are as of different positions:
// what refers from one to another holds only once the stream has brought all
// of them to the last one.
absl::Status MigrationRun::BringTablesTogether() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  ASSIGN_OR_RETURN(const std::optional<LedgerStream> stream, ledger_->Stream());
  Lsn first(std::numeric_limits<uint64_t>::max());
  Lsn last;
  for (const LedgerTable& table : tables) {
    const CatalogTable* const known = catalog_.Find(table.table);
    if (known == nullptr || !known->copy_data) continue;
    first = std::min(first, table.lsn);
    last = std::max(last, table.lsn);
  }
  if (stream) first = std::max(first, stream->applied_lsn);
  if (first >= last) return absl::OkStatus();
  return DrainTo(last, Phase::kIndexes, "all tables to come to one position");
}

// Follows by a stream of its own, up to `end`.
absl::Status MigrationRun::DrainTo(Lsn end, Phase phase,
                                   std::string waiting_for) {
  ASSIGN_OR_RETURN(const std::unique_ptr<StreamRun> run, StartStream(end));
  Follower follower(FollowContext(*run));
  follower.SetPhase(phase);
  follower.SetWaitingFor(std::move(waiting_for));
  const absl::Status arrived = follower.DrainTo(end, absl::InfiniteFuture());
  const absl::Status stopped = run->Stop();
  follower.AddToTotals();
  progressed_ |= follower.progressed();
  RETURN_IF_ERROR(arrived);
  return stopped;
}

absl::Status MigrationRun::Follow() {
  RETURN_IF_ERROR(Enter(Phase::kFollow, Followed()));
  ASSIGN_OR_RETURN(const std::unique_ptr<StreamRun> run,
                   StartStream(/*until=*/std::nullopt));
  Follower follower(FollowContext(*run));
  const absl::Status followed = FollowUntilCutover(follower, *run);
  held_states_.clear();
  proving_.reset();
  // Its own error is known already.
  if (!followed.ok()) run->Stop().IgnoreError();
  follower.AddToTotals();
  progressed_ |= follower.progressed();
  if (joint() && !followed.ok()) joint_->Leave(followed);
  return followed;
}

absl::Status MigrationRun::FollowUntilCutover(Follower& follower,
                                              StreamRun& run) {
  next_watch_ = absl::Now() + kWatchInterval;
  RETURN_IF_ERROR(BeginMeetings());
  absl::Time next_ask = absl::InfinitePast();
  absl::Time next_meeting = absl::InfinitePast();
  bool told = options_.cutover == CutoverMode::kAuto || joint();
  while (true) {
    RETURN_IF_ERROR(follower.Turn());
    const absl::Time now = absl::Now();
    if (follower.caught_up() && !std::exchange(told, true)) {
      Notify(Notice::Level::kInfo,
             "to cut over, stop the applications and press Ctrl+C once, or run "
             "`walferry cutover`");
    }
    RETURN_IF_ERROR(WatchSourceIfDue());
    if (now >= next_meeting) {
      RETURN_IF_ERROR(ServeMeetings(follower, run));
      follower.SetWaitingFor(AppliersAreHeld() ? "a repair of rows to end"
                                               : "");
      next_meeting = absl::Now() + kAskInterval;
    }
    RETURN_IF_ERROR(ProveIfDue(follower));
    if (now < next_ask) continue;
    next_ask = now + kAskInterval;
    ASSIGN_OR_RETURN(const bool asked, CutoverIsAskedFor(follower));
    if (!asked) continue;
    RETURN_IF_ERROR(LetAppliersGoOn("a cutover has begun"));
    follower.SetWaitingFor("");
    const absl::StatusOr<absl::Time> still_since = TryCutover(follower, run);
    if (still_since.ok()) return Finish(run, *still_since);
    const absl::Status& why = still_since.status();
    if (!absl::IsDeadlineExceeded(why) || source_->broken()) return why;
    follower.SetPhase(Phase::kFollow);
    follower.SetWaitingFor("");
    // It could not be thawed: the next attempt begins with that.
    if (joint() && frozen_) return why;
    if (joint()) {
      // Whoever leads it tells why.
      joint_->Leave(why);
      RETURN_IF_ERROR(Enter(Phase::kFollow, /*resumed=*/true));
      continue;
    }
    control_.WithdrawCutover();
    RETURN_IF_ERROR(ledger_->EndCutoverRequest(why.message()));
    if (frozen_) return why;
    if (options_.cutover == CutoverMode::kAuto) {
      next_ask = absl::Now() + options_.cutover_timeout;
    }
    RETURN_IF_ERROR(Enter(Phase::kFollow, /*resumed=*/true));
    Notify(
        Notice::Level::kWarning,
        absl::StrCat(
            "cutover given up, still following: ", why.message(),
            options_.cutover == CutoverMode::kAuto
                ? absl::StrCat("; trying again in ",
                               absl::FormatDuration(options_.cutover_timeout))
                : "; stop the writers and ask again"));
  }
}

// Whoever asks this one alone is told whom to ask.
absl::StatusOr<bool> MigrationRun::JointCutoverBegins(
    const Follower& follower) {
  ASSIGN_OR_RETURN(const bool requested, ledger_->CutoverRequested());
  if (requested) {
    RETURN_IF_ERROR(ledger_->EndCutoverRequest(
        "it is cut over together with all other databases, by `walferry "
        "cutover` with the --target of the command that moves them"));
  }
  // It is not near while a repair holds it, which the cutover ends.
  return joint_->Begins(follower.is_near() || AppliersAreHeld());
}

absl::StatusOr<bool> MigrationRun::CutoverIsAskedFor(const Follower& follower) {
  asked_in_ledger_ = false;
  if (joint()) return JointCutoverBegins(follower);
  if (!follower.caught_up()) return false;
  if (options_.cutover == CutoverMode::kAuto) return true;
  if (control_.cutover_requested()) return true;
  ASSIGN_OR_RETURN(asked_in_ledger_, ledger_->CutoverRequested());
  return asked_in_ledger_;
}

absl::Status MigrationRun::WatchSourceIfDue() {
  if (absl::Now() < next_watch_) return absl::OkStatus();
  const absl::Status watched = WatchSource();
  // Somebody rewrites a table. The cutover looks once more, and waits.
  if (SqlStateOf(watched) != "55P03") return watched;
  next_watch_ = absl::Now() + kWatchInterval;
  return absl::OkStatus();
}

// A table that came or changed, or that is not published any more: its changes
// would be missing without a word.
absl::Status MigrationRun::WatchSource() {
  ASSIGN_OR_RETURN(Catalog now,
                   ReadCatalog(*source_, scope_, CatalogSizes::kNo));
  const std::string difference = DescribeShapeDifference(catalog_, now);
  if (!difference.empty()) return SchemaChanged({difference});
  // What is out of scope may come and go.
  catalog_.excluded_tables = std::move(now.excluded_tables);
  catalog_.excluded_schemas = std::move(now.excluded_schemas);
  RETURN_IF_ERROR(CheckStillPublished());
  next_watch_ = absl::Now() + kWatchInterval;
  return absl::OkStatus();
}

absl::Status MigrationRun::CheckStillPublished() {
  const bool publishes_any =
      std::any_of(catalog_.tables.begin(), catalog_.tables.end(),
                  [](const CatalogTable& table) {
                    return table.copy_data && !table.unlogged;
                  });
  if (!publishes_any) return absl::OkStatus();
  const absl::Status covers =
      CheckPublicationCovers(*source_, publication_, catalog_.tables);
  if (!absl::IsFailedPrecondition(covers) && !absl::IsNotFound(covers)) {
    return covers;
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the publication was altered since the migration began: ",
          covers.message())),
      "changes may be lost: run `walferry cleanup`, empty the target and begin "
      "again");
}

}  // namespace walferry
