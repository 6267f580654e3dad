#ifndef TOOLS_EVENT_LOG_H_
#define TOOLS_EVENT_LOG_H_

// Tells a run's events as log lines.

#include <spdlog/logger.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "engine/event.h"
#include "tools/rate_meter.h"

namespace walferry {

// Phases, warnings and conflicts as they come. Progress and lag about every
// ten seconds, and only if no live lines show them. Not the end of the run:
// that is the command's result.
class EventLog : public EventSink {
 public:
  // `subject` begins every line: "", or "shop: ".
  EventLog(spdlog::logger& logger, bool log_progress,
           std::function<absl::Time()> now, std::string subject = "")
      : logger_(logger),
        log_progress_(log_progress),
        now_(std::move(now)),
        subject_(std::move(subject)) {}

  void OnEvent(const Event& event) override;

 private:
  void OnPhase(const PhaseStarted& started);
  void OnProgress(const Progress& progress);
  void OnLag(const Lag& lag);
  // Whether the last line of progress or lag is long enough ago.
  bool Due();

  spdlog::logger& logger_;
  const bool log_progress_;
  const std::function<absl::Time()> now_;
  const std::string subject_;
  absl::Time next_line_ = absl::InfinitePast();
  std::string waits_for_;
  RateMeter bytes_;
};

}  // namespace walferry

#endif  // TOOLS_EVENT_LOG_H_
