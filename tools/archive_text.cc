#include "tools/archive_text.h"

#include "absl/strings/str_cat.h"
#include "engine/time_text.h"
#include "protocol/status.h"
#include "tools/human_format.h"
#include "tools/result_text.h"

namespace walferry {
namespace {

void AddOmissions(std::string& text, const ArchiveFacts& facts) {
  const std::string omissions = OmissionsText(facts);
  if (!omissions.empty()) AddLine(text, "contents", omissions);
}

}  // namespace

std::string DumpText(const DumpReport& report) {
  const ArchiveFacts& facts = report.facts;
  std::string text = absl::StrCat(report.path, ": dumped in ",
                                  HumanDuration(report.elapsed), "\n");
  AddLine(text, "database", facts.database);
  AddLine(text, "as of", TimeText(facts.time));
  AddLine(text, "format",
          absl::StrCat(FormatName(facts.format), ", ", facts.compression));
  AddOmissions(text, facts);
  AddLine(text, "size",
          absl::StrCat(BytesText(facts.archive_bytes), ", of a database of ",
                       BytesText(facts.database_bytes)));
  AddLine(text, "server", facts.server_version);
  AddLine(text, "pg_dump", facts.client_version);
  return text;
}

std::string RestoreText(const RestoreOptions& options,
                        const RestoreReport& report) {
  int64_t count = 0;
  for (const RestoreErrorKind& kind : report.errors) count += kind.count;
  std::string text = absl::StrCat(
      options.input, ": restored in ", HumanDuration(report.elapsed),
      count == 0
          ? ""
          : absl::StrCat(", with ", HumanCount(count, "error", "errors")),
      "\n");
  AddLine(text, "database", report.database);
  if (report.facts.has_value()) {
    AddLine(text, "as of", TimeText(report.facts->time));
    AddOmissions(text, *report.facts);
  }
  AddLine(text, "archive",
          report.checked ? "is what its manifest says"
                         : "has no manifest and was not checked");
  AddLine(text, "size", BytesText(report.bytes));
  for (const RestoreErrorKind& kind : report.errors) {
    AddLine(text, HumanCount(kind.count, "error", "errors"), kind.Text());
  }
  return text;
}

absl::Status IncompleteRestore(const std::vector<RestoreErrorKind>& errors) {
  int64_t count = 0;
  for (const RestoreErrorKind& kind : errors) count += kind.count;
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the restore went on after ", HumanCount(count, "error", "errors"),
          ", so the target is not all that the archive holds")),
      "the result and the log name them");
}

}  // namespace walferry
