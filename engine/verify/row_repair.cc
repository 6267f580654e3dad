#include "engine/verify/row_repair.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "engine/name_some.h"
#include "engine/verify/moving_tables.h"
#include "engine/verify/range_repair.h"
#include "engine/verify/repair_sink.h"
#include "engine/verify/repair_sql.h"
#include "engine/verify/repair_table.h"
#include "engine/verify/table_hold.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of ranges that are repaired all at once.
constexpr int64_t kRowsOfManyRanges = 100'000;

// Not of a range alone.
bool EndsTheRun(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsDeadlineExceeded(status);
}

// Another range may have what stands in the way: unique_violation,
// exclusion_violation, foreign_key_violation.
bool MayGoLater(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return state == "23505" || state == "23P01" || state == "23503";
}

using Ranges = std::vector<const DifferingPiece*>;

class RowRepair {
 public:
  RowRepair(const RowRepairOptions& options, const DifferingRows& rows,
            SnapshotPair& snapshots, const Interrupt& interrupt,
            EventSink& events)
      : options_(options),
        rows_(rows),
        look_{.hash = rows.hash},
        snapshots_(snapshots),
        interrupt_(interrupt),
        events_(events) {
    result_.report.dry_run = options.dry_run;
  }

  absl::StatusOr<RowRepairResult> Run() {
    const absl::Time begun = absl::Now();
    absl::Status done = Reopen();
    if (done.ok()) done = RunInSessions();
    CloseSessions();
    if (!done.ok()) {
      if (options_.pause == nullptr || !IsForLater(done)) return done;
      // Whatever was repaired is equal when it is looked at again.
      result_.left = rows_.pieces;
    }
    for (auto& [name, table] : tables_done_) {
      result_.report.tables.push_back(std::move(table));
    }
    result_.report.elapsed = absl::Now() - begun;
    return std::move(result_);
  }

 private:
  void CloseSessions() {
    if (sessions_.has_value()) snapshots_.Close(*std::move(sessions_));
    sessions_.reset();
  }

  // Whatever has become of transactions, they are new ones. An error leaves no
  // sessions.
  absl::Status Reopen() {
    CloseSessions();
    ASSIGN_OR_RETURN(
        SessionPair opened,
        snapshots_.Open(options_.pause == nullptr ? &interrupt_
                                                  : &options_.pause->over()));
    sessions_.emplace(std::move(opened));
    // What is looked at is in nobody's way for longer than that takes.
    return snapshots_.renewable() ? SetSavepoints(*sessions_)
                                  : absl::OkStatus();
  }

  // Out of the snapshot: it would show no change of ours, and take none.
  absl::Status LeaveTargetSnapshot() {
    return Annotate(
        sessions_->target.Exec("ROLLBACK; SET synchronous_commit = 'on'")
            .status(),
        "target");
  }

  absl::Status RunInSessions() {
    ASSIGN_OR_RETURN(replica_role_, MayBeReplica(sessions_->target));
    if (!replica_role_) {
      ASSIGN_OR_RETURN(ranks_, ForeignKeyRanks(sessions_->target));
      result_.remarks.push_back(absl::StrCat(
          "role ", sessions_->target.user(),
          " may not set session_replication_role on the target, so that "
          "foreign keys are in force while rows are repaired, and tables with "
          "triggers or rules are left as they are"));
    }
    ASSIGN_OR_RETURN(const Ranges ranges, PrepareTables());
    if (options_.dry_run) return NoteAll(ranges);
    events_.OnEvent(Notice{
        .text = absl::StrCat(
            "repairing ", CountOf(static_cast<int64_t>(ranges.size()), "range"),
            " of ",
            CountOf(static_cast<int64_t>(tables_done_.size()), "table"))});
    if (options_.pause != nullptr) {
      RETURN_IF_ERROR(options_.pause->Begin(sessions_->target));
    }
    RETURN_IF_ERROR(LeaveTargetSnapshot());
    if (options_.may_write != nullptr) {
      RETURN_IF_ERROR(options_.may_write(sessions_->target));
    }
    return RepairAll(ranges);
  }

  TableRepair& ResultOf(const TablePair& pair) {
    TableRepair& table = tables_done_[pair.name];
    table.table = pair.name;
    return table;
  }

