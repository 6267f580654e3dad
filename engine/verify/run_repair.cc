#include "engine/verify/run_repair.h"

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
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/row_repair.h"
#include "engine/verify/snapshot_pair.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

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

class RepairRun {
 public:
  RepairRun(const VerifyOptions& options, RepairGround& ground,
            Control& control, EventSink& events)
      : options_(options),
        ground_(ground),
        control_(control),
        events_(events) {}

  absl::StatusOr<VerifyReport> Run() {
    ASSIGN_OR_RETURN(std::unique_ptr<SnapshotPair> snapshots,
                     ground_.ToCompare());
    ASSIGN_OR_RETURN(SnapshotComparison compared,
                     CompareSnapshots(options_, /*only=*/nullptr, *snapshots,
                                      control_, events_));
    const std::optional<std::string> left_alone = LeftAlone(compared);
    RowRepairResult repaired;
    if (!compared.rows.pieces.empty()) {
      ASSIGN_OR_RETURN(repaired,
                       ground_.Repair(compared.rows, std::move(snapshots)));
      if (options_.repair == RepairMode::kYes) {
        const absl::Status again =
            CompareAgain(compared.report, repaired.report);
        if (absl::IsCancelled(again)) return again;
        // What was repaired is told in any case.
        if (!again.ok()) Doubt(compared.report, repaired.report, again);
      }
    }
    VerifyReport report = std::move(compared.report);
    repaired.report.dry_run = options_.repair == RepairMode::kDryRun;
    report.repair = std::move(repaired.report);
    absl::c_move(repaired.remarks, std::back_inserter(report.remarks));
    if (left_alone.has_value()) report.remarks.push_back(*left_alone);
    return report;
  }

 private:
  static void Doubt(VerifyReport& report, const RepairReport& repair,
                    const absl::Status& why) {
    for (TableVerdict& table : report.tables) {
      const bool is_repaired =
          absl::c_any_of(repair.tables, [&](const TableRepair& repaired) {
            return repaired.table == table.table;
          });
      if (!is_repaired) continue;
      table = {.table = table.table,
               .detail = absl::StrCat("not compared again after its repair: ",
                                      why.message()),
               .method = table.method};
    }
  }

  // Rows of repaired tables alone, and what depends on rows.
  absl::Status CompareAgain(VerifyReport& report, const RepairReport& repair) {
    TableSet only;
    for (const TableRepair& table : repair.tables) only.insert(table.table);
    ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotPair> snapshots,
                     ground_.ToCompare());
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
    report.position = again.report.position;
    report.applier_pause =
        std::max(report.applier_pause, again.report.applier_pause);
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

  const VerifyOptions& options_;
  RepairGround& ground_;
  Control& control_;
  EventSink& events_;
};

}  // namespace

absl::StatusOr<VerifyReport> RunRepair(const VerifyOptions& options,
                                       RepairGround& ground, Control& control,
                                       EventSink& events) {
  return RepairRun(options, ground, control, events).Run();
}

}  // namespace walferry
