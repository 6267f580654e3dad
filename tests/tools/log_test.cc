#include "tools/log.h"

#include <spdlog/pattern_formatter.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/tools/sample_events.h"
#include "tools/event_log.h"
#include "tools/log_format.h"

namespace walferry {
namespace {

using testing::MatchesRegex;

void SetPattern(spdlog::logger& logger, const std::string& pattern) {
  logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, spdlog::pattern_time_type::local, ""));
}

class LogTest : public testing::Test {
 protected:
  LogTest() { redactor_.AddConnInfo("password=s3cret"); }

  std::string Logged(const LogOptions& options,
                     std::function<void(spdlog::logger&)> log) {
    out_.str("");
    log(*CreateLogger(options, screen_, redactor_));
    return out_.str();
  }

  Redactor redactor_;
  std::ostringstream out_;
  Screen screen_{out_, false};
};

TEST_F(LogTest, WritesTextWithTimeAndLevel) {
  EXPECT_THAT(Logged({},
                     [](spdlog::logger& log) {
                       log.warn("{} is {}", absl::string_view("s3cret"), 1);
                     }),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} "
                           "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "
                           "warning \\*\\*\\* is 1\n"));
}

TEST_F(LogTest, LeavesItsOwnWordsThoughTheyArePasswords) {
  for (const char* word : {"warning", "walferry", "error", "hint"}) {
    redactor_.AddConnInfo(absl::StrCat("password=", word));
  }
  EXPECT_THAT(Logged({}, [](spdlog::logger& log) { log.warn("a warning"); }),
              MatchesRegex(".* warning a \\*\\*\\*\n"));
  out_.str("");
  PrintError(WithHint(absl::InternalError("an error"), "a hint"),
             LogFormat::kText, screen_, redactor_);
  EXPECT_EQ(out_.str(),
            "walferry: error: an ***\n"
            "walferry: hint: a ***\n");
}

TEST_F(LogTest, WritesJson) {
  const std::string line =
      Logged({.format = LogFormat::kJson},
             [](spdlog::logger& log) { log.error("a \"s3cret\"\nb"); });
  const auto json = nlohmann::ordered_json::parse(line);
  EXPECT_EQ(json["level"], "error");
  EXPECT_EQ(json["message"], "a \"***\"\nb");
  EXPECT_EQ(json.size(), 3u);
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full,
                              json["time"].get<std::string>(), &time, nullptr));
  EXPECT_LT(absl::AbsDuration(absl::Now() - time), absl::Hours(1));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  for (const auto& [level, lines] :
       std::vector<std::pair<std::string, std::string>>{
           {"debug", "debug info warning error "},
           {"info", "info warning error "},
           {"warning", "warning error "},
           {"error", "error "}}) {
    const std::string text = Logged({.level = level}, [](spdlog::logger& log) {
      SetPattern(log, "%l");
      log.debug("");
      log.info("");
      log.warn("");
      log.error("");
    });
    std::string flat = text;
    for (char& c : flat) c = c == '\n' ? ' ' : c;
    EXPECT_EQ(flat, lines);
  }
}

TEST_F(LogTest, ColorsOnlyWhatMatters) {
  const LogOptions color = {.color = true};
  EXPECT_THAT(Logged(color, [](spdlog::logger& log) { log.info("x"); }),
              testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(Logged(color, [](spdlog::logger& log) { log.error("x"); }),
              MatchesRegex("\x1b\\[31m.* x\x1b\\[0m\n"));
}

TEST_F(LogTest, PrintsAnErrorAndItsHint) {
  const absl::Status status = WithHint(
      WithSqlState(absl::PermissionDeniedError("no s3cret"), "42501"), "ask");
  PrintError(status, LogFormat::kText, screen_, redactor_);
  EXPECT_EQ(out_.str(),
            "walferry: error: no *** (SQLSTATE 42501)\n"
            "walferry: hint: ask\n");
  out_.str("");
  PrintError(absl::InternalError("x"), LogFormat::kText, screen_, redactor_);
  EXPECT_EQ(out_.str(), "walferry: error: x\n");
  out_.str("");
  PrintError(status, LogFormat::kJson, screen_, redactor_);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["level"], "error");
  EXPECT_EQ(json["message"], "no ***");
  EXPECT_EQ(json["hint"], "ask");
  EXPECT_EQ(json["sqlstate"], "42501");
}

