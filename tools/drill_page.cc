// The drill's report as a page that needs no other file.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/time_text.h"
#include "tools/drill_report.h"
#include "tools/human_format.h"
#include "tools/result_text.h"

namespace walferry {
namespace {

constexpr absl::string_view kHead = R"(<!DOCTYPE html>
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
)";

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

using Facts = std::vector<std::pair<std::string, std::string>>;

Facts FactsOf(const DrillReport& report) {
  Facts facts = {{"Drill began", TimeText(report.started_at)},
                 {"It took", HumanDuration(report.elapsed)}};
  if (!report.trouble.empty()) facts.emplace_back("Trouble", report.trouble);
  if (!report.target_version.empty()) {
    facts.emplace_back("Restored on",
                       absl::StrCat("PostgreSQL ", report.target_version));
    facts.emplace_back(
        "Scratch database",
        absl::StrCat(report.scratch, report.kept ? ", which is kept" : ""));
  }
  if (report.restored_bytes > 0) {
    facts.emplace_back("Its size", BytesText(report.restored_bytes));
  }
  if (!report.facts.has_value()) return facts;
  facts.emplace_back("Database", report.facts->database);
  facts.emplace_back("As of", TimeText(report.facts->time));
  facts.emplace_back("Dumped from",
                     absl::StrCat("PostgreSQL ", report.facts->server_version));
  facts.emplace_back("Archive",
                     absl::StrCat(BytesText(report.facts->archive_bytes), ", ",
                                  FormatName(report.facts->format), ", ",
                                  report.facts->compression));
  if (const std::string omissions = OmissionsText(*report.facts);
      !omissions.empty()) {
    facts.emplace_back("Contents", omissions);
  }
  return facts;
}

}  // namespace

std::string DrillHtml(const DrillReport& report) {
  const std::string title =
      absl::StrCat("Restore drill: ", Escaped(report.subject));
  const absl::string_view verdict = VerdictText(report);
  const absl::string_view look = report.passed() ? "passed" : "failed";
  std::string page = absl::StrCat(
      kHead, "<title>", title, "</title>\n</head>\n<body>\n<h1>", title,
      "</h1>\n<p class=\"", look, "\">The drill ", verdict, ".</p>\n<table>\n");
  for (const auto& [name, value] : FactsOf(report)) {
    absl::StrAppend(&page, "<tr><th>", name, "</th><td>", Escaped(value),
                    "</td></tr>\n");
  }
  absl::StrAppend(
      &page,
      "</table>\n<h2>Checks</h2>\n<table>\n<tr><th>Check</th>"
      "<th>Outcome</th><th>What was found</th><th>Time</th></tr>\n");
  for (const DrillCheck& check : report.checks) {
    const absl::string_view outcome = OutcomeName(check.outcome);
    absl::StrAppend(&page, "<tr><td>", Escaped(check.name), "</td><td class=\"",
                    outcome, "\">", outcome, "</td><td>", Escaped(check.detail),
                    "</td><td>", HumanDuration(check.elapsed), "</td></tr>\n");
  }
  absl::StrAppend(&page,
                  "</table>\n<h2>Steps</h2>\n<table>\n<tr><th>Step</th>"
                  "<th>Time</th></tr>\n");
  for (const DrillStep& step : report.steps) {
    absl::StrAppend(&page, "<tr><td>", Escaped(step.name), "</td><td>",
                    HumanDuration(step.elapsed), "</td></tr>\n");
  }
  absl::StrAppend(&page, "</table>\n</body>\n</html>\n");
  return page;
}

}  // namespace walferry
