#include "tools/live_run.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tools/event_json.h"
#include "tools/event_log.h"
#include "tools/events_output.h"
#include "tools/foreground_run.h"
#include "tools/log_format.h"
#include "tools/report_text.h"
#include "tools/terminal_progress.h"

namespace walferry {
namespace {

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

  void EndWith(const absl::StatusOr<Report>& result) {
    if (result.ok()) {
      Send(Done{*result});
    } else {
      Send(Failed{phase_, result.status()});
    }
  }

 private:
  void Send(const Event& event) {
    for (EventSink* sink : sinks_) sink->OnEvent(event);
    if (on_phase_ && std::holds_alternative<PhaseStarted>(event)) on_phase_();
    if (writer_ == nullptr) return;
    const bool could_write = writer_->status().ok();
    writer_->OnEvent(event);
    if (could_write && !writer_->status().ok()) {
      logger_.error("{}; the run goes on without", writer_->status().message());
    }
  }

  const std::vector<EventSink*> sinks_;
  EventWriter* writer_;
  spdlog::logger& logger_;
  std::function<void()> on_phase_;
  Phase phase_;
};

absl::StatusOr<Report> RunWatched(const CommandContext& context,
                                  const LiveRunOptions& options,
                                  const TerminalProgress& progress,
                                  EventFan& events, spdlog::logger& logger,
                                  const EngineRun& run) {
  Control control;
  absl::StatusOr<Report> result = absl::InternalError("the run did not end");
  RunInForeground(
      context, logger, control,
      {.interrupt = options.cutover_note.empty() ? InterruptMeaning::kStop
                                                 : InterruptMeaning::kCutover,
       .cutover_note = options.cutover_note,
       .stop_note = options.goes_on
                        ? "stopping; the same command goes on from here later"
                        : "stopping; what is on the target by now stays",
       .render =
           [&](TerminalSize size, absl::string_view note) {
             return progress.Render(size, note);
           }},
      [&](const std::function<void()>& redraw) {
        events.SetOnPhase(redraw);
        result = run(control, events);
        events.SetOnPhase(nullptr);
      });
  return result;
}

CommandOutcome FinishWithReport(const CommandContext& context,
                                const Report& report) {
  if (context.values.Text(OptionId::kEvents) != "-") {
    return FinishWith(context, ReportText(report));
  }
  // Standard output belongs to the events, which end with the report.
  if (context.log.format == LogFormat::kText) {
    const std::string text = context.redactor.Redact(ReportText(report));
    context.screen.Print(absl::StripTrailingAsciiWhitespace(text));
  }
  return {};
}

}  // namespace

CommandOutcome RunLive(const CommandContext& context,
                       const LiveRunOptions& options, const EngineRun& run) {
  const std::shared_ptr<spdlog::logger> logger =
      CreateLogger(context.log, context.screen, context.redactor);
  TerminalProgress progress(context.now);
  EventLog log(*logger, !context.screen.live(), context.now);
  std::unique_ptr<EventsOutput> output;
  std::optional<EventWriter> writer;
  if (const std::string& path = context.values.Text(OptionId::kEvents);
      !path.empty()) {
    absl::StatusOr<std::unique_ptr<EventsOutput>> opened =
        EventsOutput::Open(path, context.out);
    if (!opened.ok()) return FailUsage(opened.status());
    output = *std::move(opened);
    writer.emplace(output->stream(), context.redactor, context.now,
                   options.first_phase);
  }
  EventFan events({&progress, &log}, writer ? &*writer : nullptr, *logger,
                  options.first_phase);
  const absl::StatusOr<Report> result =
      RunWatched(context, options, progress, events, *logger, run);
  if (result.ok()) {
    const absl::Status shortfall =
        options.shortfall ? options.shortfall() : absl::OkStatus();
    events.EndWith(shortfall.ok() ? result : shortfall);
    CommandOutcome outcome = FinishWithReport(context, *result);
    if (shortfall.ok() || outcome.code != ExitCode::kDone) return outcome;
    return {ExitCode::kDifferences, shortfall};
  }
  events.EndWith(result);
  CommandOutcome outcome = Fail(result.status());
  if (outcome.code == ExitCode::kResumable) {
    outcome.error = WithHint(std::move(outcome.error),
                             "the same command goes on where this one stopped");
  }
  return outcome;
}

}  // namespace walferry
