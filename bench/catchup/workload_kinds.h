#ifndef BENCH_CATCHUP_WORKLOAD_KINDS_H_
#define BENCH_CATCHUP_WORKLOAD_KINDS_H_

// The workloads one by one. Only the number of changes follows `scale` unless
// something else is said.

#include <algorithm>

#include "bench/catchup/workload.h"

namespace walferry {

// pgbench's own "TPC-B (sort of)", at pgbench's scale 10.
Workload TpcbWorkload(double scale);

// One table of a bigint key, an int, a text of 64, a timestamptz and a numeric;
// 1,000 changes in each transaction. Updates and deletes meet each row once, in
// scattered order; the table grows with `scale`.
Workload InsertWorkload(double scale);
Workload UpdateWorkload(double scale);
Workload DeleteWorkload(double scale);
// One transaction of inserts, larger than what a walsender keeps in memory.
Workload BigTransactionWorkload(double scale);
// The same 100 rows updated again and again.
Workload HotWorkload(double scale);

// 20 columns, among them jsonb and a text of 2.5 kB that is stored out of line
// and uncompressed; half of the updates leave that alone.
Workload WideWorkload(double scale);

// A secondary unique key, not deferrable, swapped between two rows by way of a
// third value: three updates. Batches that apply the net changes in another
// order than this violate the key.
Workload UniqueWorkload(double scale);

// Inserts, updates and deletes over 20 tables, each with a secondary unique key
// and a foreign key to another one of them. Four sessions, whose transactions
// overlap, but not their rows: the rows are the same in every run. Keys and
// unique values are given up and taken again all the time.
Workload MixedWorkload(double scale);

// How many of something there are.
inline int Scaled(int count, double scale) {
  return std::max(1, static_cast<int>(count * scale));
}

}  // namespace walferry

#endif  // BENCH_CATCHUP_WORKLOAD_KINDS_H_
