// FormatCheckReport and CheckReportToJson of check.h.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/check/check.h"
#include "engine/name_some.h"
#include "nlohmann/json.hpp"

namespace walferry {
namespace {

constexpr size_t kWidth = 80;
constexpr absl::string_view kIndent = "      ";

std::string VersionText(int version) {
  return absl::StrCat("PostgreSQL ", version / 10000, ".", version % 10000);
}

std::string SubjectOf(const Finding& finding) {
  if (finding.database.empty()) return finding.subject;
  return absl::StrCat("database ", finding.database, ": ", finding.subject);
}

// Breaks a sentence at its spaces. A hint is not broken: it may be pasted.
std::string Wrap(absl::string_view text) {
  std::string out;
  size_t column = kWidth;
  for (const absl::string_view word :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (column + 1 + word.size() > kWidth) {
      absl::StrAppend(&out, out.empty() ? "" : "\n", kIndent, word);
      column = kIndent.size() + word.size();
    } else {
      absl::StrAppend(&out, " ", word);
      column += 1 + word.size();
    }
  }
  return absl::StrCat(out, "\n");
}

class ReportText {
 public:
  ReportText(const CheckReport& report, const std::vector<std::string>& accept,
             bool color)
      : report_(report), color_(color) {
    for (const Finding* finding : report.Blocking(accept)) {
      blocking_.insert(finding);
    }
  }

  std::string Write() {
    absl::StrAppend(&out_, "source ", VersionText(report_.source_version),
                    ", target ", VersionText(report_.target_version), "\n");
    Group("BLOCKING", "31;1", [this](const Finding& finding) {
      return blocking_.contains(&finding);
    });
    Group("ACCEPTED", "33", [this](const Finding& finding) {
      return finding.severity == Severity::kBlocking &&
             !blocking_.contains(&finding);
    });
    Group("WARNING", "33", [](const Finding& finding) {
      return finding.severity == Severity::kWarning;
    });
    Group("INFO", "36", [](const Finding& finding) {
      return finding.severity == Severity::kInfo;
    });
    OkGroup();
    Verdict();
    return std::move(out_);
  }

 private:
  std::string Colored(absl::string_view text, absl::string_view code) const {
    if (!color_) return std::string(text);
    return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
  }

  template <typename Wanted>
  void Group(absl::string_view title, absl::string_view code, Wanted wanted) {
    std::vector<const Finding*> group;
    for (const Finding& finding : report_.findings) {
      if (wanted(finding)) group.push_back(&finding);
    }
    if (group.empty()) return;
    absl::StrAppend(&out_, "\n", Colored(title, code), " (", group.size(),
                    ")\n");
    for (const Finding* const finding : group) {
      absl::StrAppend(&out_, "  ", finding->id, "  ", SubjectOf(*finding), "\n",
                      Wrap(finding->text));
      if (!finding->hint.empty()) {
        absl::StrAppend(&out_, kIndent, "-> ", finding->hint, "\n");
      }
      if (blocking_.contains(finding) && finding->acceptable) {
        absl::StrAppend(&out_, kIndent, "-> or --accept ", finding->id, "\n");
      }
    }
  }

  // One line each: what was looked at.
  void OkGroup() {
    size_t id_width = 0;
    size_t subject_width = 0;
    std::vector<const Finding*> group;
    for (const Finding& finding : report_.findings) {
      if (finding.severity != Severity::kOk) continue;
      group.push_back(&finding);
      id_width = std::max(id_width, finding.id.size());
      subject_width = std::max(subject_width, SubjectOf(finding).size());
    }
    if (group.empty()) return;
    absl::StrAppend(&out_, "\n", Colored("OK", "32"), " (", group.size(),
                    ")\n");
    for (const Finding* const finding : group) {
      const std::string subject = SubjectOf(*finding);
      absl::StrAppend(&out_, "  ", finding->id,
                      std::string(id_width - finding->id.size() + 2, ' '),
                      subject,
                      std::string(subject_width - subject.size() + 2, ' '),
                      finding->text, "\n");
    }
  }

  void Verdict() {
    if (blocking_.empty()) {
      absl::StrAppend(&out_, "\n", Colored("ready to migrate", "32;1"), "\n");
      return;
    }
    const auto count = static_cast<int64_t>(blocking_.size());
    absl::StrAppend(
        &out_, "\n",
        Colored(absl::StrCat("not ready: ", CountOf(count, "blocking finding")),
                "31;1"),
        "\n");
  }

  const CheckReport& report_;
  const bool color_;
  absl::flat_hash_set<const Finding*> blocking_;
  std::string out_;
};

nlohmann::ordered_json LadderToJson(const std::optional<TargetLadder>& ladder) {
  if (!ladder.has_value()) return nullptr;
  return {{"session_replication_role", ladder->replica_role},
          {"replication_origin", ladder->replication_origin},
          {"create_schema", ladder->create_schema},
          {"temporary_tables", ladder->temporary_tables},
          {"timeouts", ladder->timeouts_settable}};
}

}  // namespace

std::string FormatCheckReport(const CheckReport& report,
                              const std::vector<std::string>& accept,
                              bool color) {
  return ReportText(report, accept, color).Write();
}

std::string CheckReportToJson(const CheckReport& report,
                              const std::vector<std::string>& accept) {
  const std::vector<const Finding*> blocking = report.Blocking(accept);
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const Finding& finding : report.findings) {
    const bool blocks =
        std::find(blocking.begin(), blocking.end(), &finding) != blocking.end();
    findings.push_back(
        {{"id", finding.id},
         {"severity", std::string(SeverityName(finding.severity))},
         {"acceptable", finding.acceptable},
         {"accepted", finding.severity == Severity::kBlocking && !blocks},
         {"database", finding.database},
         {"subject", finding.subject},
         {"text", finding.text},
         {"hint", finding.hint}});
  }
  const nlohmann::ordered_json json = {
      {"ready", blocking.empty()},
      {"blocking", blocking.size()},
      {"source_version", report.source_version},
      {"target_version", report.target_version},
      {"target_allows", LadderToJson(report.ladder)},
      {"findings", findings}};
  // Names are bytes of the server's encoding; JSON has to be UTF-8.
  return json.dump(2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace walferry
