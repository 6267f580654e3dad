#ifndef BENCH_CATCHUP_RESULT_TABLE_H_
#define BENCH_CATCHUP_RESULT_TABLE_H_

// The figures for a person: a line for each run on the standard output.

#include "absl/time/time.h"
#include "bench/catchup/result.h"

namespace walferry {

// `round_trip` says whether lines have the figures of a delay; zero: no.
void PrintTableHeader(absl::Duration round_trip);
void PrintTableLine(const Result& result, absl::Duration round_trip);

}  // namespace walferry

#endif  // BENCH_CATCHUP_RESULT_TABLE_H_
