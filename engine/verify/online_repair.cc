#include "engine/verify/online_repair.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/verify/still_differing.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of several rounds.
class RoundsResult {
 public:
  // All tables in which rows differed, whatever becomes of them.
  explicit RoundsResult(const DifferingRows& rows) {
    for (const DifferingPiece& piece : rows.pieces) {
      Table(rows.pairs[piece.table].name);
    }
  }

  void Add(RowRepairResult round) {
    for (TableRepair& more : round.report.tables) {
      TableRepair& table = Table(more.table);
      table.ranges += more.ranges;
      table.inserted += more.inserted;
      table.deleted += more.deleted;
      table.updated += more.updated;
      absl::c_move(more.failures, std::back_inserter(table.failures));
    }
    absl::c_move(round.report.statements,
                 std::back_inserter(result_.report.statements));
    result_.report.statements_left_out |= round.report.statements_left_out;
    result_.report.elapsed += round.report.elapsed;
    result_.report.held += round.report.held;
    for (std::string& remark : round.remarks) {
      if (!absl::c_linear_search(result_.remarks, remark)) {
        result_.remarks.push_back(std::move(remark));
      }
    }
  }

  void Fail(const QualifiedName& name, absl::string_view why) {
    std::vector<std::string>& failures = Table(name).failures;
    std::string failure = absl::StrCat(ToDisplay(name), ": ", why);
    if (!absl::c_linear_search(failures, failure)) {
      failures.push_back(std::move(failure));
    }
  }

  RowRepairResult Take() {
    for (auto& [name, table] : tables_) {
      result_.report.tables.push_back(std::move(table));
    }
    return std::move(result_);
  }

 private:
  TableRepair& Table(const QualifiedName& name) {
    TableRepair& table = tables_[name];
    table.table = name;
    return table;
  }

  std::map<QualifiedName, TableRepair> tables_;
  RowRepairResult result_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SnapshotPair>> OnlineGround::ToCompare() {
  return OnlinePair::Create(options_.endpoints, meet_,
                            options_.max_snapshot_age);
}

absl::StatusOr<RowRepairResult> OnlineGround::Repair(
    const DifferingRows& rows, std::unique_ptr<SnapshotPair> compared) {
  // The servers need not keep old rows any longer.
  compared.reset();
  RoundsResult all(rows);
  DifferingRows left = rows;
  while (true) {
    ASSIGN_OR_RETURN(RowRepairResult round, RepairOnce(left));
    const size_t tried = left.pieces.size();
    left.pieces = std::move(round.left);
    const absl::Status why = round.why_left;
    all.Add(std::move(round));
    if (left.pieces.empty()) return all.Take();
    if (left.pieces.size() < tried) continue;
    for (const DifferingPiece& piece : left.pieces) {
      all.Fail(left.pairs[piece.table].name, why.message());
    }
    return all.Take();
  }
}

absl::StatusOr<RowRepairResult> OnlineGround::RepairOnce(DifferingRows& rows) {
  std::unique_ptr<AskedStates> asked;
  const MeetFunction meet =
      [&]() -> absl::StatusOr<std::unique_ptr<HeldStates>> {
    ASSIGN_OR_RETURN(
        asked,
        AskForMeeting({.endpoints = options_.endpoints,
                       .interrupt = &control_.interrupt(),
                       .holds_appliers = options_.repair == RepairMode::kYes,
                       .on_wait = [this](const std::string& text) {
                         events_.OnEvent(Notice{.text = text});
                       }}));
    return asked->TakeStates();
  };
  ASSIGN_OR_RETURN(
      const std::unique_ptr<OnlinePair> states,
      OnlinePair::Create(options_.endpoints, meet, options_.max_snapshot_age));
  const absl::Time begun = absl::Now();
  absl::StatusOr<RowRepairResult> result = RepairIn(*states, rows, *asked);
  asked.reset();
  if (result.ok() && options_.repair == RepairMode::kYes) {
    result->report.held = absl::Now() - begun;
  }
  return result;
}

absl::StatusOr<RowRepairResult> OnlineGround::RepairIn(SnapshotPair& states,
                                                       DifferingRows& rows,
                                                       AskedStates& asked) {
  ASSIGN_OR_RETURN(rows.pieces,
                   StillDiffering(rows, states, control_.interrupt()));
  if (rows.pieces.empty()) return RowRepairResult();
  RowRepairOptions options{
      .dry_run = options_.repair == RepairMode::kDryRun,
      .max_rows = std::max<int64_t>(1, options_.max_reported)};
  if (options.dry_run) {
    ASSIGN_OR_RETURN(
        RowRepairResult noted,
        RepairRows(options, rows, states, control_.interrupt(), events_));
    noted.remarks.emplace_back(
        "the SQL is to be read, and not to be run by hand: changes that come "
        "meanwhile would meet it");
    return noted;
  }
  events_.OnEvent(
      Notice{.text = "changes are not applied while rows are repaired"});
  ASSIGN_OR_RETURN(const std::string met, AppliedIn(states));
  options.stands_still = [this, &met,
                          &asked](PgConnection& target) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string now, Applied(target));
    if (now == met) return absl::OkStatus();
    RETURN_IF_ERROR(asked.Renew());
    return absl::AbortedError("changes are applied again");
  };
  return RepairRows(options, rows, states, control_.interrupt(), events_);
}

absl::StatusOr<std::string> OnlineGround::AppliedIn(
    SnapshotPair& states) const {
  ASSIGN_OR_RETURN(SessionPair sessions, states.Open(&control_.interrupt()));
  absl::StatusOr<std::string> applied = Applied(sessions.target);
  states.Close(std::move(sessions));
  return applied;
}

// Changed by the stream in the transaction of each batch.
absl::StatusOr<std::string> OnlineGround::Applied(PgConnection& target) const {
  absl::StatusOr<std::string> applied = target.QueryValue(absl::StrCat(
      "SELECT applied_lsn FROM ",
      QuoteIdentifier(options_.endpoints.ledger_schema),
      ".stream WHERE name = ", QuoteLiteral(options_.endpoints.name)));
  if (!applied.ok()) return Annotate(applied.status(), "target");
  return applied;
}

}  // namespace walferry
