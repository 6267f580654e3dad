// The drill's report as a page that needs no other file.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/time_text.h"
#include "tools/drill_report.h"
#include "tools/html_text.h"
#include "tools/human_format.h"
#include "tools/result_text.h"

namespace walferry {
namespace {

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
  const absl::string_view look = report.passed() ? "passed" : "failed";
  std::string page = absl::StrCat(
      PageBegin(absl::StrCat("Restore drill: ", report.subject)), "<p class=\"",
      look, "\">The drill ", VerdictText(report), ".</p>\n<table>\n");
  for (const auto& [name, value] : FactsOf(report)) {
    absl::StrAppend(&page, FactRow(name, value));
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
  absl::StrAppend(&page, "</table>\n", kPageEnd);
  return page;
}

}  // namespace walferry
