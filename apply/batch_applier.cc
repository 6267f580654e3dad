#include "apply/batch_applier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "apply/ahead_changes.h"
#include "apply/applied_counts.h"
#include "apply/conflict_facts.h"
#include "apply/exact_changes.h"
#include "apply/min_copy_rows.h"
#include "apply/set_changes.h"
#include "apply/table_cache.h"
#include "apply/table_check.h"
#include "apply/target_transaction.h"
#include "apply/text_needed.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A set that failed is not halved further than to so many changes.
constexpr size_t kExactRun = 64;

// How often a batch is tried whose session the server takes for part of a
// deadlock: the other sessions of the stream give way meanwhile.
constexpr int kDeadlockTries = 5;
constexpr absl::string_view kDeadlock = "40P01";

// Where the sets of a run of changes begin.
constexpr absl::string_view kRangeSavepoint = "walferry_range";

// The target's table is no longer as it was when its statements were made:
// undefined column or table, another type, a plan whose result has changed, a
// column that became generated.
bool MeansAlteredTable(absl::string_view sqlstate) {
  return sqlstate == "42703" || sqlstate == "42P01" || sqlstate == "42804" ||
         sqlstate == "0A000" || sqlstate == "428C9";
}

// Neither time nor another connection heals it.
bool NeedsOperator(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kPermissionDenied:
      return false;
    default:
      return true;
  }
}

// kFailedPrecondition instead of what the SQLSTATE alone would say.
absl::Status ForOperator(const absl::Status& status) {
  if (!NeedsOperator(status.code())) return status;
  absl::Status result(absl::StatusCode::kFailedPrecondition, status.message());
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    result.SetPayload(url, payload);
  });
  return result;
}

class BatchApplier final : public AheadApplier {
 public:
  // `in_flight` is null for one that works alone.
  BatchApplier(ApplySession& session, const BatchApplierOptions& options,
               KeysInFlight* in_flight)
      : session_(session),
        sets_allowed_(options.sets),
        reached_(session.position()),
        transaction_(session, options.pipeline_bytes),
        tables_(session.connection()),
        exact_(session, transaction_, tables_, applied_),
        check_(session, transaction_, tables_),
        sets_(session, transaction_, tables_, exact_, check_, applied_,
              {.min_changes = options.min_set_changes,
               .min_changes_per_apart = options.min_changes_per_apart,
               .min_copy_rows =
                   MinCopyRows(options.min_copy_rows, session.round_trip())}) {
    if (in_flight == nullptr) return;
    ahead_.emplace(session, transaction_, tables_, exact_, sets_, check_,
                   applied_, *in_flight,
                   AheadChanges::Options{
                       .min_set_changes = options.min_set_changes,
                       .min_share_ahead = options.min_share_ahead,
                       .ask_for_taken_values = options.ask_for_taken_values,
                       .longest_pause = options.longest_pause});
  }

  void Enter(const ChangeBatch& batch) override;
  void ApplyAhead(const ChangeBatch& batch) override;
  void GiveWay(int pid) override;
  void GiveUp() override;
  int64_t undone() const override { return ahead_ ? ahead_->undone() : 0; }
  int session_pid() const override { return session_.server_pid(); }

  absl::StatusOr<ApplyCounts> Apply(const ChangeBatch& batch) override;
  absl::Status Advance(Lsn position) override;
  const std::optional<Conflict>& conflict() const override { return conflict_; }
  int64_t fallbacks() const override { return fallbacks_; }

