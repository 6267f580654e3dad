#include "engine/archive/archive_parts.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status CheckScript(const ArchiveInput& script, const AskedParts& asked) {
  std::vector<absl::string_view> left_in;
  const auto ask = [&](bool wanted, absl::string_view option) {
    const bool made_so =
        script.facts.has_value() && script.facts->Omits(option);
    if (wanted && !made_so) left_in.push_back(option);
  };
  ask(asked.schema_only, "--schema-only");
  ask(asked.data_only, "--data-only");
  ask(asked.no_owner, "--no-owner");
  ask(asked.no_acl, "--no-acl");
  if (!left_in.empty()) {
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            script.path,
            " is a plain script, restored as it is, and was not made with ",
            absl::StrJoin(left_in, ", "))),
        "leave that out, or name an archive in the directory or custom format");
  }
  if (!asked.allow_errors) return absl::OkStatus();
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat(
          script.path, " is a plain script, which ends at its first error")),
      "leave --allow-restore-errors out: rows behind a COPY that failed would "
      "be run as SQL; or name an archive in the directory or custom format");
}

}  // namespace

absl::Status CheckParts(const ArchiveInput& input, const AskedParts& asked) {
  if (input.format == ArchiveFormat::kPlain) {
    RETURN_IF_ERROR(CheckScript(input, asked));
  }
  const bool rows_alone =
      input.facts.has_value() && input.facts->Omits("--data-only");
  if (!rows_alone || asked.data_only) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          input.path, " was made with --data-only: it makes no tables")),
      "restore it with --data-only, into tables that are there");
}

}  // namespace walferry
