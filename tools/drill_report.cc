#include "tools/drill_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/time_text.h"
#include "tools/human_format.h"
#include "tools/json_text.h"
#include "tools/result_text.h"

namespace walferry {
namespace {

Json FactsJson(const std::optional<ArchiveFacts>& facts) {
  if (!facts.has_value()) return nullptr;
  return {{"database", facts->database},
          {"format", std::string(FormatName(facts->format))},
          {"compression", facts->compression},
          {"server_version", facts->server_version},
          {"client_version", facts->client_version},
          {"database_bytes", facts->database_bytes},
          {"archive_bytes", facts->archive_bytes},
          {"time", JsonTime(facts->time)},
          {"omissions",
           facts->omissions.has_value() ? Json(*facts->omissions) : Json()}};
}

}  // namespace

absl::string_view OutcomeName(DrillCheck::Outcome outcome) {
  switch (outcome) {
    case DrillCheck::Outcome::kPassed:
      return "passed";
    case DrillCheck::Outcome::kFailed:
      return "failed";
    case DrillCheck::Outcome::kSkipped:
      return "skipped";
  }
  return "";
}

absl::string_view VerdictText(const DrillReport& report) {
  if (report.found_faults()) return "failed";
  return report.passed() ? "passed" : "could not be held to its end";
}

std::string DrillText(const DrillReport& report) {
  std::string text =
      absl::StrCat(report.subject, ": drill ", VerdictText(report), " in ",
                   HumanDuration(report.elapsed), "\n");
  if (!report.trouble.empty()) AddLine(text, "trouble", report.trouble);
  if (report.facts.has_value()) {
    AddLine(text, "database", report.facts->database);
    AddLine(text, "as of", TimeText(report.facts->time));
    AddLine(text, "archive", BytesText(report.facts->archive_bytes));
  }
  if (report.restored_bytes > 0) {
    AddLine(text, "restored", BytesText(report.restored_bytes));
  }
  if (!report.target_version.empty()) {
    AddLine(text, "server", report.target_version);
  }
  if (report.kept) AddLine(text, "kept", report.scratch);
  for (const DrillStep& step : report.steps) {
    AddLine(text, step.name, HumanDuration(step.elapsed));
  }
  if (!report.checks.empty()) absl::StrAppend(&text, "\n");
  for (const DrillCheck& check : report.checks) {
    absl::StrAppendFormat(&text, "  %-8s %s: %s\n", OutcomeName(check.outcome),
                          check.name, check.detail);
  }
  return text;
}

std::string DrillJson(const DrillReport& report, const Redactor& redactor) {
  Json json;
  json["subject"] = report.subject;
  json["passed"] = report.passed();
  json["trouble"] = report.trouble;
  json["started_at"] = JsonTime(report.started_at);
  json["elapsed_seconds"] = JsonSeconds(report.elapsed);
  json["archive"] = FactsJson(report.facts);
  json["target_version"] = report.target_version;
  json["scratch"] = report.scratch;
  json["kept"] = report.kept;
  json["restored_bytes"] = report.restored_bytes;
  json["steps"] = Json::array();
  for (const DrillStep& step : report.steps) {
    json["steps"].push_back(
        {{"name", step.name}, {"elapsed_seconds", JsonSeconds(step.elapsed)}});
  }
  json["checks"] = Json::array();
  for (const DrillCheck& check : report.checks) {
    json["checks"].push_back(
        {{"name", check.name},
         {"outcome", std::string(OutcomeName(check.outcome))},
         {"detail", check.detail},
         {"elapsed_seconds", JsonSeconds(check.elapsed)}});
  }
  return absl::StrCat(JsonText(std::move(json), redactor, 2), "\n");
}

}  // namespace walferry
