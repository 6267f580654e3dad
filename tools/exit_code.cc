#include "tools/exit_code.h"

#include "engine/connect/retry_policy.h"

namespace walferry {
namespace {

constexpr ExitCodeMeaning kMeanings[] = {
    {ExitCode::kDone, "done"},
    {ExitCode::kFailed, "failed; the error says why"},
    {ExitCode::kUsage, "wrong usage or configuration; nothing was tried"},
    {ExitCode::kDifferences,
     "done, but with faults that were found; a check of drill failed, verify "
     "has found differences, or restore went on after errors, as "
     "--allow-restore-errors lets it"},
    {ExitCode::kResumable,
     "interrupted, or a server stayed away too long; the same command goes on "
     "where this one stopped"},
};

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kDone;
  return IsResumable(status) ? ExitCode::kResumable : ExitCode::kFailed;
}

absl::Span<const ExitCodeMeaning> ExitCodeMeanings() { return kMeanings; }

}  // namespace walferry
