#include "bench/backend_cpu.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/process_usage.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<BackendCpu> BackendCpu::Watch(const PgServer& server,
                                             std::string pids) {
  ASSIGN_OR_RETURN(SqlConnection connection,
                   SqlConnection::Open(server.ConnInfo()));
  return BackendCpu(std::move(connection), std::move(pids));
}

absl::Status BackendCpu::Look() {
  const absl::Time now = absl::Now();
  if (now >= next_query_) {
    next_query_ = now + absl::Milliseconds(100);
    ASSIGN_OR_RETURN(const SqlRows rows, connection_.Query(pids_));
    for (const SqlRow& row : rows) {
      pid_t pid = 0;
      if (row[0].has_value() && absl::SimpleAtoi(*row[0], &pid)) {
        used_.try_emplace(pid);
      }
    }
  }
  if (now >= next_reading_) {
    next_reading_ = now + absl::Milliseconds(20);
    for (auto& [pid, used] : used_) used = std::max(used, CpuTimeOf(pid));
  }
  return absl::OkStatus();
}

absl::Duration BackendCpu::total() const {
  absl::Duration total;
  for (const auto& [pid, used] : used_) total += used;
  return total;
}

std::string WalsenderOf(const std::string& slot) {
  return absl::StrCat(
      "SELECT active_pid FROM pg_replication_slots WHERE active_pid IS NOT "
      "NULL AND slot_name = ",
      QuoteLiteral(slot));
}

std::string SessionsIn(const std::string& database) {
  return absl::StrCat(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
      "AND datname = ",
      QuoteLiteral(database));
}

// "logical replication worker", from PostgreSQL 16 on "logical replication
// apply worker" and "logical replication parallel worker".
std::string ApplyWorkersIn(const std::string& database) {
  return absl::StrCat(
      "SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'logical "
      "replication%worker' AND datname = ",
      QuoteLiteral(database));
}

}  // namespace walferry
