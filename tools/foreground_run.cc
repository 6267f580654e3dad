#include "tools/foreground_run.h"

#include <atomic>
#include <thread>

#include "tools/log_format.h"

namespace walferry {
namespace {

constexpr absl::Duration kRedrawInterval = absl::Seconds(1);

// Says once each what signals (or another process) have asked for.
class RequestAnnouncer {
 public:
  RequestAnnouncer(const Control& control, const ForegroundOptions& options,
                   spdlog::logger& logger)
      : control_(control), options_(options), logger_(logger) {}

  // What the live lines should say now.
  std::string Announce() {
    const bool stop = control_.stop_requested();
    const bool cutover = control_.cutover_requested();
    if (stop && !stop_announced_) logger_.info(options_.stop_note);
    if (cutover && !cutover_announced_ && !stop) {
      logger_.info(options_.cutover_note);
    }
    stop_announced_ = stop;
    cutover_announced_ = cutover;
    if (stop) return options_.stop_note;
    return cutover ? options_.cutover_note : "";
  }

 private:
  const Control& control_;
  const ForegroundOptions& options_;
  spdlog::logger& logger_;
  bool stop_announced_ = false;
  bool cutover_announced_ = false;
};

}  // namespace

void RunInForeground(
    const CommandContext& context, spdlog::logger& logger, Control& control,
    const ForegroundOptions& options,
    const std::function<void(const std::function<void()>& redraw)>& work) {
  SignalWatch watch(control, options.interrupt);
  RequestAnnouncer announcer(control, options, logger);
  std::atomic<bool> ended = false;
  // house-rule: ok, ends within this function, which draws meanwhile.
  std::thread worker([&] {
    work([&watch] { watch.Wake(); });
    ended = true;
    watch.Wake();
  });
  while (!ended) {
    watch.Wait(kRedrawInterval);
    const std::string note = announcer.Announce();
    if (!context.screen.live() || ended) continue;
    context.screen.ShowBlock(options.render(context.terminal_size(), note));
  }
  worker.join();
  context.screen.ShowBlock({});
}

}  // namespace walferry
