#include "engine/check/check_verdict.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"

namespace walferry {

std::vector<std::string> AcceptedTexts(const std::vector<Finding>& findings,
                                       const std::vector<std::string>& accept) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::kBlocking || !finding.acceptable ||
        !Accepts(accept, finding.id, finding.subject)) {
      continue;
    }
    texts.push_back(absl::StrCat(finding.subject, ": ", finding.text,
                                 ", which was accepted (--accept ", finding.id,
                                 ")"));
  }
  return texts;
}

void TellWarnings(const std::vector<Finding>& findings,
                  const std::vector<std::string>& accept, EventSink& events) {
  for (std::string& text : AcceptedTexts(findings, accept)) {
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning, .text = std::move(text)});
  }
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::kWarning) continue;
    events.OnEvent(Notice{
        .level = Notice::Level::kWarning,
        .text = absl::StrCat(finding.subject, ": ", finding.text,
                             finding.hint.empty() ? "" : "; ", finding.hint)});
  }
}

absl::Status StopIfBlocked(const CheckReport& report,
                           const std::vector<std::string>& accept) {
  const std::vector<const Finding*> blocking = report.Blocking(accept);
  if (blocking.empty()) return absl::OkStatus();
  std::vector<std::string> texts;
  for (const Finding* finding : blocking) {
    texts.push_back(absl::StrCat(finding->subject, ": ", finding->text, " [",
                                 finding->id, "]"));
  }
  absl::Status status =
      absl::FailedPreconditionError(absl::StrJoin(texts, "\n"));
  if (const Finding& finding = *blocking.front();
      blocking.size() == 1 && !finding.hint.empty()) {
    return WithHint(
        status, finding.acceptable
                    ? absl::StrCat(finding.hint, "; or --accept ", finding.id)
                    : finding.hint);
  }
  return WithHint(status, "`walferry check` tells what to do about each");
}

}  // namespace walferry
