#include "tools/near_name.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/match.h"

namespace walferry {
namespace {

// Optimal string alignment: insert, delete, replace, or swap two neighbours.
size_t EditDistance(absl::string_view from, absl::string_view to) {
  std::vector<std::vector<size_t>> cost(from.size() + 1,
                                        std::vector<size_t>(to.size() + 1));
  for (size_t row = 0; row <= from.size(); ++row) cost[row][0] = row;
  for (size_t column = 0; column <= to.size(); ++column) {
    cost[0][column] = column;
  }
  for (size_t row = 1; row <= from.size(); ++row) {
    for (size_t column = 1; column <= to.size(); ++column) {
      const size_t replaced = from[row - 1] == to[column - 1] ? 0 : 1;
      size_t& best = cost[row][column];
      best = std::min({cost[row - 1][column] + 1, cost[row][column - 1] + 1,
                       cost[row - 1][column - 1] + replaced});
      if (row > 1 && column > 1 && from[row - 1] == to[column - 2] &&
          from[row - 2] == to[column - 1]) {
        best = std::min(best, cost[row - 2][column - 2] + 1);
      }
    }
  }
  return cost[from.size()][to.size()];
}

size_t CommonBeginning(absl::string_view a, absl::string_view b) {
  const size_t length = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(length),
                    b.begin())
          .first -
      a.begin());
}

}  // namespace

std::string NearestName(absl::string_view name,
                        absl::Span<const absl::string_view> candidates) {
  constexpr size_t kLongestName = 64;
  if (name.empty() || name.size() > kLongestName) return "";
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  absl::string_view best;
  for (absl::string_view candidate : candidates) {
    const size_t distance = name.size() > 2 && absl::StartsWith(candidate, name)
                                ? 1
                                : EditDistance(name, candidate);
    // People begin a word well more often than they end it.
    if (distance < best_distance ||
        (distance == best_distance && !best.empty() &&
         CommonBeginning(name, candidate) > CommonBeginning(name, best))) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

}  // namespace walferry
