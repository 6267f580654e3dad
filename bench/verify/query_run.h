#ifndef BENCH_VERIFY_QUERY_RUN_H_
#define BENCH_VERIFY_QUERY_RUN_H_

// What a person would do: the sum of a hash of each row, on both sides.

#include "absl/status/status.h"
#include "bench/verify/equal_servers.h"

namespace walferry {

// SELECT count(*), sum(hashtext(t::text)) of every table in ranges of its key
// of 64 MiB, `jobs` at a time, each with a session on either side, both at
// work. kDataLoss: the answers differ.
absl::Status RunQueries(const EqualServers& servers, int jobs);

}  // namespace walferry

#endif  // BENCH_VERIFY_QUERY_RUN_H_