  // Reads what is to know of the tables; the ranges of those that can be
  // repaired.
  absl::StatusOr<Ranges> PrepareTables() {
    Ranges ranges;
    for (const DifferingPiece& range : rows_.pieces) {
      const TablePair& pair = rows_.pairs[range.table];
      if (!facts_.contains(range.table)) {
        ASSIGN_OR_RETURN(
            facts_[range.table],
            ReadRepairTable(sessions_->target, pair, replica_role_));
        const RepairTable& table = facts_[range.table];
        if (!table.acting.empty()) {
          ResultOf(pair).failures.push_back(
              absl::StrCat(ToDisplay(pair.name),
                           ": left as it is, as this would act on "
                           "what is written: ",
                           NameSome(table.acting)));
        }
      }
      const RepairTable& table = facts_[range.table];
      ResultOf(pair);
      if (table.acting.empty()) ranges.push_back(&range);
    }
    return ranges;
  }

  std::unique_ptr<RangeRepair> Begin(const DifferingPiece& range,
                                     int64_t max_rows) {
    return std::make_unique<RangeRepair>(*sessions_, facts_.at(range.table),
                                         range, look_, max_rows);
  }

  // A dry run.
  absl::Status NoteAll(const Ranges& ranges) {
    NotingSink sink(result_.report);
    RETURN_IF_ERROR(sink.Take(
        RepairSettingsSql(sessions_->target.server_version(),
                          sessions_->target.parameter("client_encoding"),
                          RoundsFloats(*sessions_))));
    bool left_out = false;
    for (const DifferingPiece* range : ranges) {
      const std::unique_ptr<RangeRepair> repair =
          Begin(*range, options_.max_rows);
      const size_t before = result_.report.statements.size();
      const absl::Status noted = Annotate(Note(*repair, sink), repair->Name());
      // Whole transactions only.
      if (!noted.ok() || result_.report.statements_left_out) {
        result_.report.statements.resize(before);
      }
      if (noted.ok()) {
        Count(*repair);
        left_out |= repair->left_out();
        if (snapshots_.renewable()) {
          RETURN_IF_ERROR(GoBackToSavepoints(*sessions_));
        }
        continue;
      }
      if (EndsTheRun(noted)) return noted;
      Fail(*range, noted);
      RETURN_IF_ERROR(Reopen());
    }
    if (left_out) {
      result_.remarks.push_back(absl::StrCat(
          "of a range, the SQL of ", options_.max_rows,
          " rows is shown; a repair goes on until nothing differs"));
    }
    return absl::OkStatus();
  }

  // Changes that have come since it was compared may have made it equal.
  absl::Status Note(RangeRepair& repair, RepairSink& sink) {
    RETURN_IF_ERROR(HoldTable(*sessions_, *repair.table().pair));
    ASSIGN_OR_RETURN(const DigestPair digests, repair.Digests());
    if (digests.source == digests.target) return absl::OkStatus();
    RETURN_IF_ERROR(repair.Search(digests));
    for (std::string& sql : BeginRepairSql(replica_role_)) {
      RETURN_IF_ERROR(sink.Take(std::move(sql)));
    }
    RETURN_IF_ERROR(sink.Take(LockTableSql(*repair.table().pair)));
    RETURN_IF_ERROR(repair.Delete(sink));
    RETURN_IF_ERROR(repair.Write(sink));
    return sink.Take("COMMIT");
  }

  absl::Status RepairAll(Ranges ranges) {
    std::vector<absl::Status> why;
    bool progress = true;
    while (!ranges.empty() && progress) {
      progress = false;
      Ranges later;
      const DifferingPiece* at_work = nullptr;
      why.clear();
      for (const DifferingPiece* range : ranges) {
        if (!result_.why_left.ok()) {
          later.push_back(range);
          continue;
        }
        const absl::Status repaired = Repair({range}, options_.max_rows);
        if (repaired.ok()) {
          progress = true;
        } else if (!result_.why_left.ok()) {
          at_work = range;
        } else if (EndsThisRun(repaired)) {
          return repaired;
        } else if (MayGoLater(repaired)) {
          later.push_back(range);
          why.push_back(repaired);
        } else {
          Fail(*range, repaired);
        }
      }
      ranges = std::move(later);
      if (at_work != nullptr) ranges.push_back(at_work);
      if (!result_.why_left.ok()) return Leave(ranges);
    }
    if (ranges.size() > 1) {
      const absl::Status repaired = Repair(
          ranges,
          std::max<int64_t>(
              100, kRowsOfManyRanges / static_cast<int64_t>(ranges.size())));
      if (repaired.ok()) return repaired;
      if (!result_.why_left.ok()) return Leave(ranges);
      if (EndsThisRun(repaired)) return repaired;
    }
    for (size_t i = 0; i < ranges.size(); ++i) Fail(*ranges[i], why[i]);
    return absl::OkStatus();
  }

