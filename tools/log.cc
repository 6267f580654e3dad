#include "tools/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "protocol/status.h"
#include "tools/json_text.h"

namespace walferry {
namespace {

class ScreenSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  ScreenSink(const LogOptions& options, Screen& screen,
             const Redactor& redactor)
      : options_(options), screen_(screen), redactor_(redactor) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (options_.format == LogFormat::kJson) {
      screen_.Print(JsonLine(message));
      return;
    }
    const std::string text = redactor_.Redact(
        absl::string_view(message.payload.data(), message.payload.size()));
    spdlog::details::log_msg redacted = message;
    redacted.payload = text;
    spdlog::memory_buf_t buffer;
    formatter_->format(redacted, buffer);
    std::string line(buffer.data(), buffer.size());
    if (options_.color) Colorize(message, line);
    screen_.Print(line);
  }

  void flush_() override {}  // Screen::Print does.

 private:
  std::string JsonLine(const spdlog::details::log_msg& message) const {
    Json json;
    json["time"] = JsonTime(absl::FromChrono(message.time));
    const auto level = spdlog::level::to_string_view(message.level);
    json["level"] = std::string(level.data(), level.size());
    json["message"] =
        std::string(message.payload.data(), message.payload.size());
    return JsonText(std::move(json), redactor_);
  }

  static void Colorize(const spdlog::details::log_msg& message,
                       std::string& line) {
    if (message.level < spdlog::level::warn) return;
    const bool error = message.level >= spdlog::level::err;
    line = absl::StrCat(error ? "\x1b[31m" : "\x1b[33m", line, "\x1b[0m");
  }

  const LogOptions options_;
  Screen& screen_;
  const Redactor& redactor_;
};

}  // namespace

std::shared_ptr<spdlog::logger> CreateLogger(const LogOptions& options,
                                             Screen& screen,
                                             const Redactor& redactor) {
  auto sink = std::make_shared<ScreenSink>(options, screen, redactor);
  auto logger = std::make_shared<spdlog::logger>("walferry", std::move(sink));
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%d %H:%M:%S.%e %-7l %v", spdlog::pattern_time_type::local, ""));
  logger->set_level(spdlog::level::from_str(options.level));
  return logger;
}

void PrintError(const absl::Status& status, LogFormat format, Screen& screen,
                const Redactor& redactor) {
  const std::string message(status.message());
  const std::string hint = HintOf(status);
  const std::string sqlstate = SqlStateOf(status);
  if (format == LogFormat::kJson) {
    Json json;
    json["time"] = JsonTime(absl::Now());
    json["level"] = "error";
    json["message"] = message;
    json["hint"] = hint;
    json["sqlstate"] = sqlstate;
    screen.Print(JsonText(std::move(json), redactor));
    return;
  }
  std::string text =
      absl::StrCat("walferry: error: ", redactor.Redact(message));
  if (!sqlstate.empty() && !absl::StrContains(message, sqlstate)) {
    absl::StrAppend(&text, " (SQLSTATE ", sqlstate, ")");
  }
  if (!hint.empty()) {
    absl::StrAppend(&text, "\nwalferry: hint: ", redactor.Redact(hint));
  }
  screen.Print(text);
}

}  // namespace walferry