class EventLogTest : public LogTest {
 protected:
  // The lines without their times.
  std::string Told(bool log_progress, const std::vector<Event>& events) {
    const auto logger = CreateLogger({}, screen_, redactor_);
    SetPattern(*logger, "%l %v");
    EventLog log(*logger, log_progress, [this] { return now_; });
    for (const Event& event : events) {
      log.OnEvent(event);
      now_ += absl::Seconds(4);
    }
    return out_.str();
  }

  absl::Time now_ = absl::UnixEpoch();
};

TEST_F(EventLogTest, TellsEveryKindOfEvent) {
  EXPECT_EQ(
      Told(true, SampleEvents()),
      "info copy: resumed\n"
      "info copy: finished in 12 s\n"
      "info follow: lag 1.2 MiB, 800 ms; applied 1/0; 12,345 transactions, "
      "88,000 changes\n"
      "info cutover: waiting for writes on the source to stop: 2 sessions\n"
      "info caught up at 0/16B3748, 100 B behind\n"
      "info the target can be used; 2 tables are still being "
      "loaded\n" +
          std::string("error ") +
          "conflict: the target does not take this "
          "update on public.\"Orders\" (update_missing)\n"
          "  key         id=7\n"
          "  transaction 735, committed 2026-01-01 00:00:00.000000 UTC\n"
          "  commit LSN  0/16B3748\n"
          "  end LSN     0/16B3778\n"
          "  slot        walferry_shop\n"
          "  SQLSTATE    P0002\n"
          "  message     no row with this key\n"
          "warning source is away\n");
}

TEST_F(EventLogTest, TellsProgressEveryTenSeconds) {
  Progress progress = SampleProgress();
  std::vector<Event> events = {PhaseStarted{.phase = Phase::kCopy}};
  for (int second = 4; second <= 24; second += 4) {
    progress.elapsed = absl::Seconds(second);
    progress.bytes += int64_t{4} << 20;
    events.push_back(progress);
  }
  EXPECT_EQ(Told(true, events),
            "info copy: started\n"
            "info copy: 12 of 40 tables, 1.2 GiB of 3.4 GiB (36%), 1.0 "
            "MiB/s, about 37 min 21 s left\n"
            "info copy: 12 of 40 tables, 1.2 GiB of 3.4 GiB (36%), 1.0 "
            "MiB/s, about 37 min 09 s left\n");
}

TEST_F(EventLogTest, LeavesProgressToTheLiveLines) {
  EXPECT_EQ(Told(false, {SampleProgress(), SampleLag(),
                         PhaseFinished{.phase = Phase::kCopy,
                                       .duration = absl::Seconds(1)}}),
            "info copy: finished in 1.0 s\n");
}

TEST_F(EventLogTest, TellsAWaitOnceWhenItChanges) {
  Lag waiting = SampleLag();
  waiting.waiting_for = "a";
  Lag other = SampleLag();
  other.waiting_for = "b";
  EXPECT_EQ(Told(true, {PhaseStarted{.phase = Phase::kFollow}, waiting, waiting,
                        other}),
            "info follow: started\n"
            "info follow: waiting for a\n"
            "info follow: waiting for b\n"
            "info follow: lag 1.2 MiB, 800 ms; applied 1/0; 12,345 "
            "transactions, 88,000 changes\n");
}

// What it waits for is the same; how much of it there is changes all the time.
TEST_F(EventLogTest, TellsAWaitAgainWithTheLagOnly) {
  std::vector<Event> events = {PhaseStarted{.phase = Phase::kCutover}};
  for (const char* detail : {"1 session", "2 sessions", "3 sessions"}) {
    Lag waiting = SampleLag();
    waiting.phase = Phase::kCutover;
    waiting.waiting_for = absl::StrCat("writes to stop: ", detail);
    events.push_back(waiting);
  }
  EXPECT_EQ(Told(true, events),
            "info cutover: started\n"
            "info cutover: waiting for writes to stop: 1 session\n"
            "info cutover: waiting for writes to stop: 3 sessions\n"
            "info cutover: lag 1.2 MiB, 800 ms; applied 1/0; 12,345 "
            "transactions, 88,000 changes\n");
}

}  // namespace
}  // namespace walferry
