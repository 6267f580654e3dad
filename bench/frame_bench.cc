// Frames of the copy-both stream: what comes in, and the status that goes out.

#include <string>
#include <variant>
#include <vector>

#include "bench/allocation_counter.h"
#include "benchmark/benchmark.h"
#include "protocol/replication_frame.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

constexpr size_t kFrames = 256;

std::vector<std::string> Frames(const Wire& frame) {
  return std::vector<std::string>(kFrames, frame.str());
}

std::vector<std::string> WalFrames() {
  return Frames(
      Wire('w').Int64(0x100).Int64(0x100).Int64(3).Bytes(std::string(64, 'I')));
}

std::vector<std::string> KeepaliveFrames() {
  return Frames(Wire('k').Int64(0x100).Int64(3).Byte(0));
}

void BM_DecodeFrame(benchmark::State& state,
                    const std::vector<std::string>& frames) {
  if (!DecodeFrame(frames[0]).ok()) {  // Never time a path that fails.
    state.SkipWithError("the benchmark's own frame does not decode");
    return;
  }
  CountAllocations allocations(state);
  for (auto _ : state) {
    uint64_t sum = 0;
    for (const std::string& bytes : frames) {
      const absl::StatusOr<Frame> frame = DecodeFrame(bytes);
      if (const auto* wal = std::get_if<XLogData>(&*frame)) {
        sum += wal->data_start.value() + wal->payload.size();
      } else {
        sum += std::get<Keepalive>(*frame).wal_end.value();
      }
    }
    benchmark::DoNotOptimize(sum);
  }
  allocations.Report(static_cast<int64_t>(frames.size()));
}

void BM_BuildStandbyStatus(benchmark::State& state) {
  CountAllocations allocations(state);
  StandbyStatus status = {.write = Lsn(3), .flush = Lsn(2), .apply = Lsn(2)};
  for (auto _ : state) {
    status.client_time += 1;
    benchmark::DoNotOptimize(BuildStandbyStatus(status));
  }
  allocations.Report(1);
}

BENCHMARK_CAPTURE(BM_DecodeFrame, wal_data, WalFrames());
BENCHMARK_CAPTURE(BM_DecodeFrame, keepalive, KeepaliveFrames());
BENCHMARK(BM_BuildStandbyStatus);

}  // namespace
}  // namespace walferry

BENCHMARK_MAIN();
