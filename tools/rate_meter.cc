#include "tools/rate_meter.h"

namespace walferry {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(15);

}  // namespace

void RateMeter::Add(absl::Duration elapsed, double value) {
  if (!samples_.empty() &&
      (elapsed < samples_.back().elapsed || value < samples_.back().value)) {
    samples_.clear();
  }
  if (!samples_.empty() && elapsed == samples_.back().elapsed) {
    samples_.back().value = value;
    return;
  }
  samples_.push_back({elapsed, value});
  // The oldest that stays is at least as old as the window.
  while (samples_.size() > 2 && elapsed - samples_[1].elapsed >= kWindow) {
    samples_.pop_front();
  }
}

double RateMeter::PerSecond() const {
  if (samples_.size() < 2) return 0;
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  return (last.value - first.value) /
         absl::ToDoubleSeconds(last.elapsed - first.elapsed);
}

}  // namespace walferry
