#ifndef BENCH_BACKEND_CPU_H_
#define BENCH_BACKEND_CPU_H_

// The CPU time of server processes that come and go: a walsender, an apply
// worker, a client's backends. They end together with the run that is
// measured, so they are looked at all the while and the last figure counts.

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"

namespace walferry {

class BackendCpu {
 public:
  // `pids` is a query in database postgres whose rows are process ids.
  static absl::StatusOr<BackendCpu> Watch(const PgServer& server,
                                          std::string pids);

  // Call it every few milliseconds: asks for new processes every 100 ms, and
  // reads the figures every 20 ms.
  absl::Status Look();

  // The sum over all processes that were seen, too small by what each has
  // used since it was last looked at.
  absl::Duration total() const;

 private:
  BackendCpu(SqlConnection connection, std::string pids)
      : connection_(std::move(connection)), pids_(std::move(pids)) {}

  SqlConnection connection_;
  std::string pids_;
  std::map<pid_t, absl::Duration> used_;
  absl::Time next_query_ = absl::InfinitePast();
  absl::Time next_reading_ = absl::InfinitePast();
};

// Queries for Watch: the walsender of a slot, the sessions in a database, and
// the apply workers of a subscription in a database.
std::string WalsenderOf(const std::string& slot);
std::string SessionsIn(const std::string& database);
std::string ApplyWorkersIn(const std::string& database);

}  // namespace walferry

#endif  // BENCH_BACKEND_CPU_H_
