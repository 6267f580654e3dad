#include "engine/check_refusal.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"

namespace walferry {
namespace {

void TellWarnings(const CheckReport& report, EventSink& events) {
  for (const Finding& finding : report.findings) {
    if (finding.severity != Severity::kWarning) continue;
    events.OnEvent(Notice{
        .level = Notice::Level::kWarning,
        .text = absl::StrCat(finding.subject, ": ", finding.text,
                             finding.hint.empty() ? "" : "; ", finding.hint)});
  }
}

}  // namespace

absl::Status RefuseBlocking(const CheckReport& report,
                            const std::vector<std::string>& accept,
                            EventSink& events) {
  TellWarnings(report, events);
  const std::vector<const Finding*> blocking = report.Blocking(accept);
  if (blocking.empty()) return absl::OkStatus();
  std::vector<std::string> texts;
  for (const Finding* finding : blocking) {
    texts.push_back(absl::StrCat(finding->subject, ": ", finding->text, " [",
                                 finding->id, "]"));
  }
  const absl::Status status =
      absl::FailedPreconditionError(absl::StrJoin(texts, "\n"));
  const Finding& first = *blocking.front();
  if (blocking.size() > 1 || first.hint.empty()) {
    return WithHint(status, "`walferry check` tells what to do about each");
  }
  return WithHint(status,
                  first.acceptable
                      ? absl::StrCat(first.hint, "; or --accept ", first.id)
                      : first.hint);
}

}  // namespace walferry
