#include "bench/copy/stopwatch.h"

#include "absl/time/clock.h"
#include "bench/process_usage.h"

namespace walferry {

Stopwatch::Stopwatch(const CopyServers& servers)
    : servers_(servers),
      before_(CpuTimes()),
      begin_(absl::Now()),
      part_begin_(begin_) {}

void Stopwatch::Part(const std::string& name) {
  const absl::Time now = absl::Now();
  run_.parts.push_back({.name = name, .elapsed = now - part_begin_});
  part_begin_ = now;
}

CopyRun Stopwatch::Stop() {
  run_.elapsed = absl::Now() - begin_;
  const CopyRun after = CpuTimes();
  run_.client_cpu = after.client_cpu - before_.client_cpu;
  run_.source_cpu = after.source_cpu - before_.source_cpu;
  run_.target_cpu = after.target_cpu - before_.target_cpu;
  return run_;
}

CopyRun Stopwatch::CpuTimes() const {
  return {.client_cpu = CpuTimeOfChildren(),
          .source_cpu = CpuTimeOfServer(servers_.source().postmaster_pid()),
          .target_cpu = CpuTimeOfServer(servers_.target().postmaster_pid())};
}

}  // namespace walferry
