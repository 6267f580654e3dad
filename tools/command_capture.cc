#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tools/command.h"
#include "tools/foreground_run.h"
#include "tools/human_format.h"
#include "tools/log_format.h"
#include "tools/option_binding.h"
#include "tools/rate_meter.h"
#include "tools/report_text.h"
#include "tools/terminal_row.h"

namespace walferry {
namespace {

constexpr absl::Duration kLineInterval = absl::Seconds(10);

// How far the record is: live lines on a terminal, now and then a line in the
// log elsewhere. Thread-safe: the engine tells, another thread draws.
class RecordingProgress {
 public:
  RecordingProgress(const CommandContext& context, spdlog::logger& logger,
                    std::string output)
      : context_(context), logger_(logger), output_(std::move(output)) {}

  void OnProgress(const CaptureReport& so_far) {
    absl::MutexLock lock(&mutex_);
    const bool begins = text_.empty();
    bytes_.Add(so_far.elapsed, static_cast<double>(so_far.bytes));
    text_ = absl::StrCat(HumanCount(so_far.frames, "frame", "frames"), ", ",
                         HumanBytes(static_cast<double>(so_far.bytes)), ", ",
                         HumanRate(bytes_.PerSecond()), ", ",
                         HumanDuration(so_far.elapsed));
    const absl::Time now = context_.now();
    if (begins) {
      logger_.info("recording slot {} to {}", so_far.slot, output_);
    } else if (context_.screen.live() || now < next_line_) {
      return;
    } else {
      logger_.info("capture: {}", text_);
    }
    next_line_ = now + kLineInterval;
  }

  std::vector<std::string> Render(TerminalSize size,
                                  absl::string_view note) const {
    absl::MutexLock lock(&mutex_);
    // The last column stays free: some terminals wrap when it is written.
    const size_t width = size.columns > 1 ? size.columns - 1 : 1;
    std::vector<std::string> lines;
    if (!text_.empty()) {
      lines.push_back(FitText(absl::StrCat("capture  ", text_), width));
    }
    if (!note.empty())
      lines.push_back(FitText(absl::StrCat("  ", note), width));
    return lines;
  }

 private:
  const CommandContext& context_;
  spdlog::logger& logger_;
  const std::string output_;
  mutable absl::Mutex mutex_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
  RateMeter bytes_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_line_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

CommandOutcome RunCaptureCommand(const CommandContext& context) {
  const absl::StatusOr<CaptureOptions> options = BindCapture(context.values);
  if (!options.ok()) return FailUsage(options.status());
  const std::shared_ptr<spdlog::logger> logger =
      CreateLogger(context.log, context.screen, context.redactor);
  RecordingProgress progress(context, *logger, options->output);
  Control control;
  absl::StatusOr<CaptureReport> report =
      absl::InternalError("the capture did not end");
  // A stop, rather than a cutover: it also ends the wait for the source's
  // transactions before the first frame.
  RunInForeground(context, *logger, control,
                  {.interrupt = InterruptMeaning::kStop,
                   .cutover_note = "",
                   .stop_note = "ending the record",
                   .render =
                       [&](TerminalSize size, absl::string_view note) {
                         return progress.Render(size, note);
                       }},
                  [&](const std::function<void()>& redraw) {
                    report = context.engine.capture(
                        *options, control, [&](const CaptureReport& so_far) {
                          progress.OnProgress(so_far);
                          redraw();
                        });
                  });
  if (!report.ok()) return Fail(report.status());
  return FinishWith(context, CaptureText(options->output, *report));
}

}  // namespace walferry
