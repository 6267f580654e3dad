#ifndef BENCH_CATCHUP_SERVER_PAIR_H_
#define BENCH_CATCHUP_SERVER_PAIR_H_

// A source with a backlog, and a target that has a database for everybody who
// is to catch up with it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/catchup/workload.h"
#include "protocol/lsn.h"
#include "tests/testing/pg_server.h"

namespace walferry {

// After this a run is given up.
inline constexpr absl::Duration kRunPatience = absl::Minutes(30);

class ServerPair {
 public:
  // Starts both servers. The source's database app and publication pub have a
  // slot for each of `slots`; the target has a database for each of
  // `databases`, where each table has `target_indexes` indexes more, over its
  // columns in turn. The workload has run on the source.
  static absl::StatusOr<std::unique_ptr<ServerPair>> Start(
      const Workload& workload, const std::vector<std::string>& slots,
      const std::vector<std::string>& databases, int target_indexes);

  // Call it before a clock starts: nothing of what went before may run on.
  absl::Status Settle() const;

  // Whether the target's database holds what the source does.
  absl::Status CheckEqual(const std::string& database) const;

  const PgServer& source() const { return *source_; }
  const PgServer& target() const { return *target_; }
  std::string source_conninfo() const { return source_->ConnInfo("app"); }
  // Everything of the workload has committed before it.
  Lsn end() const { return end_; }

 private:
  ServerPair(std::unique_ptr<PgServer> source, std::unique_ptr<PgServer> target,
             std::vector<std::string> databases)
      : source_(std::move(source)),
        target_(std::move(target)),
        databases_(std::move(databases)) {}

  absl::Status Prepare(const Workload& workload,
                       const std::vector<std::string>& slots,
                       int target_indexes) const;
  absl::Status Load(const Workload& workload) const;
  absl::Status RunPgbench(const Workload& workload) const;

  const std::unique_ptr<PgServer> source_;
  const std::unique_ptr<PgServer> target_;
  const std::vector<std::string> databases_;
  Lsn end_;
};

}  // namespace walferry

#endif  // BENCH_CATCHUP_SERVER_PAIR_H_
