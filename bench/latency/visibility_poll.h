#ifndef BENCH_LATENCY_VISIBILITY_POLL_H_
#define BENCH_LATENCY_VISIBILITY_POLL_H_

// When does a row become visible? Asked for again and again on a connection of
// its own.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/testing/sql.h"

namespace walferry {

class VisibilityPoll {
 public:
  // Of a table beats with a bigint key id, whose rows come to be numbered from
  // 1 without a gap, in whatever order.
  static absl::StatusOr<VisibilityPoll> Open(const std::string& conninfo);

  // Asks once for the rows that have not been seen.
  absl::Status Look();

  // By id: when an answer first had the row. It has become visible before
  // that, but not before the question that preceded.
  const std::map<int64_t, absl::Time>& seen() const { return seen_; }

  // For every answer that had a new row: how much later than that the time in
  // seen() may be.
  const std::vector<absl::Duration>& errors() const { return errors_; }

 private:
  explicit VisibilityPoll(SqlConnection connection)
      : connection_(std::move(connection)) {}

  SqlConnection connection_;
  int64_t all_seen_to_ = 0;
  absl::Time last_question_ = absl::Now();
  std::map<int64_t, absl::Time> seen_;
  std::vector<absl::Duration> errors_;
};

}  // namespace walferry

#endif  // BENCH_LATENCY_VISIBILITY_POLL_H_
