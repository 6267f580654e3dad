#ifndef ENGINE_CHECK_CHECK_FINDINGS_H_
#define ENGINE_CHECK_CHECK_FINDINGS_H_

// Where the checks write down what they have found.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/check/check.h"

namespace walferry {

// One finding as a check states it. Texts are clauses: lower case, no full
// stop, so that "subject: text" reads well; the hint may hold SQL.
struct FindingText {
  absl::string_view id;
  std::string subject;
  std::string text;
  std::string hint;
};

class FindingList {
 public:
  void Ok(FindingText finding) { Add(Severity::kOk, false, finding); }
  void Info(FindingText finding) { Add(Severity::kInfo, false, finding); }
  void Warning(FindingText finding) { Add(Severity::kWarning, false, finding); }
  // Nothing but a change of the facts or of the options removes it.
  void Blocking(FindingText finding) {
    Add(Severity::kBlocking, false, finding);
  }
  // Blocks until the operator accepts it by its id.
  void Acceptable(FindingText finding) {
    Add(Severity::kBlocking, true, finding);
  }

  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  void Add(Severity severity, bool acceptable, FindingText& finding) {
    findings_.push_back({.id = std::string(finding.id),
                         .severity = severity,
                         .acceptable = acceptable,
                         .subject = std::move(finding.subject),
                         .text = std::move(finding.text),
                         .hint = std::move(finding.hint)});
  }

  std::vector<Finding> findings_;
};

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_FINDINGS_H_
