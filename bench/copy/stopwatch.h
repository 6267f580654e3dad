#ifndef BENCH_COPY_STOPWATCH_H_
#define BENCH_COPY_STOPWATCH_H_

// Takes the time of a run, and the CPU time of all that work for it.

#include <string>

#include "absl/time/time.h"
#include "bench/copy/copy_servers.h"
#include "bench/copy/result.h"

namespace walferry {

class Stopwatch {
 public:
  // Starts. The programs of the run are children of ours.
  explicit Stopwatch(const CopyServers& servers);

  // A part ends; the next one begins.
  void Part(const std::string& name);

  // Stops, when all programs have ended.
  CopyRun Stop();

 private:
  CopyRun CpuTimes() const;

  const CopyServers& servers_;
  CopyRun run_;
  const CopyRun before_;
  const absl::Time begin_;
  absl::Time part_begin_;
};

}  // namespace walferry

#endif  // BENCH_COPY_STOPWATCH_H_