 private:
  absl::Status CheckUsable() const;
  absl::Status CheckOrder(const ChangeBatch& batch) const;
  absl::Status ApplyWhole(const ChangeBatch& batch, const ApplyCounts& counts);
  absl::Status Attempt(const ChangeBatch& batch, const ApplyCounts& counts);
  absl::Status LoadTables(const ChangeBatch& batch);
  absl::Status LoadTable(const ChangeBatch& batch,
                         const SourceRelation& relation);
  absl::Status ApplyAll(const ChangeBatch& batch);
  absl::Status ApplyRange(const ChangeBatch& batch, size_t first, size_t last);
  absl::Status ApplyExactly(size_t first, size_t last);
  absl::Status FallBack(const ChangeBatch& batch, size_t first, size_t last,
                        CountsByTable before);
  bool MayFallBack(const absl::Status& failure, int64_t begin) const;
  bool MayBeStale(const absl::Status& status) const;
  // The change that the last failure is about, if it is about one.
  std::optional<size_t> FailedChange() const;
  absl::Status Explain(const ChangeBatch& batch, const absl::Status& status);

  const ApplySession& session_;
  const bool sets_allowed_;
  Lsn reached_;  // The end of the last transaction taken, or the position.
  TargetTransaction transaction_;
  TableCache tables_;
  AppliedCounts applied_;
  ExactChanges exact_;
  TableCheck check_;
  SetChanges sets_;
  std::optional<AheadChanges> ahead_;
  ApplyCounts uncommitted_;  // Of the batches before, in the open transaction.
  std::optional<size_t> loading_;  // The change whose table is being read.
  bool reload_tables_ = false;
  int64_t fallbacks_ = 0;
  bool failed_ = false;
  std::optional<Conflict> conflict_;
};

void BatchApplier::Enter(const ChangeBatch& batch) {
  if (!ahead_) return;
  if (std::exchange(reload_tables_, false)) tables_.Clear();
  const bool usable = !failed_ && !transaction_.connection_broken();
  const bool loaded = usable && !transaction_.open() && LoadTables(batch).ok();
  loading_.reset();
  ahead_->Enter(batch, loaded);
}

void BatchApplier::ApplyAhead(const ChangeBatch& batch) {
  if (!ahead_ || !sets_allowed_ || failed_) return;
  if (!ahead_->Begin(batch).ok()) ahead_->Undo();
}

void BatchApplier::GiveWay(int pid) {
  if (ahead_ && ahead_->begun() && ahead_->IsInTheWayOf(pid)) ahead_->Undo();
}

void BatchApplier::GiveUp() {
  if (ahead_ && ahead_->begun()) ahead_->Undo();
}

absl::StatusOr<ApplyCounts> BatchApplier::Apply(const ChangeBatch& batch) {
  RETURN_IF_ERROR(CheckUsable());
  if (batch.empty()) return ApplyCounts{};
  RETURN_IF_ERROR(CheckOrder(batch));
  const ApplyCounts counts = CountsOf(batch);
  absl::Status status;
  bool done = false;
  if (ahead_ && ahead_->begun()) {
    status = ahead_->Finish(batch, {.position = batch.end_lsn(),
                                    .commit_time = batch.commit_time(),
                                    .counts = counts});
    // Without its transaction the batch may be committed.
    done =
        status.ok() || transaction_.connection_broken() || !transaction_.open();
    if (!done) ahead_->Undo();
  }
  if (!done) status = ApplyWhole(batch, counts);
  if (!status.ok()) {
    failed_ = true;
    const absl::Status explained = Explain(batch, status);
    transaction_.Abandon();
    return explained;
  }
  if (ahead_) ahead_->Leave();
  batch.open() ? applied_.Carry() : applied_.Clear();
  uncommitted_ = batch.open() ? Sum(uncommitted_, counts) : ApplyCounts{};
  reached_ = std::max(reached_, batch.end_lsn());
  return counts;
}

absl::Status BatchApplier::ApplyWhole(const ChangeBatch& batch,
                                      const ApplyCounts& counts) {
  const bool fresh = !transaction_.open();
  if (std::exchange(reload_tables_, false)) tables_.Clear();
  absl::Status status = Attempt(batch, counts);
  if (fresh && MayBeStale(status)) {
    transaction_.Abandon();
    tables_.Clear();
    status = Attempt(batch, counts);
  }
  for (int tries = 1; ahead_ && fresh && tries < kDeadlockTries &&
                      SqlStateOf(status) == kDeadlock;
       ++tries) {
    transaction_.Abandon();
    status = Attempt(batch, counts);
  }
  return status;
}

