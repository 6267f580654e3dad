#ifndef TESTS_CLUSTER_VERIFY_REPAIR_FIXTURE_H_
#define TESTS_CLUSTER_VERIFY_REPAIR_FIXTURE_H_

// RunVerify with a repair. For tests/cluster/verify_repair*_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/verify/verification.h"
#include "protocol/quoting.h"
#include "tests/cluster/verify_fixture.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

class VerifyRepairTest : public VerifyTest {
 protected:
  VerifyOptions RepairOptions() const {
    VerifyOptions options = Options();
    options.repair = RepairMode::kYes;
    return options;
  }

  // What was done to each table, what could not be, and what differs still.
  static std::vector<std::string> Told(const VerifyReport& report) {
    std::vector<std::string> lines;
    if (!report.repair.has_value()) return {"no repair"};
    for (const TableRepair& table : report.repair->tables) {
      lines.push_back(absl::StrCat(ToDisplay(table.table), " +", table.inserted,
                                   " -", table.deleted, " ~", table.updated));
      lines.insert(lines.end(), table.failures.begin(), table.failures.end());
    }
    for (std::string& line : Differences(report)) {
      lines.push_back(std::move(line));
    }
    return lines;
  }

  std::vector<std::string> Repair(const VerifyOptions& options) {
    const absl::StatusOr<VerifyReport> report = Verify(options);
    if (!report.ok()) return {report.status().ToString()};
    return Told(*report);
  }
  std::vector<std::string> Repair() { return Repair(RepairOptions()); }

  std::vector<std::string> RepairAfter(const std::string& on_target) {
    const absl::Status done = OnTarget(on_target);
    if (!done.ok()) return {done.ToString()};
    std::vector<std::string> told = Repair();
    EXPECT_THAT(DifferencesAfter("SELECT"), ::testing::IsEmpty());
    return told;
  }
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_VERIFY_REPAIR_FIXTURE_H_
