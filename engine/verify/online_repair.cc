#include "engine/verify/online_repair.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/ledger/ledger.h"
#include "engine/name_some.h"
#include "engine/stream/meeting_request.h"
#include "engine/verify/stream_pause.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// One after another, in which the stream went on before anything was repaired.
constexpr int kFruitlessRounds = 3;

// Of several rounds, none of them a dry run.
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
    result_.report.elapsed += round.report.elapsed;
    result_.report.held += round.report.held;
    for (std::string& remark : round.remarks) {
      if (!absl::c_linear_search(result_.remarks, remark)) {
        result_.remarks.push_back(std::move(remark));
      }
    }
  }

  // Of all that is left.
  void Fail(const DifferingRows& rows, const absl::Status& why) {
    Fail(rows, rows.pieces, why);
  }
  void Fail(const DifferingRows& rows, absl::Span<const DifferingPiece> pieces,
            const absl::Status& why) {
    std::map<QualifiedName, int64_t> ranges;
    for (const DifferingPiece& piece : pieces) {
      ++ranges[rows.pairs[piece.table].name];
    }
    const std::string hint = HintOf(why);
    for (const auto& [name, count] : ranges) {
      Table(name).failures.push_back(absl::StrCat(
          ToDisplay(name), ", ", CountOf(count, "range"), ": ", why.message(),
          hint.empty() ? "" : absl::StrCat(" (", hint, ")")));
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

  const Interrupt& over() const override { return asked_.over(); }

  absl::Status CheckStanding() override {
    const absl::Status standing = asked_.Renew();
    if (standing.ok()) return standing;
    return absl::AbortedError(standing.message());
  }

  // The stream stores its position in the transaction of each batch. What a
  // cutover does need not move it.
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
  while (!left.pieces.empty()) {
    absl::StatusOr<RowRepairResult> round = RepairOnce(left);
    if (absl::IsCancelled(round.status())) return round.status();
    // What was repaired before is told in any case, and what differs.
    if (!round.ok()) {
      all.Fail(left, round.status());
      break;
    }
    const bool was_long = round->report.held > kAppliersStand / 2;
    const bool did_nothing = round->left.size() == left.pieces.size();
    const absl::Status why = round->why_left;
    left.pieces = std::move(round->left);
    all.Add(*std::move(round));
    fruitless = did_nothing ? fruitless + 1 : 0;
    if (did_nothing && was_long) {
      // It has taken all the time that there is, and would do so again.
      all.Fail(left, absl::MakeConstSpan(&left.pieces.back(), 1), why);
      left.pieces.pop_back();
    } else if (fruitless == kFruitlessRounds) {
      all.Fail(left, why);
      break;
    }
  }
  return all.Take();
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
    AskOptions options = AskingFor(options_.endpoints, control_, events_);
    options.holds_appliers = true;
    ASSIGN_OR_RETURN(asked, AskForMeeting(options));
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
  if (result.ok()) result->report.held = asked->stood();
  return result;
}

}  // namespace walferry