absl::Status BatchApplier::Advance(Lsn position) {
  RETURN_IF_ERROR(CheckUsable());
  if (transaction_.open()) {
    return absl::InternalError("the position cannot move inside a transaction");
  }
  if (position <= reached_) return absl::OkStatus();
  absl::Status status = transaction_.Begin();
  if (status.ok()) status = transaction_.Store({.position = position});
  if (status.ok()) status = transaction_.Commit(applied_);
  if (!status.ok()) {
    failed_ = true;
    transaction_.Abandon();
    return status;
  }
  reached_ = position;
  return absl::OkStatus();
}

absl::Status BatchApplier::CheckUsable() const {
  if (!failed_) return absl::OkStatus();
  return absl::FailedPreconditionError("the applier has failed before");
}

absl::Status BatchApplier::CheckOrder(const ChangeBatch& batch) const {
  Lsn reached = reached_;
  for (const BatchTransaction& transaction : batch.transactions()) {
    if (!transaction.complete) continue;
    if (transaction.end_lsn <= reached) {
      return absl::InternalError(
          absl::StrCat("transaction ", transaction.xid, " ends at ",
                       transaction.end_lsn.ToString(), ", not beyond ",
                       reached.ToString(), " where the target is already"));
    }
    reached = transaction.end_lsn;
  }
  return absl::OkStatus();
}

absl::Status BatchApplier::Attempt(const ChangeBatch& batch,
                                   const ApplyCounts& counts) {
  applied_.Start(batch);
  exact_.Start(batch);
  RETURN_IF_ERROR(LoadTables(batch));
  sets_.StartBatch(batch);
  RETURN_IF_ERROR(transaction_.Begin());
  if (!batch.open()) {
    RETURN_IF_ERROR(transaction_.Store({.position = batch.end_lsn(),
                                        .commit_time = batch.commit_time(),
                                        .counts = Sum(uncommitted_, counts)}));
  }
  RETURN_IF_ERROR(ApplyAll(batch));
  RETURN_IF_ERROR(check_.SendForBinary(batch));
  if (!batch.open()) return transaction_.Commit(applied_);
  RETURN_IF_ERROR(transaction_.Suspend());
  return applied_.Check();
}

absl::Status BatchApplier::LoadTables(const ChangeBatch& batch) {
  tables_.StartBatch();
  const SourceRelation* previous = nullptr;
  for (size_t index = 0; index < batch.changes().size(); ++index) {
    loading_ = index;
    const Change& change = batch.changes()[index];
    if (change.kind == ChangeKind::kTruncate) {
      for (const SourceRelation* relation : change.truncated) {
        RETURN_IF_ERROR(LoadTable(batch, *relation));
      }
    } else if (change.relation != previous) {
      previous = change.relation;
      if (tables_.Find(*previous) != nullptr) continue;
      RETURN_IF_ERROR(LoadTable(batch, *previous));
    }
  }
  loading_.reset();
  return absl::OkStatus();
}

// Bytes are never taken for another type: all of the batch goes this way.
absl::Status BatchApplier::LoadTable(const ChangeBatch& batch,
                                     const SourceRelation& relation) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const TableMapping> table,
                   tables_.Load(relation));
  return batch.has_binary() ? table->takes_binary : absl::OkStatus();
}

absl::Status BatchApplier::ApplyAll(const ChangeBatch& batch) {
  const size_t changes = batch.changes().size();
  if (sets_allowed_ && sets_.WorthIt(0, changes)) {
    return ApplyRange(batch, 0, changes);
  }
  const absl::Status sent = exact_.Send(0, changes);
  // What the server has to say of an earlier change comes first.
  if (!sent.ok()) RETURN_IF_ERROR(transaction_.pipeline().Sync());
  return sent;
}

