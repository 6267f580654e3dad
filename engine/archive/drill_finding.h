#ifndef ENGINE_ARCHIVE_DRILL_FINDING_H_
#define ENGINE_ARCHIVE_DRILL_FINDING_H_

// What one check of a drill has found.

#include <string>
#include <utility>

#include "engine/archive/archives.h"

namespace walferry {

struct DrillFinding {
  DrillCheck::Outcome outcome = DrillCheck::Outcome::kPassed;
  std::string detail;

  static DrillFinding Passed(std::string detail) {
    return {DrillCheck::Outcome::kPassed, std::move(detail)};
  }
  static DrillFinding Failed(std::string detail) {
    return {DrillCheck::Outcome::kFailed, std::move(detail)};
  }
  static DrillFinding Skipped(std::string detail) {
    return {DrillCheck::Outcome::kSkipped, std::move(detail)};
  }
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DRILL_FINDING_H_
