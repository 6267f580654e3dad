#include "engine/event.h"

namespace walferry {

absl::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kCheck:
      return "check";
    case Phase::kPrepare:
      return "prepare";
    case Phase::kSchema:
      return "schema";
    case Phase::kCopy:
      return "copy";
    case Phase::kIndexes:
      return "indexes";
    case Phase::kFollow:
      return "follow";
    case Phase::kCutover:
      return "cutover";
    case Phase::kVerify:
      return "verify";
    case Phase::kDone:
      return "done";
  }
  return "";
}

}  // namespace walferry
