#include "engine/comparison.h"

namespace walferry {

absl::string_view VerifyMethodName(VerifyMethod method) {
  switch (method) {
    case VerifyMethod::kOff:
      return "off";
    case VerifyMethod::kEstimate:
      return "estimate";
    case VerifyMethod::kCounts:
      return "counts";
    case VerifyMethod::kSample:
      return "sample";
    case VerifyMethod::kChecksum:
      return "checksum";
  }
  return "";
}

absl::string_view ComparisonStateName(ComparisonResult::State state) {
  using State = ComparisonResult::State;
  switch (state) {
    case State::kNone:
      return "";
    case State::kComparing:
      return "comparing";
    case State::kEqual:
      return "equal";
    case State::kDifferent:
      return "different";
    case State::kUnknown:
      return "unknown";
  }
  return "";
}

}  // namespace walferry
