#include "engine/verify/online_repair.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/ledger/ledger.h"
#include "engine/stream/meeting_request.h"
#include "engine/verify/stream_pause.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// One after another, in which the stream went on before anything was repaired.
constexpr int kFruitlessRounds = 3;

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

class HeldStream : public StreamPause {
 public:
  HeldStream(const Endpoints& endpoints, AskedStates& asked)
      : key_{.schema = endpoints.ledger_schema, .migration = endpoints.name},
        asked_(asked) {}

  absl::Status Begin(PgConnection& target) override {
    ASSIGN_OR_RETURN(applied_, Applied(target));
    return absl::OkStatus();
  }

  // The stream stores its position in the transaction of each batch. A cutover
  // need not move it.
  absl::Status CheckPosition(PgConnection& target) override {
    ASSIGN_OR_RETURN(const Lsn now, Applied(target));
    ASSIGN_OR_RETURN(const std::optional<MeetingRequest> request,
                     MeetingRequests(target, key_).Find(asked_.id()));
    if (request.has_value() && request->state == MeetingRequest::State::kMet &&
        now == applied_) {
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(CheckStanding());
    return absl::AbortedError("changes are applied again");
  }

  absl::Status CheckStanding() override {
    absl::Status standing = asked_.Renew();
    if (standing.ok() && absl::Now() >= until()) {
      standing = absl::AbortedError(absl::StrCat(
          "changes wait no longer than ", absl::FormatDuration(kAppliersStand),
          ", and it was not done by then"));
    }
    if (standing.ok()) return standing;
    if (!ended_.has_value()) ended_ = absl::Now();
    return absl::AbortedError(standing.message());
  }

  // By when they have stood for kAppliersStand, which began a moment earlier.
  absl::Time until() const override {
    return begun_ + kAppliersStand - absl::Seconds(10);
  }

  absl::Duration held() const { return ended_.value_or(absl::Now()) - begun_; }

 private:
  absl::StatusOr<Lsn> Applied(PgConnection& target) const {
    const absl::StatusOr<std::optional<LedgerStream>> stream =
        Ledger(target, key_).Stream();
    if (!stream.ok()) return Annotate(stream.status(), "target");
    if (!stream->has_value()) {
      return absl::AbortedError("the migration was cleaned up");
    }
    return (*stream)->applied_lsn;
  }

  const LedgerKey key_;
  AskedStates& asked_;
  const absl::Time begun_ = absl::Now();
  std::optional<absl::Time> ended_;
  Lsn applied_;
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
  if (options_.repair == RepairMode::kDryRun) return Note(rows);
  RoundsResult all(rows);
  DifferingRows left = rows;
  int fruitless = 0;
  for (bool first = true;; first = false) {
    absl::StatusOr<RowRepairResult> round = RepairOnce(left);
    // What was repaired is told in any case.
    if (!round.ok() && (first || absl::IsCancelled(round.status()))) {
      return round.status();
    }
    const size_t tried = left.pieces.size();
    absl::Status why = round.status();
    if (round.ok()) {
      why = round->why_left;
      left.pieces = std::move(round->left);
      // One that has taken all the time that there is would do so again.
      const bool was_short = round->report.held < kAppliersStand / 2;
      all.Add(*std::move(round));
      if (left.pieces.empty()) return all.Take();
      fruitless = left.pieces.size() < tried ? 0 : fruitless + 1;
      if (fruitless == 0 || (was_short && fruitless < kFruitlessRounds)) {
        continue;
      }
    }
    for (const DifferingPiece& piece : left.pieces) {
      all.Fail(left.pairs[piece.table].name, why.message());
    }
    return all.Take();
  }
}

// Nobody stands for that.
absl::StatusOr<RowRepairResult> OnlineGround::Note(const DifferingRows& rows) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotPair> states, ToCompare());
  ASSIGN_OR_RETURN(
      RowRepairResult noted,
      RepairRows({.dry_run = true,
                  .max_rows = std::max<int64_t>(1, options_.max_reported)},
                 rows, *states, control_.interrupt(), events_));
  noted.remarks.emplace_back(
      "the SQL is to be read, and not to be run by hand: changes that come "
      "meanwhile would meet it");
  return noted;
}

absl::StatusOr<RowRepairResult> OnlineGround::RepairOnce(
    const DifferingRows& rows) {
  std::unique_ptr<AskedStates> asked;
  const MeetFunction meet =
      [&]() -> absl::StatusOr<std::unique_ptr<HeldStates>> {
    ASSIGN_OR_RETURN(asked,
                     AskForMeeting({.endpoints = options_.endpoints,
                                    .interrupt = &control_.interrupt(),
                                    .holds_appliers = true,
                                    .on_wait = [this](const std::string& text) {
                                      events_.OnEvent(Notice{.text = text});
                                    }}));
    return asked->TakeStates();
  };
  ASSIGN_OR_RETURN(
      const std::unique_ptr<OnlinePair> states,
      OnlinePair::Create(options_.endpoints, meet, options_.max_snapshot_age));
  HeldStream pause(options_.endpoints, *asked);
  events_.OnEvent(
      Notice{.text = "changes are not applied while rows are repaired"});
  absl::StatusOr<RowRepairResult> result =
      RepairRows({.max_rows = std::max<int64_t>(1, options_.max_reported),
                  .pause = &pause},
                 rows, *states, control_.interrupt(), events_);
  if (result.ok()) result->report.held = pause.held();
  return result;
}

}  // namespace walferry
