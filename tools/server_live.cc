#include "tools/server_live.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tools/event_json.h"
#include "tools/event_log.h"
#include "tools/events_output.h"
#include "tools/foreground_run.h"
#include "tools/human_format.h"
#include "tools/log_format.h"
#include "tools/server_progress.h"
#include "tools/server_text.h"

namespace walferry {
namespace {

// Hands every event to all that tell of it, but for the end of the whole: that
// is what the run has returned.
class ServerEventFan : public ServerEventSink {
 public:
  ServerEventFan(const CommandContext& context, ServerProgressTable& table,
                 EventWriter* writer, spdlog::logger& logger)
      : context_(context), table_(table), writer_(writer), logger_(logger) {}

  void OnEvent(absl::string_view database, const Event& event) override {
    if (database.empty()) {
      phase_ = PhaseAfter(event, phase_);
      if (std::holds_alternative<Failed>(event) ||
          std::holds_alternative<Done>(event)) {
        return;
      }
    }
    Send(database, event);
  }

  // `outcome`: of the whole, or what it lacks.
  void EndWith(const absl::StatusOr<ServerReport>& result,
               const absl::Status& outcome) {
    if (outcome.ok()) {
      Send("", Done{TotalOf(*result)});
    } else {
      Send("", Failed{.phase = phase_, .status = outcome});
    }
  }

 private:
  void Send(absl::string_view database, const Event& event) {
    table_.OnEvent(database, event);
    Log(database, event);
    if (writer_ == nullptr) return;
    const bool could_write = writer_->status().ok();
    writer_->Write(database, event);
    if (could_write && !writer_->status().ok()) {
      logger_.error("{}; the run goes on without", writer_->status().message());
    }
  }

  void Log(absl::string_view database, const Event& event) {
    const std::string name(database);
    // How many databases are done is said when each of them is.
    if (name.empty() && std::holds_alternative<Progress>(event)) return;
    EventLog& log =
        logs_
            .try_emplace(name, logger_, !context_.screen.live(), context_.now,
                         name.empty() ? "" : absl::StrCat(name, ": "))
            .first->second;
    log.OnEvent(event);
    if (name.empty()) return;
    // Of the whole it is the command's result.
    if (const auto* done = std::get_if<Done>(&event)) {
      logger_.info("{}: done in {}", name, HumanDuration(done->report.elapsed));
    } else if (const auto* failed = std::get_if<Failed>(&event)) {
      logger_.error("{}: {}", name, failed->status.message());
    }
  }

  const CommandContext& context_;
  ServerProgressTable& table_;
  EventWriter* writer_;
  spdlog::logger& logger_;
  std::map<std::string, EventLog> logs_;
  Phase phase_ = Phase::kCheck;
};

CommandOutcome Summary(const CommandContext& context,
                       const ServerReport& report) {
  const std::string text = ServerReportText(report);
  if (context.values.Text(OptionId::kEvents) != "-") {
    return FinishWith(context, text);
  }
  // Standard output belongs to the events.
  if (context.log.format == LogFormat::kText) {
    context.screen.Print(
        absl::StripTrailingAsciiWhitespace(context.redactor.Redact(text)));
  }
  return {};
}

absl::StatusOr<ServerReport> RunWatched(const CommandContext& context,
                                        const ServerMigrateOptions& options,
                                        const ServerProgressTable& table,
                                        ServerEventSink& events,
                                        spdlog::logger& logger) {
  Control control;
  const bool online = options.migrate.mode == MigrateMode::kOnline;
  absl::StatusOr<ServerReport> result =
      absl::InternalError("the run did not end");
  RunInForeground(
      context, logger, control,
      {.interrupt =
           online ? InterruptMeaning::kCutover : InterruptMeaning::kStop,
       .cutover_note = online ? "cutover requested: it begins once all "
                                "databases have caught up; Ctrl+C again stops "
                                "now"
                              : "",
       .stop_note = "stopping; the same command goes on from here later",
       .render =
           [&](TerminalSize size, absl::string_view note) {
             return table.Render(size, note);
           }},
      [&](const std::function<void()>&) {
        result = context.engine.migrate_server(options, control, events);
      });
  return result;
}

}  // namespace

CommandOutcome RunServerLive(const CommandContext& context,
                             const ServerMigrateOptions& options) {
  const std::shared_ptr<spdlog::logger> logger =
      CreateLogger(context.log, context.screen, context.redactor);
  ServerProgressTable table(context.now);
  std::unique_ptr<EventsOutput> output;
  std::optional<EventWriter> writer;
  if (const std::string& path = context.values.Text(OptionId::kEvents);
      !path.empty()) {
    absl::StatusOr<std::unique_ptr<EventsOutput>> opened =
        EventsOutput::Open(path, context.out);
    if (!opened.ok()) return FailUsage(opened.status());
    output = *std::move(opened);
    writer.emplace(output->stream(), context.redactor, context.now);
  }
  ServerEventFan events(context, table, writer ? &*writer : nullptr, *logger);
  const absl::StatusOr<ServerReport> result =
      RunWatched(context, options, table, events, *logger);
  const absl::Status status =
      result.ok() ? OutcomeOf(*result) : result.status();
  const absl::Status shortfall =
      status.ok() ? ShortfallOf(*result) : absl::OkStatus();
  events.EndWith(result, status.ok() ? shortfall : status);
  CommandOutcome outcome;
  if (result.ok()) outcome = Summary(context, *result);
  if (status.ok()) {
    if (shortfall.ok() || outcome.code != ExitCode::kDone) return outcome;
    return {ExitCode::kDifferences, shortfall};
  }
  outcome = Fail(status);
  if (outcome.code == ExitCode::kResumable) {
    outcome.error = WithHint(std::move(outcome.error),
                             "the same command goes on where this one stopped");
  }
  return outcome;
}

}  // namespace walferry
