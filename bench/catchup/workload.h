#ifndef BENCH_CATCHUP_WORKLOAD_H_
#define BENCH_CATCHUP_WORKLOAD_H_

// What the source does before the clock starts.

#include <string>
#include <vector>

namespace walferry {

struct Workload {
  std::string name;
  std::string what;  // One line for the table's legend.
  // Run on the source and on both targets: the same rows everywhere.
  std::string schema;
  // The changes that are then to be caught up with: SQL run once, or a pgbench
  // script run by four clients.
  std::string sql;
  std::string pgbench_script;
  int pgbench_transactions = 0;  // Of each client.
};

// The workloads of the design, smaller or larger by `scale`.
std::vector<Workload> Workloads(double scale);

}  // namespace walferry

#endif  // BENCH_CATCHUP_WORKLOAD_H_
