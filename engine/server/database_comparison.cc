#include "engine/server/database_comparison.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace walferry {
namespace {

using State = ComparisonResult::State;

constexpr State kStates[] = {State::kComparing, State::kEqual,
                             State::kDifferent, State::kUnknown};
constexpr VerifyMethod kMethods[] = {VerifyMethod::kCounts,
                                     VerifyMethod::kChecksum};

struct Noted {
  std::string compared;
  ComparisonResult comparison;
};

// nullopt: it is no such note.
std::optional<Noted> ReadNote(const LedgerObject& note, VerifyShare share,
                              const std::string& database) {
  if (note.kind != ComparisonKind(share) || note.identity != database) {
    return std::nullopt;
  }
  const std::vector<std::string> parts =
      absl::StrSplit(note.detail, absl::MaxSplits(' ', 3));
  if (parts.size() != 4) return std::nullopt;
  Noted noted = {.compared = parts[0], .comparison = {.found = parts[3]}};
  for (const VerifyMethod method : kMethods) {
    if (VerifyMethodName(method) == parts[1]) noted.comparison.method = method;
  }
  for (const State state : kStates) {
    if (ComparisonStateName(state) == parts[2]) noted.comparison.state = state;
  }
  return noted;
}

}  // namespace

bool Settles(const ComparisonResult& comparison, VerifyMethod method) {
  return comparison.state == State::kEqual &&
         (comparison.method == method ||
          comparison.method == VerifyMethod::kChecksum);
}

absl::string_view ComparisonKind(VerifyShare share) {
  return share == VerifyShare::kBeforeClients ? "comparison before clients"
                                              : "comparison";
}

std::string ComparedDatabase(const std::string& oid, absl::Time begun) {
  return absl::StrCat(oid, "@", absl::ToUnixMicros(begun));
}

LedgerObject ComparisonNoteOf(VerifyShare share, const std::string& database,
                              const std::string& compared,
                              const ComparisonResult& comparison) {
  return {.side = Side::kTarget,
          .kind = std::string(ComparisonKind(share)),
          .identity = database,
          .detail = absl::StrCat(
              compared, " ", VerifyMethodName(comparison.method), " ",
              ComparisonStateName(comparison.state), " ", comparison.found)};
}

ComparisonResult NotedComparison(VerifyShare share,
                                 const std::vector<LedgerObject>& objects,
                                 const std::string& database,
                                 const std::string& compared) {
  for (const LedgerObject& object : objects) {
    const std::optional<Noted> noted = ReadNote(object, share, database);
    if (noted && noted->compared == compared) return noted->comparison;
  }
  return {};
}

ComparisonResult KnownComparison(const std::vector<LedgerObject>& objects,
                                 const std::string& database,
                                 const std::string& compared) {
  const ComparisonResult last =
      NotedComparison(VerifyShare::kAll, objects, database, compared);
  if (last.state != State::kNone) return last;
  const ComparisonResult before =
      NotedComparison(VerifyShare::kBeforeClients, objects, database, compared);
  // Of an equal one the database's own ledger says that clients may come.
  return before.state == State::kDifferent ? before : last;
}

bool SaysNothing(const LedgerObject& note, const std::string& database) {
  if (const auto last = ReadNote(note, VerifyShare::kAll, database)) {
    return last->comparison.state == State::kComparing ||
           last->comparison.state == State::kUnknown;
  }
  const auto before = ReadNote(note, VerifyShare::kBeforeClients, database);
  return before.has_value() && before->comparison.state == State::kEqual;
}

std::string DoubtOf(const ComparisonResult& before, VerifyMethod method) {
  if (before.state == State::kDifferent) {
    return absl::StrCat(before.found, "; clients were let in as it was");
  }
  if (Settles(before, method)) return "";
  return absl::StrCat("but for its delayed tables it was not compared",
                      before.state == State::kEqual
                          ? absl::StrCat(" by ", VerifyMethodName(method))
                          : "",
                      " before clients came");
}

}  // namespace walferry
