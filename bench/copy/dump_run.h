#ifndef BENCH_COPY_DUMP_RUN_H_
#define BENCH_COPY_DUMP_RUN_H_

// PostgreSQL's own way: pg_dump into a directory, then pg_restore from it.

#include <string>

#include "absl/status/statusor.h"
#include "bench/copy/copy_servers.h"
#include "bench/copy/result.h"
#include "engine/schema/pg_tools.h"

namespace walferry {

// "-Fd -j2 --compress=zstd:1", or gzip's fastest where there is no zstd.
std::string DumpOptionsText(const PgTools& tools);

// Into the target's database `name`.
absl::StatusOr<CopyRun> RunDump(const CopyServers& servers,
                                const std::string& name);

}  // namespace walferry

#endif  // BENCH_COPY_DUMP_RUN_H_
