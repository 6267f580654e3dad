#include "engine/verify/run_repair.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/name_some.h"
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/row_repair.h"
#include "engine/verify/snapshot_pair.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A migration that goes on would write its changes on top, or the same rows.
absl::Status FindNoMigration(PgConnection& target, const std::string& schema) {
  const std::string table = absl::StrCat(QuoteIdentifier(schema), ".migration");
  ASSIGN_OR_RETURN(
      const std::string found,
      target.QueryValue(absl::StrCat("SELECT to_regclass(", QuoteLiteral(table),
                                     ") IS NOT NULL")));
  if (found != "t") return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const PgResult names,
      target.Exec(absl::StrCat("SELECT name FROM ", table,
                               " WHERE report IS NULL ORDER BY name")));
  if (names.rows() == 0) return absl::OkStatus();
  std::vector<std::string> unfinished;
  for (int row = 0; row < names.rows(); ++row) {
    unfinished.emplace_back(names.Text(row, 0));
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          unfinished.size() == 1 ? "migration " : "migrations ",
          NameSome(unfinished), unfinished.size() == 1 ? " has" : " have",
          " not come to an end: what it writes to the target would meet rows "
          "that are repaired")),
      absl::StrCat("wait until it ends, or end it with `walferry cutover "
                   "--name ",
                   unfinished.front(), "` or `walferry cleanup --name ",
                   unfinished.front(),
                   "`; without --repair it can be "
                   "compared"));
}

absl::Status CheckNoMigration(PgConnection& target,
                              const VerifyOptions& options) {
  return Annotate(FindNoMigration(target, options.endpoints.ledger_schema),
                  "target");
}

absl::Status CheckNoMigration(const VerifyOptions& options,
                              SnapshotPair& snapshots,
                              const Interrupt& interrupt) {
  ASSIGN_OR_RETURN(SessionPair sessions, snapshots.Open(&interrupt));
  const absl::Status checked = CheckNoMigration(sessions.target, options);
  snapshots.Close(std::move(sessions));
  return checked;
}

// What a repair of rows leaves alone.
std::optional<std::string> LeftAlone(const SnapshotComparison& compared) {
  std::vector<std::string> kinds;
  for (const ObjectDifference& object : compared.report.objects) {
    const std::string kind =
        object.kind == "sequence" ? "sequences" : "objects";
    if (object.weight == ObjectDifference::Weight::kDifference &&
        !absl::c_linear_search(kinds, kind)) {
      kinds.push_back(kind);
    }
  }
  bool large_objects = false, tables = false;
  for (const TableVerdict& table : compared.report.tables) {
    if (table.outcome != TableVerdict::Outcome::kDifferent) continue;
    const auto pair = absl::c_find_if(
        compared.rows.pairs,
        [&](const TablePair& each) { return each.name == table.table; });
    if (table.table == QualifiedName{"pg_catalog", "pg_largeobject"}) {
      large_objects = true;
    } else if (pair == compared.rows.pairs.end() || !pair->difference.empty()) {
      tables = true;
    }
  }
  if (tables) kinds.push_back("tables and columns that one side has");
  if (large_objects) kinds.push_back("large objects");
  if (kinds.empty()) return std::nullopt;
  return absl::StrCat("only rows of tables are repaired, not ",
                      absl::StrJoin(kinds, ", "));
}

class Repair {
 public:
  Repair(const VerifyOptions& options, Control& control, EventSink& events)
      : options_(options), control_(control), events_(events) {}

  absl::StatusOr<VerifyReport> Run() {
    SnapshotComparison compared;
    RowRepairResult repaired;
    {
      ASSIGN_OR_RETURN(
          const std::unique_ptr<SnapshotPair> snapshots,
          TakeSnapshotPair(options_.endpoints, &control_.interrupt()));
      RETURN_IF_ERROR(
          CheckNoMigration(options_, *snapshots, control_.interrupt()));
      ASSIGN_OR_RETURN(compared,
                       CompareSnapshots(options_, /*only=*/nullptr, *snapshots,
                                        control_, events_));
      if (compared.rows.pieces.empty()) {
        return Finish(std::move(compared.report), std::move(repaired),
                      LeftAlone(compared));
      }
      ASSIGN_OR_RETURN(
          repaired,
          RepairRows({.dry_run = options_.repair == RepairMode::kDryRun,
                      .max_rows = std::max<int64_t>(1, options_.max_reported),
                      .may_write =
                          [this](PgConnection& target) {
                            return CheckNoMigration(target, options_);
                          }},
                     compared.rows, *snapshots, control_.interrupt(), events_));
    }
    std::optional<std::string> left_alone = LeftAlone(compared);
    if (options_.repair == RepairMode::kYes) {
      RETURN_IF_ERROR(CompareAgain(compared.report, repaired.report));
    }
    return Finish(std::move(compared.report), std::move(repaired), left_alone);
  }

 private:
  // Rows of repaired tables alone, and what depends on rows.
  absl::Status CompareAgain(VerifyReport& report, const RepairReport& repair) {
    TableSet only;
    for (const TableRepair& table : repair.tables) only.insert(table.table);
    ASSIGN_OR_RETURN(
        const std::unique_ptr<SnapshotPair> snapshots,
        TakeSnapshotPair(options_.endpoints, &control_.interrupt()));
    ASSIGN_OR_RETURN(
        SnapshotComparison again,
        CompareSnapshots(options_, &only, *snapshots, control_, events_));
    std::erase_if(report.tables, [&](const TableVerdict& table) {
      return only.contains(table.table);
    });
    absl::c_move(again.report.tables, std::back_inserter(report.tables));
    absl::c_sort(report.tables,
                 [](const TableVerdict& a, const TableVerdict& b) {
                   return a.table < b.table;
                 });
    report.objects = std::move(again.report.objects);
    report.checks = std::move(again.report.checks);
    for (std::string& remark : again.report.remarks) {
      if (!absl::c_linear_search(report.remarks, remark)) {
        report.remarks.push_back(std::move(remark));
      }
    }
    report.elapsed = absl::Now() - report.started_at;
    return absl::OkStatus();
  }

  VerifyReport Finish(VerifyReport report, RowRepairResult repaired,
                      const std::optional<std::string>& left_alone) const {
    repaired.report.dry_run = options_.repair == RepairMode::kDryRun;
    report.repair = std::move(repaired.report);
    for (std::string& remark : repaired.remarks) {
      report.remarks.push_back(std::move(remark));
    }
    if (left_alone.has_value()) report.remarks.push_back(*left_alone);
    return report;
  }

  const VerifyOptions& options_;
  Control& control_;
  EventSink& events_;
};

}  // namespace

absl::StatusOr<VerifyReport> RunRepair(const VerifyOptions& options,
                                       Control& control, EventSink& events) {
  return Repair(options, control, events).Run();
}

}  // namespace walferry
