#include "tools/report_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/sample_events.h"

namespace walferry {
namespace {

TEST(ReportText, HasEveryFigure) {
  EXPECT_EQ(
      ReportText(SampleReport()),
      "shop: done in 12 min 30 s\n"
      "  copied             12,345,678 rows, 3.4 GiB in 40 tables\n"
      "  applied            88,001 changes in 12,345 transactions (50,000 "
      "inserts, 30,000 updates, 8,000 deletes, 1 truncate)\n"
      "  position           0/16B3778\n"
      "  sequences set      12\n"
      "  views refreshed    3\n"
      "  freeze to done     850 ms\n"
      "  compared           equal: every column of every row, 2025-12-31 "
      "23:59:00 UTC\n"
      "  remark             table public.log has no key\n");
}

TEST(ReportText, LeavesOutWhatDidNotHappen) {
  EXPECT_EQ(ReportText({.name = "x", .elapsed = absl::Milliseconds(5)}),
            "x: done in 5 ms\n"
            "  applied            0 changes in 0 transactions (0 inserts, 0 "
            "updates, 0 deletes, 0 truncates)\n"
            "  position           0/0\n");
}

TEST(ReportText, SaysNothingOfWhatAnArchiveDoesNotTell) {
  EXPECT_EQ(ReportText({.name = "x",
                        .offline = true,
                        .elapsed = absl::Milliseconds(5),
                        .remarks = {"the archive is kept: a"}}),
            "x: done in 5 ms\n"
            "  compared           no\n"
            "  remark             the archive is kept: a\n");
}

TEST(ReportText, TellsWhatAComparisonHasFound) {
  using State = ComparisonResult::State;
  const struct {
    ComparisonResult comparison;
    std::string line;
  } kTests[] = {
      {{.state = State::kDifferent,
        .method = VerifyMethod::kCounts,
        .found = "b is not as a: 1 of 2 tables"},
       "different: b is not as a: 1 of 2 tables\n"},
      {{.state = State::kUnknown,
        .method = VerifyMethod::kCounts,
        .found = "target: gone",
        .at = absl::FromUnixSeconds(1767225540)},
       "unknown: target: gone, 2025-12-31 23:59:00 UTC\n"},
      {{.state = State::kComparing,
        .method = VerifyMethod::kCounts,
        .at = absl::FromUnixSeconds(1767225540)},
       "comparing, 2025-12-31 23:59:00 UTC\n"},
  };
  for (const auto& test : kTests) {
    EXPECT_THAT(
        ReportText(
            {.name = "x", .offline = true, .comparison = test.comparison}),
        testing::HasSubstr("  compared           " + test.line));
    // Without a report a status says it itself.
    MigrationStatus status;
    status.comparison = test.comparison;
    EXPECT_THAT(StatusText(status, absl::Now()),
                testing::HasSubstr("  compared           " + test.line));
  }
}

MigrationStatus SampleStatus() {
  MigrationStatus status;
  status.name = "shop";
  status.kind = "migrate";
  status.phase = "follow";
  status.running = true;
  status.started_at = absl::FromUnixSeconds(1767225600);
  status.heartbeat_at = absl::FromUnixSeconds(1767226319);
  status.waiting_for = "writes to stop";
  status.applied_lsn = Lsn(0x16B3748);
  status.received_lsn = Lsn(0x16B3778);
  status.source_lsn = Lsn(0x16B3800);
  status.lag_bytes = 184;
  status.lag_seconds = 0.25;
  status.transactions = 1;
  status.changes = 1234;
  status.slot = "walferry_shop";
  status.publications = {"a", "b"};
  status.steps_done = 5;
  status.steps_total = 12;
  status.tables = {{{"public", "orders"}, "copied", 1000000, 1 << 29, 1 << 30},
                   {{"public", "Items"}, "waiting", 0, 0, 8192}};
  status.counted_since = Lsn(0x16B0000);
  const ChangeCounts counts = {.inserts = 1200, .updates = 30, .truncates = 4};
  status.counts = {
      {{"public", "orders"}, {.decoded = counts, .applied = counts}}};
  status.last_error = "source: gone";
  return status;
}

TEST(StatusText, HasEveryFact) {
  EXPECT_EQ(StatusText(SampleStatus(), absl::FromUnixSeconds(1767226320)),
            "shop: migrate, phase follow, running\n"
            "  started            2026-01-01 00:00:00 UTC, 12 min 00 s ago\n"
            "  last sign of life  2026-01-01 00:11:59 UTC, 1.0 s ago\n"
            "  waits for          writes to stop\n"
            "  steps              5 of 12\n"
            "  slot               walferry_shop\n"
            "  publications       a, b\n"
            "  applied            0/16B3748\n"
            "  received           0/16B3778\n"
            "  source             0/16B3800\n"
            "  lag                184 B, 250 ms\n"
            "  changes            1,234 in 1 transaction\n"
            "  counts             as many applied as decoded since 0/16B0000\n"
            "  last error         source: gone\n"
            "\n"
            "table           state               rows      bytes         of\n"
            "public.orders   copied         1,000,000    512 MiB    1.0 GiB\n"
            "public.\"Items\"  waiting                0        0 B    8.0 KiB\n"
            "\n"
            "changes of            inserts         updates         deletes  "
            "truncates\n"
            "public.orders           1,200              30               0  "
            "        4\n");
}

TEST(StatusText, SaysThatTheTargetCanBeUsedWhileTablesAreLoaded) {
  MigrationStatus status = SampleStatus();
  status.usable = true;
  EXPECT_THAT(StatusText(status, absl::FromUnixSeconds(1767226320)),
              testing::HasSubstr(
                  "\n  usable             clients may work on the target; 1 "
                  "table is not loaded yet\n"));
  status.tables.pop_back();
  EXPECT_THAT(StatusText(status, absl::FromUnixSeconds(1767226320)),
              testing::HasSubstr(
                  "\n  usable             clients may work on the target; "
                  "indexes of delayed tables are not all there yet\n"));
  status.report = SampleReport();
  EXPECT_THAT(StatusText(status, absl::FromUnixSeconds(1767226320)),
              testing::Not(testing::HasSubstr("clients may work")));
}

TEST(StatusText, EndsWithTheReportOnceDone) {
  MigrationStatus status;
  status.name = "shop";
  status.kind = "migrate";
  status.phase = "done";
  status.started_at = absl::FromUnixSeconds(1767225600);
  status.report = SampleReport();
  EXPECT_EQ(StatusText(status, absl::FromUnixSeconds(1767225600)),
            "shop: migrate, phase done, not running\n"
            "  started            2026-01-01 00:00:00 UTC, 0 ms ago\n"
            "\n" +
                ReportText(SampleReport()));
}

TEST(CaptureText, SaysHowMuchWasRecorded) {
  EXPECT_EQ(CaptureText("/tmp/orders.capture", {.slot = "s",
                                                .frames = 12345,
                                                .bytes = 3600000,
                                                .elapsed = absl::Seconds(12)}),
            "/tmp/orders.capture: recorded in 12 s\n"
            "  frames             12,345\n"
            "  bytes              3.4 MiB\n");
}

TEST(ReplayText, SaysHowFastARecordWasRun) {
  ReplayReport report = {.messages = 6360000,
                         .bytes = int64_t{1288490189},
                         .changes = 6000000,
                         .elapsed = absl::Milliseconds(4200)};
  EXPECT_EQ(ReplayText({.input = "o.capture"}, report),
            "o.capture: decoded in 4.2 s\n"
            "  messages           6,360,000 (1,514,286 messages/s)\n"
            "  bytes              1.2 GiB (306.8 MB/s)\n"
            "  changes            6,000,000 (1,428,571 changes/s)\n");
  EXPECT_THAT(ReplayText({.input = "o.capture", .repeat = 1000}, report),
              testing::StartsWith("o.capture: decoded 1,000 times in 4.2 s\n"));
  report.transactions = 80000;
  EXPECT_EQ(ReplayText({.input = "o.capture", .target = "host=x"}, report),
            "o.capture: applied in 4.2 s\n"
            "  messages           6,360,000 (1,514,286 messages/s)\n"
            "  bytes              1.2 GiB (306.8 MB/s)\n"
            "  changes            6,000,000 (1,428,571 changes/s)\n"
            "  transactions       80,000 (19,048 transactions/s)\n");
}

TEST(ReplayText, HasNoRateOfNothing) {
  EXPECT_EQ(ReplayText({.input = "o.capture"}, {}),
            "o.capture: decoded in 0 ms\n"
            "  messages           0\n"
            "  bytes              0 B\n"
            "  changes            0\n");
}

}  // namespace
}  // namespace walferry
