#ifndef BENCH_ALLOCATION_COUNTER_H_
#define BENCH_ALLOCATION_COUNTER_H_

// Counts every allocation of a benchmark binary, by replacing the global
// operator new. Include it in the one source file of the binary.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "absl/base/attributes.h"
#include "benchmark/benchmark.h"

namespace walferry {

inline std::atomic<int64_t>& Allocations() {
  static constinit std::atomic<int64_t> count = 0;
  return count;
}

// Puts the counter "allocations", per item, into a benchmark's report.
class CountAllocations {
 public:
  // Starts to count.
  explicit CountAllocations(benchmark::State& state)
      : state_(state), before_(Allocations().load()) {}

  // Ends: `items` is what one iteration does.
  void Report(int64_t items) {
    const int64_t count = Allocations().load() - before_;
    state_.counters["allocations"] =
        static_cast<double>(count) /
        static_cast<double>(items * static_cast<int64_t>(state_.iterations()));
    state_.SetItemsProcessed(items * static_cast<int64_t>(state_.iterations()));
  }

 private:
  benchmark::State& state_;
  int64_t before_;
};

}  // namespace walferry

// Inlined, they would look to the compiler like malloc() met by delete.
ABSL_ATTRIBUTE_NOINLINE void* operator new(size_t size) {
  walferry::Allocations().fetch_add(1, std::memory_order_relaxed);
  if (void* bytes = std::malloc(size); bytes != nullptr) return bytes;
  throw std::bad_alloc();
}
ABSL_ATTRIBUTE_NOINLINE void operator delete(void* bytes) noexcept {
  std::free(bytes);
}
ABSL_ATTRIBUTE_NOINLINE void operator delete(void* bytes, size_t) noexcept {
  std::free(bytes);
}

#endif  // BENCH_ALLOCATION_COUNTER_H_
