#include "engine/server/database_comparison.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace walferry {
namespace {

using State = DatabaseComparison::State;

constexpr State kStates[] = {State::kComparing, State::kEqual,
                             State::kDifferent, State::kUnknown};
constexpr VerifyMethod kMethods[] = {VerifyMethod::kCounts,
                                     VerifyMethod::kChecksum};

}  // namespace

absl::string_view ComparisonStateName(State state) {
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

bool Settles(const DatabaseComparison& comparison, VerifyMethod method) {
  return comparison.state == State::kEqual &&
         (comparison.method == method ||
          comparison.method == VerifyMethod::kChecksum);
}

LedgerObject ComparisonNoteOf(const std::string& database,
                              const std::string& oid,
                              const DatabaseComparison& comparison) {
  return {.side = Side::kTarget,
          .kind = std::string(kComparisonKind),
          .identity = database,
          .detail = absl::StrCat(oid, " ", VerifyMethodName(comparison.method),
                                 " ", ComparisonStateName(comparison.state),
                                 " ", comparison.found)};
}

DatabaseComparison NotedComparison(const std::vector<LedgerObject>& objects,
                                   const std::string& database,
                                   const std::string& oid) {
  for (const LedgerObject& object : objects) {
    if (object.kind != kComparisonKind || object.identity != database) continue;
    const std::vector<std::string> parts =
        absl::StrSplit(object.detail, absl::MaxSplits(' ', 3));
    if (parts.size() != 4 || parts[0] != oid) continue;
    DatabaseComparison comparison{.found = parts[3]};
    for (const VerifyMethod method : kMethods) {
      if (VerifyMethodName(method) == parts[1]) comparison.method = method;
    }
    for (const State state : kStates) {
      if (ComparisonStateName(state) == parts[2]) comparison.state = state;
    }
    return comparison;
  }
  return {};
}

}  // namespace walferry
