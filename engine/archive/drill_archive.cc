#include "engine/archive/drill_archive.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace walferry {

DrillFinding CheckWhole(const ArchiveInput& input, bool accept_partial) {
  if (!input.facts.has_value() || !input.facts->omissions.has_value()) {
    return DrillFinding::Skipped(
        "the archive does not say whether it is of the whole database");
  }
  const std::string text = OmissionsText(*input.facts);
  if (text.empty()) return DrillFinding::Passed("of the whole database");
  if (accept_partial) {
    return DrillFinding::Skipped(
        absl::StrCat(text, ", so nothing is proved of the rest"));
  }
  return DrillFinding::Failed(
      absl::StrCat(text, "; --allow-partial drills what is in it"));
}

DrillFinding CheckAge(const ArchiveInput& input, absl::Time now,
                      absl::Duration max_age) {
  if (!input.facts.has_value()) {
    return DrillFinding::Failed("the archive does not say when it is of");
  }
  const std::string age = absl::FormatDuration(
      absl::Trunc(now - input.facts->time, absl::Seconds(1)));
  if (now - input.facts->time <= max_age) {
    return DrillFinding::Passed(absl::StrCat(age, " old"));
  }
  return DrillFinding::Failed(absl::StrCat(age, " old, and --max-age is ",
                                           absl::FormatDuration(max_age)));
}

}  // namespace walferry
