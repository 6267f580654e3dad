#include "tools/drill_report.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/sample_archives.h"

namespace walferry {
namespace {

TEST(DrillText, HasEveryCheck) {
  EXPECT_EQ(DrillText(SampleDrill()),
            "/backup/shop-20260101T000000Z: drill failed in 1 min 30 s\n"
            "  database           shop\n"
            "  as of              2026-01-01 00:00:00 UTC\n"
            "  archive            400 MiB\n"
            "  restored           3.0 GiB\n"
            "  server             18.1\n"
            "  kept               walferry_drill_20260102_030405\n"
            "  check              2.0 s\n"
            "  restore            1 min 20 s\n"
            "\n"
            "  passed   archive: every file is as its manifest says\n"
            "  skipped  objects: a plain script has no list of its objects\n"
            "  failed   orders < 5: 7 instead of at most 5\n");
}

TEST(DrillText, LeavesOutWhatIsUnknown) {
  DrillReport report = SampleDrill();
  report.facts.reset();
  report.restored_bytes = 0;
  report.kept = false;
  report.checks.pop_back();
  EXPECT_EQ(DrillText(report),
            "/backup/shop-20260101T000000Z: drill passed in 1 min 30 s\n"
            "  server             18.1\n"
            "  check              2.0 s\n"
            "  restore            1 min 20 s\n"
            "\n"
            "  passed   archive: every file is as its manifest says\n"
            "  skipped  objects: a plain script has no list of its objects\n");
}

TEST(DrillText, SaysWhatIsWrongWithTheDrillItself) {
  DrillReport report = SampleDrill();
  report.trouble = "nobody was there";
  EXPECT_EQ(VerdictText(report), "failed");
  report.checks.pop_back();
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(VerdictText(report), "could not be held to its end");
  EXPECT_EQ(DrillText({.subject = "a", .trouble = "nobody was there"}),
            "a: drill could not be held to its end in 0 ms\n"
            "  trouble            nobody was there\n");
  EXPECT_THAT(DrillJson(report, Redactor()),
              testing::HasSubstr("\"trouble\": \"nobody was there\""));
  const std::string page = DrillHtml(report);
  EXPECT_THAT(page,
              testing::HasSubstr("<p class=\"failed\">The drill could not "
                                 "be held to its end.</p>"));
  EXPECT_THAT(page, testing::HasSubstr("<tr><th>Trouble</th><td>nobody was "
                                       "there</td></tr>"));
}

TEST(DrillJson, HasEveryField) {
  EXPECT_EQ(DrillJson(SampleDrill(), Redactor()), R"({
  "subject": "/backup/shop-20260101T000000Z",
  "passed": false,
  "trouble": "",
  "started_at": "2026-01-02T03:04:05.000Z",
  "elapsed_seconds": 90.0,
  "archive": {
    "database": "shop",
    "format": "directory",
    "compression": "zstd:1",
    "server_version": "15.18",
    "client_version": "18.1",
    "database_bytes": 3221225472,
    "archive_bytes": 419430400,
    "time": "2026-01-01T00:00:00.000Z",
    "omissions": [
      "--no-acl"
    ]
  },
  "target_version": "18.1",
  "scratch": "walferry_drill_20260102_030405",
  "kept": true,
  "restored_bytes": 3221225472,
  "steps": [
    {
      "name": "check",
      "elapsed_seconds": 2.0
    },
    {
      "name": "restore",
      "elapsed_seconds": 80.0
    }
  ],
  "checks": [
    {
      "name": "archive",
      "outcome": "passed",
      "detail": "every file is as its manifest says",
      "elapsed_seconds": 2.0
    },
    {
      "name": "objects",
      "outcome": "skipped",
      "detail": "a plain script has no list of its objects",
      "elapsed_seconds": 0.0
    },
    {
      "name": "orders < 5",
      "outcome": "failed",
      "detail": "7 instead of at most 5",
      "elapsed_seconds": 0.012
    }
  ]
}
)");
}

TEST(DrillHtml, IsAWholePage) {
  EXPECT_EQ(DrillHtml(SampleDrill()), R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .3em .8em .3em 0; text-align: left; vertical-align: top; }
td:last-child { white-space: nowrap; }
.passed { color: #17692d; }
.failed { color: #a31515; font-weight: bold; }
.skipped { color: #6b5900; }
</style>
<title>Restore drill: /backup/shop-20260101T000000Z</title>
</head>
<body>
<h1>Restore drill: /backup/shop-20260101T000000Z</h1>
<p class="failed">The drill failed.</p>
<table>
<tr><th>Drill began</th><td>2026-01-02 03:04:05 UTC</td></tr>
<tr><th>It took</th><td>1 min 30 s</td></tr>
<tr><th>Restored on</th><td>PostgreSQL 18.1</td></tr>
<tr><th>Scratch database</th><td>walferry_drill_20260102_030405, which is kept</td></tr>
<tr><th>Its size</th><td>3.0 GiB</td></tr>
<tr><th>Database</th><td>shop</td></tr>
<tr><th>As of</th><td>2026-01-01 00:00:00 UTC</td></tr>
<tr><th>Dumped from</th><td>PostgreSQL 15.18</td></tr>
<tr><th>Archive</th><td>400 MiB, directory, zstd:1</td></tr>
<tr><th>Contents</th><td>made with --no-acl: not of the whole database</td></tr>
</table>
<h2>Checks</h2>
<table>
<tr><th>Check</th><th>Outcome</th><th>What was found</th><th>Time</th></tr>
<tr><td>archive</td><td class="passed">passed</td><td>every file is as its manifest says</td><td>2.0 s</td></tr>
<tr><td>objects</td><td class="skipped">skipped</td><td>a plain script has no list of its objects</td><td>0 ms</td></tr>
<tr><td>orders &lt; 5</td><td class="failed">failed</td><td>7 instead of at most 5</td><td>12 ms</td></tr>
</table>
<h2>Steps</h2>
<table>
<tr><th>Step</th><th>Time</th></tr>
<tr><td>check</td><td>2.0 s</td></tr>
<tr><td>restore</td><td>1 min 20 s</td></tr>
</table>
</body>
</html>
)");
}

}  // namespace
}  // namespace walferry