  absl::Status Leave(const Ranges& ranges) {
    for (const DifferingPiece* range : ranges) result_.left.push_back(*range);
    return absl::OkStatus();
  }

  // Whatever the error is, nothing can be done without sessions.
  bool EndsThisRun(const absl::Status& status) const {
    return EndsTheRun(status) || !sessions_.has_value();
  }

  void Fail(const DifferingPiece& range, const absl::Status& why) {
    const TablePair& pair = rows_.pairs[range.table];
    const std::string hint = HintOf(why);
    std::string text(why.message());
    if (const std::string name = ToDisplay(pair.name);
        !absl::StrContains(text, name)) {
      text = absl::StrCat(name, ": ", text);
    }
    if (!hint.empty()) absl::StrAppend(&text, " (", hint, ")");
    events_.OnEvent(Notice{.level = Notice::Level::kWarning,
                           .text = absl::StrCat("left as it was: ", text)});
    ResultOf(pair).failures.push_back(std::move(text));
  }

  void Count(const RangeRepair& repair) {
    TableRepair& table = ResultOf(*repair.table().pair);
    if (repair.counts().none()) return;
    ++table.ranges;
    table.inserted += repair.counts().inserted;
    table.deleted += repair.counts().deleted;
    table.updated += repair.counts().updated;
  }

  // In one transaction: all of them, or none.
  absl::Status Repair(const Ranges& ranges, int64_t max_rows) {
    std::vector<std::unique_ptr<RangeRepair>> repairs;
    for (const DifferingPiece* range : ranges) {
      repairs.push_back(Begin(*range, max_rows));
    }
    // What others refer to comes first.
    absl::c_stable_sort(repairs, [this](const auto& a, const auto& b) {
      return RankOf(*a) < RankOf(*b);
    });
    const absl::Status done = RepairInTransaction(repairs, max_rows);
    if (done.ok()) {
      for (const auto& repair : repairs) Count(*repair);
      if (snapshots_.renewable()) result_.why_left = LetSourceGoOn();
      return done;
    }
    repairs.clear();
    if (options_.pause != nullptr && IsForLater(done)) {
      CloseSessions();
      return done;
    }
    if (EndsTheRun(done)) return done;
    RETURN_IF_ERROR(Reopen());
    if (absl::Status left = LeaveTargetSnapshot(); !left.ok()) {
      CloseSessions();
      return left;
    }
    return done;
  }

  // Behind an error: nothing more can be done in this pause. What the operator
  // has ended is no such thing.
  bool IsForLater(const absl::Status& failed) {
    if (interrupt_.raised()) return false;
    if (result_.why_left.ok()) {
      result_.why_left = options_.pause->CheckStanding();
    }
    if (result_.why_left.ok() && EndsTheRun(failed)) result_.why_left = failed;
    return !result_.why_left.ok();
  }

  // It has waited for what was read there.
  absl::Status LetSourceGoOn() {
    return Annotate(
        sessions_->source.Exec("ROLLBACK TO SAVEPOINT walferry_piece").status(),
        "source");
  }

  int RankOf(const RangeRepair& repair) const {
    const auto found = ranks_.find(repair.table().pair->name);
    return found == ranks_.end() ? 0 : found->second;
  }

  using Repairs = std::vector<std::unique_ptr<RangeRepair>>;

