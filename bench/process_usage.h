#ifndef BENCH_PROCESS_USAGE_H_
#define BENCH_PROCESS_USAGE_H_

// What a process that still runs has used, ours or not. Zero if it has ended.

#include <sys/types.h>

#include <cstdint>

#include "absl/time/time.h"

namespace walferry {

// In user mode and in the kernel, to a tick of the kernel's (10 ms).
absl::Duration CpuTimeOf(pid_t pid);

// The most resident memory that it has had.
int64_t PeakKibOf(pid_t pid);

// The CPU time of our children that have ended and been waited for.
absl::Duration CpuTimeOfChildren();

// The CPU time of a server's processes, from its start on: those that run, and
// all sessions and workers that have ended.
absl::Duration CpuTimeOfServer(pid_t postmaster);

}  // namespace walferry

#endif  // BENCH_PROCESS_USAGE_H_
