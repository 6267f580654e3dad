#include "tools/archive_run.h"

#include <memory>
#include <utility>
#include <variant>

#include "tools/event_log.h"
#include "tools/foreground_run.h"
#include "tools/terminal_progress.h"

namespace walferry {
namespace {

class LogAndScreen : public EventSink {
 public:
  LogAndScreen(EventLog& log, TerminalProgress& progress,
               std::function<void()> on_phase)
      : log_(log), progress_(progress), on_phase_(std::move(on_phase)) {}

  void OnEvent(const Event& event) override {
    progress_.OnEvent(event);
    log_.OnEvent(event);
    if (std::holds_alternative<PhaseStarted>(event)) on_phase_();
  }

 private:
  EventLog& log_;
  TerminalProgress& progress_;
  const std::function<void()> on_phase_;
};

}  // namespace

void RunOnArchive(
    const CommandContext& context, const std::string& stop_note,
    const std::function<void(Control& control, EventSink& events)>& work) {
  const std::shared_ptr<spdlog::logger> logger =
      CreateLogger(context.log, context.screen, context.redactor);
  TerminalProgress progress(context.now);
  EventLog log(*logger, !context.screen.live(), context.now);
  Control control;
  RunInForeground(context, *logger, control,
                  {.interrupt = InterruptMeaning::kStop,
                   .cutover_note = "",
                   .stop_note = stop_note,
                   .render =
                       [&](TerminalSize size, absl::string_view note) {
                         return progress.Render(size, note);
                       }},
                  [&](const std::function<void()>& redraw) {
                    LogAndScreen events(log, progress, redraw);
                    work(control, events);
                  });
}

}  // namespace walferry
