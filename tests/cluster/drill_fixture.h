#ifndef TESTS_CLUSTER_DRILL_FIXTURE_H_
#define TESTS_CLUSTER_DRILL_FIXTURE_H_

// Drills of the archives of archive_fixture.h. For
// tests/cluster/drill*_test.cc.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/archive/archives.h"
#include "tests/cluster/archive_fixture.h"

namespace walferry {

class DrillTest : public ArchiveTest {
 protected:
  // "outcome name: detail", but for what was dropped.
  static std::vector<std::string> Lines(const DrillReport& report) {
    std::vector<std::string> lines;
    for (const DrillCheck& check : report.checks) {
      if (check.name == "clean up") continue;
      constexpr const char* kOutcomes[] = {"passed ", "failed ", "skipped "};
      lines.push_back(absl::StrCat(kOutcomes[static_cast<int>(check.outcome)],
                                   check.name, ": ", check.detail));
    }
    return lines;
  }

  std::string ScratchDatabases() const {
    return target_
        ->QueryValue(
            "SELECT count(*) FROM pg_database"
            " WHERE datname LIKE 'walferry_drill%'")
        .value_or("?");
  }
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_DRILL_FIXTURE_H_