  absl::Status RepairInTransaction(const Repairs& repairs, int64_t max_rows) {
    RETURN_IF_ERROR(Run(absl::StrJoin(BeginRepairSql(replica_role_), "; ")));
    RETURN_IF_ERROR(LockTables(repairs));
    RETURN_IF_ERROR(CheckPosition());
    std::vector<DigestPair> digests;
    int64_t rows = 0;
    for (const auto& repair : repairs) {
      ASSIGN_OR_RETURN(digests.emplace_back(), DigestsOf(*repair));
      if (options_.pause == nullptr) {
        RETURN_IF_ERROR(CheckAsCompared(*repair, digests.back()));
      }
      rows += digests.back().source.rows + digests.back().target.rows;
    }
    // Each round but the last one of a range repairs so many rows.
    int64_t rounds = rows / max_rows + static_cast<int64_t>(repairs.size()) + 1;
    while (FirstDiffering(repairs, digests, /*for_good=*/false) != nullptr) {
      RETURN_IF_ERROR(RepairOnce(repairs, digests));
      RETURN_IF_ERROR(RefreshDigests(repairs, digests));
      const RangeRepair* const for_good =
          FirstDiffering(repairs, digests, /*for_good=*/--rounds > 0);
      if (for_good == nullptr) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          for_good->Name(),
          ": with its rows written it is not as on the source even so: the "
          "target's triggers, types or generated columns make something else "
          "of them"));
    }
    // A table that came to the tree meanwhile is not locked.
    RETURN_IF_ERROR(CheckPosition());
    return Run("COMMIT");
  }

  absl::Status CheckPosition() {
    if (options_.pause == nullptr) return absl::OkStatus();
    return result_.why_left = options_.pause->CheckPosition(sessions_->target);
  }

  absl::Status Run(const std::string& sql) {
    return Annotate(sessions_->target.Exec(sql).status(), "target");
  }

  absl::Status LockTables(const Repairs& repairs) {
    std::set<std::string> locks;
    for (const auto& repair : repairs) {
      locks.insert(LockTableSql(*repair->table().pair));
    }
    for (const std::string& lock : locks) RETURN_IF_ERROR(Run(lock));
    for (const auto& repair : repairs) {
      RETURN_IF_ERROR(HoldTable(*sessions_, *repair->table().pair));
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<DigestPair> DigestsOf(RangeRepair& repair) {
    absl::StatusOr<DigestPair> digests = repair.Digests();
    if (!digests.ok()) return Annotate(digests.status(), repair.Name());
    return digests;
  }

  static absl::Status CheckAsCompared(const RangeRepair& repair,
                                      const DigestPair& digests) {
    for (const auto& [side, name] :
         {std::pair(&DigestPair::target, "target"),
          std::pair(&DigestPair::source, "source")}) {
      if (digests.*side == repair.range().digests.*side) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          repair.Name(), ": has changed on the ", name,
          " since it was compared, and nothing was written there"));
    }
    return absl::OkStatus();
  }

  // Ranges that are equal by now are left alone.
  absl::Status RepairOnce(const Repairs& repairs,
                          const std::vector<DigestPair>& digests) {
    std::vector<RangeRepair*> differing;
    for (size_t i = 0; i < repairs.size(); ++i) {
      if (digests[i].source == digests[i].target) continue;
      differing.push_back(repairs[i].get());
      RETURN_IF_ERROR(
          Annotate(repairs[i]->Search(digests[i]), repairs[i]->Name()));
    }
    RunningSink sink(sessions_->target);
    // What refers to others goes first.
    for (auto repair = differing.rbegin(); repair != differing.rend();
         ++repair) {
      absl::Status done = (*repair)->Delete(sink);
      if (done.ok()) done = sink.Flush();
      RETURN_IF_ERROR(Annotate(done, (*repair)->Name()));
    }
    for (RangeRepair* const repair : differing) {
      absl::Status done = repair->Write(sink);
      if (done.ok()) done = sink.Flush();
      RETURN_IF_ERROR(Annotate(done, repair->Name()));
    }
    return absl::OkStatus();
  }

  static absl::Status RefreshDigests(const Repairs& repairs,
                                     std::vector<DigestPair>& digests) {
    for (size_t i = 0; i < repairs.size(); ++i) {
      ASSIGN_OR_RETURN(digests[i], DigestsOf(*repairs[i]));
    }
    return absl::OkStatus();
  }

  // Or null. `for_good`: one of which no row is left to be repaired.
  static const RangeRepair* FirstDiffering(
      const Repairs& repairs, const std::vector<DigestPair>& digests,
      bool for_good) {
    for (size_t i = 0; i < repairs.size(); ++i) {
      if (digests[i].source == digests[i].target) continue;
      if (!for_good || !repairs[i]->left_out()) return repairs[i].get();
    }
    return nullptr;
  }

  const RowRepairOptions& options_;
  const DifferingRows& rows_;
  const RowLook look_;
  SnapshotPair& snapshots_;
  const Interrupt& interrupt_;
  EventSink& events_;
  std::optional<SessionPair> sessions_;
  bool replica_role_ = false;
  absl::flat_hash_map<QualifiedName, int> ranks_;
  std::map<size_t, RepairTable> facts_;  // By DifferingPiece::table.
  std::map<QualifiedName, TableRepair> tables_done_;
  RowRepairResult result_;
};

}  // namespace

absl::StatusOr<RowRepairResult> RepairRows(const RowRepairOptions& options,
                                           const DifferingRows& rows,
                                           SnapshotPair& snapshots,
                                           const Interrupt& interrupt,
                                           EventSink& events) {
  return RowRepair(options, rows, snapshots, interrupt, events).Run();
}

}  // namespace walferry
