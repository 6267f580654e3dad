#ifndef BENCH_CATCHUP_WORKLOAD_H_
#define BENCH_CATCHUP_WORKLOAD_H_

// What the source does before the clock starts.

#include <string>
#include <vector>

namespace walferry {

struct Workload {
  std::string name;
  std::string what;  // One line for the table's legend.
  // Run on the source and on the target: the same rows everywhere.
  std::string schema;
  // The changes that are then to be caught up with: statements that run at the
  // same time, each in a session of its own, ...
  std::vector<std::string> sessions;
  // ... or a pgbench script run by four clients.
  std::string pgbench_script;
  int pgbench_transactions = 0;  // Of each client.
};

// All of them, smaller or larger by `scale`. At scale 1 each takes the floor
// several seconds.
std::vector<Workload> Workloads(double scale);

}  // namespace walferry

#endif  // BENCH_CATCHUP_WORKLOAD_H_
