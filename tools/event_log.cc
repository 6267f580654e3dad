#include "tools/event_log.h"

#include <variant>

#include "tools/event_text.h"
#include "tools/human_format.h"
#include "tools/log_format.h"

namespace walferry {
namespace {

constexpr absl::Duration kLineInterval = absl::Seconds(10);

// Behind the colon stands how it is just now, which is always something else.
std::string WaitSubject(absl::string_view waiting_for) {
  return std::string(waiting_for.substr(0, waiting_for.find(": ")));
}

}  // namespace

void EventLog::OnEvent(const Event& event) {
  if (const auto* started = std::get_if<PhaseStarted>(&event)) {
    OnPhase(*started);
  } else if (const auto* finished = std::get_if<PhaseFinished>(&event)) {
    logger_.info("{}{}: finished in {}", subject_, PhaseName(finished->phase),
                 HumanDuration(finished->duration));
  } else if (const auto* progress = std::get_if<Progress>(&event)) {
    OnProgress(*progress);
  } else if (const auto* lag = std::get_if<Lag>(&event)) {
    OnLag(*lag);
  } else if (const auto* caught_up = std::get_if<CaughtUp>(&event)) {
    logger_.info("{}caught up at {}, {} behind", subject_,
                 caught_up->applied_lsn.ToString(),
                 HumanBytes(static_cast<double>(caught_up->lag_bytes)));
  } else if (const auto* usable = std::get_if<Usable>(&event)) {
    logger_.info("{}{}", subject_, UsableText(usable->delayed_tables));
  } else if (const auto* conflict = std::get_if<ConflictFound>(&event)) {
    logger_.error("{}{}", subject_, ConflictText(*conflict));
  } else if (const auto* notice = std::get_if<Notice>(&event)) {
    const bool warning = notice->level == Notice::Level::kWarning;
    logger_.log(warning ? spdlog::level::warn : spdlog::level::info, "{}{}",
                subject_, notice->text);
  }
}

void EventLog::OnPhase(const PhaseStarted& started) {
  bytes_ = RateMeter();
  next_line_ = now_() + kLineInterval;
  // The result says that it is done.
  if (started.phase == Phase::kDone) return;
  logger_.info("{}{}: {}", subject_, PhaseName(started.phase),
               started.resumed ? "resumed" : "started");
}

void EventLog::OnProgress(const Progress& progress) {
  bytes_.Add(progress.elapsed, static_cast<double>(progress.bytes));
  if (!Due()) return;
  logger_.info("{}{}: {}", subject_, PhaseName(progress.phase),
               ProgressText(progress, bytes_.PerSecond()));
}

void EventLog::OnLag(const Lag& lag) {
  const std::string subject = WaitSubject(lag.waiting_for);
  const bool waits_anew = !subject.empty() && subject != waits_for_;
  waits_for_ = subject;
  const bool due = Due();
  if (log_progress_ && (waits_anew || (due && !subject.empty()))) {
    logger_.info("{}{}: {}", subject_, PhaseName(lag.phase),
                 WaitText(lag.waiting_for));
  }
  if (due)
    logger_.info("{}{}: {}", subject_, PhaseName(lag.phase), LagText(lag));
}

bool EventLog::Due() {
  const absl::Time now = now_();
  if (!log_progress_ || now < next_line_) return false;
  next_line_ = now + kLineInterval;
  return true;
}

}  // namespace walferry
