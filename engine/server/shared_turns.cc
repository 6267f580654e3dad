#include "engine/server/shared_turns.h"

#include "absl/algorithm/container.h"
#include "absl/time/time.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How soon a stop is noticed by who waits.
constexpr absl::Duration kTick = absl::Milliseconds(50);

}  // namespace

SharedTurns::SharedTurns(int readers, int builders, int comparers) {
  absl::MutexLock lock(&mutex_);
  LineOf(Work::kRead).free = readers;
  LineOf(Work::kBuild).free = builders;
  LineOf(Work::kCompare).free = comparers;
}

absl::Status SharedTurns::Await(Work work, const Interrupt& interrupt) {
  absl::MutexLock lock(&mutex_);
  Line& line = LineOf(work);
  const uint64_t number = ++drawn_;
  line.waiting.push_back(number);
  const auto is_next = [&line, number] {
    return line.free > 0 && line.waiting.front() == number;
  };
  while (!mutex_.AwaitWithTimeout(absl::Condition(&is_next), kTick)) {
    if (!interrupt.raised()) continue;
    line.waiting.erase(absl::c_find(line.waiting, number));
    return absl::CancelledError("stopped while waiting for its turn");
  }
  line.waiting.pop_front();
  --line.free;
  return absl::OkStatus();
}

void SharedTurns::GiveBack(Work work) {
  absl::MutexLock lock(&mutex_);
  ++LineOf(work).free;
}

}  // namespace walferry
