#include "tools/watched_run.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "protocol/status.h"
#include "tools/event_log.h"
#include "tools/events_output.h"
#include "tools/foreground_run.h"
#include "tools/log_format.h"
#include "tools/terminal_progress.h"

namespace walferry {

// Hands every event to all that tell of it, but for the end: that is what the
// run has returned, whatever it has said before.
class EventFan : public EventSink {
 public:
  EventFan(std::vector<EventSink*> sinks, EventWriter* writer,
           spdlog::logger& logger, Phase first_phase)
      : sinks_(std::move(sinks)),
        writer_(writer),
        logger_(logger),
        phase_(first_phase) {}

  // Called when a phase begins: what is shown of the last one is old. Not to
  // be set while events may come.
  void SetOnPhase(std::function<void()> on_phase) {
    on_phase_ = std::move(on_phase);
  }

  void OnEvent(const Event& event) override {
    phase_ = PhaseAfter(event, phase_);
    if (std::holds_alternative<Failed>(event) ||
        std::holds_alternative<Done>(event)) {
      return;
    }
    Send(event);
  }

  void Send(const Event& event) {
    for (EventSink* sink : sinks_) sink->OnEvent(event);
    if (on_phase_ && std::holds_alternative<PhaseStarted>(event)) on_phase_();
    Write([&event](EventWriter& writer) { writer.OnEvent(event); });
  }

  void Write(const std::function<void(EventWriter& writer)>& write) {
    if (writer_ == nullptr) return;
    const bool could_write = writer_->status().ok();
    write(*writer_);
    if (could_write && !writer_->status().ok()) {
      logger_.error("{}; the run goes on without", writer_->status().message());
    }
  }

  Phase phase() const { return phase_; }

 private:
  const std::vector<EventSink*> sinks_;
  EventWriter* writer_;
  spdlog::logger& logger_;
  std::function<void()> on_phase_;
  Phase phase_;
};

struct WatchedRun::Parts {
  const CommandContext& context;
  std::shared_ptr<spdlog::logger> logger;
  TerminalProgress progress;
  EventLog log;
  std::unique_ptr<EventsOutput> output;
  std::optional<EventWriter> writer;
  std::optional<EventFan> events;

  explicit Parts(const CommandContext& command)
      : context(command),
        logger(CreateLogger(command.log, command.screen, command.redactor)),
        progress(command.now),
        log(*logger, !command.screen.live(), command.now) {}
};

absl::StatusOr<std::unique_ptr<WatchedRun>> WatchedRun::Open(
    const CommandContext& context, Phase first_phase) {
  auto parts = std::make_unique<Parts>(context);
  if (const std::string& path = context.values.Text(OptionId::kEvents);
      !path.empty()) {
    ASSIGN_OR_RETURN(parts->output, EventsOutput::Open(path, context.out));
    parts->writer.emplace(parts->output->stream(), context.redactor,
                          context.now, first_phase);
  }
  parts->events.emplace(std::vector<EventSink*>{&parts->progress, &parts->log},
                        parts->writer ? &*parts->writer : nullptr,
                        *parts->logger, first_phase);
  return std::unique_ptr<WatchedRun>(new WatchedRun(std::move(parts)));
}

WatchedRun::WatchedRun(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

WatchedRun::~WatchedRun() = default;

void WatchedRun::Run(
    const std::string& cutover_note, const std::string& stop_note,
    const std::function<void(Control& control, EventSink& events)>& work) {
  Control control;
  RunInForeground(
      parts_->context, *parts_->logger, control,
      {.interrupt = cutover_note.empty() ? InterruptMeaning::kStop
                                         : InterruptMeaning::kCutover,
       .cutover_note = cutover_note,
       .stop_note = stop_note,
       .render =
           [this](TerminalSize size, absl::string_view note) {
             return parts_->progress.Render(size, note);
           }},
      [&](const std::function<void()>& redraw) {
        parts_->events->SetOnPhase(redraw);
        work(control, *parts_->events);
        parts_->events->SetOnPhase(nullptr);
      });
}

void WatchedRun::EndWith(const Event& event) { parts_->events->Send(event); }

void WatchedRun::EndWithError(const absl::Status& error) {
  EndWith(Failed{parts_->events->phase(), error});
}

void WatchedRun::EndWithComparison(const VerifyAccount& account) {
  parts_->events->Write(
      [&account](EventWriter& writer) { writer.WriteComparison(account); });
}

CommandOutcome FinishRunWith(const CommandContext& context,
                             absl::string_view text) {
  if (context.values.Text(OptionId::kEvents) != "-") {
    return FinishWith(context, text);
  }
  // Standard output belongs to the events.
  if (context.log.format == LogFormat::kText) {
    const std::string redacted = context.redactor.Redact(text);
    context.screen.Print(absl::StripTrailingAsciiWhitespace(redacted));
  }
  return {};
}

}  // namespace walferry