absl::Status BatchApplier::ApplyRange(const ChangeBatch& batch, size_t first,
                                      size_t last) {
  if (!sets_.WorthIt(first, last)) return ApplyExactly(first, last);
  RETURN_IF_ERROR(transaction_.Begin());
  const int64_t begin = transaction_.pipeline().sent();
  RETURN_IF_ERROR(transaction_.Savepoint(kRangeSavepoint));
  CountsByTable before = applied_.Mark();
  const absl::Status status = sets_.Apply(first, last);
  if (!status.ok()) {
    if (!MayFallBack(status, begin)) return status;
    RETURN_IF_ERROR(FallBack(batch, first, last, std::move(before)));
  }
  return transaction_.Release(kRangeSavepoint);
}

absl::Status BatchApplier::FallBack(const ChangeBatch& batch, size_t first,
                                    size_t last, CountsByTable before) {
  ++fallbacks_;
  // Maybe they are altered, which no statement of the exact path need show.
  reload_tables_ = true;
  RETURN_IF_ERROR(transaction_.RollBackTo(kRangeSavepoint));
  // Not before: until then results of what is rolled back may come in.
  applied_.ReturnTo(std::move(before));
  exact_.Start(batch);
  if (last - first <= kExactRun) return ApplyExactly(first, last);
  const size_t middle = first + (last - first) / 2;
  RETURN_IF_ERROR(ApplyRange(batch, first, middle));
  return ApplyRange(batch, middle, last);
}

absl::Status BatchApplier::ApplyExactly(size_t first, size_t last) {
  RETURN_IF_ERROR(transaction_.Begin());
  const absl::Status sent = exact_.Send(first, last);
  RETURN_IF_ERROR(transaction_.pipeline().Sync());
  return sent;
}

// Of sets that began with the statement `begin` of the pipeline, whether
// something smaller may do.
bool BatchApplier::MayFallBack(const absl::Status& failure,
                               int64_t begin) const {
  const int64_t failed = transaction_.pipeline().failed_index();
  return NeedsOperator(failure.code()) && !transaction_.connection_broken() &&
         (failed < 0 || failed > begin);
}

// A table's catalog entries were read long ago and may have changed since.
bool BatchApplier::MayBeStale(const absl::Status& status) const {
  if (status.ok()) return false;
  if (IsTextNeeded(status)) return true;
  const std::string sqlstate = SqlStateOf(status);
  if (!sqlstate.empty()) return MeansAlteredTable(sqlstate);
  return status.code() == absl::StatusCode::kFailedPrecondition &&
         exact_.current_change().has_value();
}

std::optional<size_t> BatchApplier::FailedChange() const {
  if (loading_.has_value()) return loading_;
  const int64_t statement = transaction_.pipeline().failed_index();
  if (statement >= 0) return exact_.ChangeOf(statement);
  return exact_.current_change();
}

absl::Status BatchApplier::Explain(const ChangeBatch& batch,
                                   const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnavailable ||
      status.code() == absl::StatusCode::kCancelled) {
    return status;
  }
  const std::optional<size_t> change = FailedChange();
  if (!change.has_value()) {
    return ForOperator(Annotate(
        status, absl::StrCat("commit at ", batch.end_lsn().ToString())));
  }
  const absl::Status explained =
      Annotate(status, DescribeChange(batch, *change));
  if (!NeedsOperator(status.code())) return explained;
  conflict_ = ConflictOf(batch, *change, status, exact_.conflict_type());
  return ForOperator(explained);
}

}  // namespace

std::unique_ptr<Applier> MakeBatchApplier(ApplySession& session,
                                          const BatchApplierOptions& options) {
  return std::make_unique<BatchApplier>(session, options, nullptr);
}

std::unique_ptr<AheadApplier> MakeAheadApplier(
    ApplySession& session, KeysInFlight* in_flight,
    const BatchApplierOptions& options) {
  return std::make_unique<BatchApplier>(session, options, in_flight);
}

}  // namespace walferry
