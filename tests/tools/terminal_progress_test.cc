#include "tools/terminal_progress.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/sample_events.h"
#include "tools/terminal_row.h"

namespace walferry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TerminalProgressTest : public testing::Test {
 protected:
  absl::Time now_ = absl::FromUnixSeconds(1767225600);
  TerminalProgress progress_{[this] { return now_; }};
};

TEST_F(TerminalProgressTest, ShowsNothingBeforeTheFirstFigures) {
  EXPECT_THAT(progress_.Render({}, ""), IsEmpty());
  progress_.OnEvent(PhaseStarted{.phase = Phase::kCopy});
  EXPECT_THAT(progress_.Render({}, ""), IsEmpty());
}

TEST_F(TerminalProgressTest, ShowsTheCopy) {
  Progress earlier = SampleProgress();
  earlier.bytes -= int64_t{900} << 20;
  earlier.elapsed = absl::Seconds(10);
  progress_.OnEvent(earlier);
  progress_.OnEvent(SampleProgress());
  EXPECT_THAT(
      progress_.Render({.columns = 120, .rows = 24}, ""),
      ElementsAre(
          "copy  12/40 tables  1.2 GiB of 3.4 GiB   35%  90 MiB/s  ETA 25 s  "
          "20 s",
          "  public.orders  512 MiB of 1.0 GiB   50%  2,100,000 rows   43 "
          "MiB/s         ETA 12 s",
          "  public.events  3.0 MiB of 2.0 GiB    0%        900 rows  3.0 "
          "MiB/s  ETA 11 min 22 s"));
}

TEST_F(TerminalProgressTest, FitsEveryWidth) {
  progress_.OnEvent(SampleProgress());
  for (size_t columns = 1; columns <= 130; ++columns) {
    for (const std::string& line :
         progress_.Render({.columns = columns, .rows = 24}, "a note")) {
      EXPECT_LE(line.size(), std::max<size_t>(columns - 1, 1)) << line;
    }
  }
  EXPECT_THAT(progress_.Render({.columns = 40, .rows = 24}, ""),
              ElementsAre("copy  12/40 tables   35%",
                          "  public.orders   50%         ETA 12 s",
                          "  public.events    0%  ETA 11 min 22 s"));
  EXPECT_THAT(
      progress_.Render({.columns = 20, .rows = 24}, ""),
      ElementsAre("copy   35%", "  public.o...   50%", "  public.e...    0%"));
}

TEST_F(TerminalProgressTest, ShowsStepsWithoutBytes) {
  progress_.OnEvent(Progress{.phase = Phase::kIndexes,
                             .items_done = 3,
                             .items_total = 40,
                             .elapsed = absl::Seconds(75),
                             .active = {{.name = "INDEX public.orders_pkey",
                                         .elapsed = absl::Seconds(12)}}});
  EXPECT_THAT(progress_.Render({}, ""),
              ElementsAre("indexes  3/40 steps  1 min 15 s",
                          "  INDEX public.orders_pkey  12 s"));
}

TEST_F(TerminalProgressTest, ShowsNoMoreItemsThanTheTerminalHasRows) {
  Progress many = SampleProgress();
  for (int table = 0; table < 50; ++table) {
    many.active.push_back({.name = absl::StrCat("t", table)});
  }
  progress_.OnEvent(many);
  const std::vector<std::string> lines =
      progress_.Render({.columns = 80, .rows = 10}, "note");
  EXPECT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines[7], "  and 46 more");
  EXPECT_EQ(lines[8], "  note");
}

TEST_F(TerminalProgressTest, ShowsTheLag) {
  progress_.OnEvent(SampleProgress());
  Lag lag = SampleLag();
  progress_.OnEvent(lag);
  now_ += absl::Seconds(2);
  lag.changes += 3000;
  progress_.OnEvent(lag);
  EXPECT_THAT(progress_.Render({.columns = 120, .rows = 24}, ""),
              ElementsAre("follow  lag 1.2 MiB  800 ms  applied 1/0  12,345 "
                          "transactions  91,000 changes  1,500/s"));
  EXPECT_THAT(progress_.Render({.columns = 30, .rows = 24}, ""),
              ElementsAre("follow  lag 1.2 MiB  800 ms"));
}

TEST_F(TerminalProgressTest, ShowsWhatTheCutoverWaitsFor) {
  Lag lag = SampleLag();
  lag.phase = Phase::kCutover;
  lag.waiting_for = "writes on the source to stop: 2 sessions";
  progress_.OnEvent(lag);
  EXPECT_THAT(
      progress_.Render({.columns = 40, .rows = 24}, "Ctrl+C stops"),
      ElementsAre("cutover  lag 1.2 MiB  800 ms",
                  "  waiting for writes on the source t...", "  Ctrl+C stops"));
}

TEST_F(TerminalProgressTest, ForgetsAPhaseWhenTheNextBegins) {
  progress_.OnEvent(SampleProgress());
  progress_.OnEvent(PhaseStarted{.phase = Phase::kIndexes});
  EXPECT_THAT(progress_.Render({}, ""), IsEmpty());
}

TEST(FitText, CutsWholeCharacters) {
  EXPECT_EQ(FitText("abc", 3), "abc");
  EXPECT_EQ(FitText("abcdef", 5), "ab...");
  EXPECT_EQ(FitText("abcdef", 2), "..");
  EXPECT_EQ(FitText("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 4),
            "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f");
  EXPECT_EQ(FitText("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9fx", 4), "\xc3\xa4...");
  // Wide characters take two columns.
  EXPECT_EQ(FitText("\xe6\x97\xa5\xe6\x9c\xac", 4), "\xe6\x97\xa5\xe6\x9c\xac");
  EXPECT_EQ(FitText("\xe6\x97\xa5\xe6\x9c\xac", 3), "...");
}

TEST(FitText, DoesNotLetANameSteerTheTerminal) {
  EXPECT_EQ(FitText("a\x1b[2J\nb", 80), "a?[2J?b");
}

}  // namespace
}  // namespace walferry
