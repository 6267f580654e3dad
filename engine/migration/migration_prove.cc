// Comparisons of source and target while the stream runs: when the target has
// caught up, now and then, and for the cutover.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/migration/background_proof.h"
#include "engine/migration/migration_run.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kWayOn =
    "walferry verify --online names the rows; with --verify off nothing is "
    "compared";

constexpr absl::string_view kStill = "a comparison while the source is still";

// Behind a comparison that could not be made.
constexpr absl::Duration kTryAgain = absl::Minutes(1);

// "1.2s", without digits that nobody measures.
std::string Short(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(1)));
}

}  // namespace

// The first as soon as the target has caught up, so that the cutover need not
// wait for it.
absl::Status MigrationRun::ProveIfDue(const Follower& follower) {
  if (options_.proof == nullptr || !follower.caught_up()) {
    return absl::OkStatus();
  }
  if (proving_ != nullptr) {
    return TakeProof().status();
  }
  if (ProofIsDue()) BeginProof();
  return absl::OkStatus();
}

bool MigrationRun::ProofIsDue() const {
  if (!proved_.has_value()) return true;
  const absl::Duration age = absl::Now() - proved_->comparison.at;
  if (proved_->failed && age >= kTryAgain) return true;
  return options_.verify_every > absl::ZeroDuration() &&
         age >= options_.verify_every;
}

void MigrationRun::BeginProof() {
  proving_ =
      std::make_unique<BackgroundProof>(*options_.proof, options_.endpoints);
}

// False: it has not ended.
absl::StatusOr<bool> MigrationRun::TakeProof() {
  const std::optional<absl::StatusOr<ProofFound>> found = proving_->found();
  if (!found.has_value()) return false;
  Proved proved{.took = proving_->elapsed(),
                .comparison = {.state = ComparisonResult::State::kUnknown,
                               .method = options_.proof->method(),
                               .at = absl::Now()}};
  if (found->ok()) {
    proved.comparison.state = (*found)->state;
    proved.text = (*found)->text;
    proved.took = (*found)->took;
  } else {
    proved.failed = true;
    proved.text =
        absl::StrCat("they could not be compared: ", found->status().message());
  }
  if (!proved.equal()) proved.comparison.found = proved.text;
  proving_.reset();
  proved_ = std::move(proved);
  Notify(proved_->equal() ? Notice::Level::kInfo : Notice::Level::kWarning,
         absl::StrCat("source and target compared in ", Short(proved_->took),
                      ": ", proved_->text));
  RETURN_IF_ERROR(ledger_->SetComparison(proved_->comparison));
  return true;
}

// The verdict of a comparison that is begun now, or was begun before.
absl::Status MigrationRun::AwaitProof(Follower& follower, StreamRun& run,
                                      absl::Time deadline) {
  if (proving_ == nullptr) BeginProof();
  while (true) {
    ASSIGN_OR_RETURN(const bool taken, TakeProof());
    if (taken) break;
    if (absl::Now() >= deadline) {
      proving_.reset();
      return absl::OkStatus();
    }
    follower.SetWaitingFor(proving_->waiting_for());
    RETURN_IF_ERROR(CheckStillAsked());
    RETURN_IF_ERROR(ServeMeetings(follower, run, deadline));
    RETURN_IF_ERROR(follower.Turn());
  }
  follower.SetWaitingFor("");
  return absl::OkStatus();
}

// kDeadlineExceeded: they are not known to be equal. A verdict of this run
// counts, however old it is: while the source is still there is another one,
// unless that took too long.
absl::Status MigrationRun::ProveForCutover(Follower& follower, StreamRun& run) {
  if (options_.proof == nullptr) return absl::OkStatus();
  // One that was begun before may have met what the cutover has ended.
  const bool begun_before = proving_ != nullptr;
  if (begun_before) {
    RETURN_IF_ERROR(AwaitProof(follower, run, absl::InfiniteFuture()));
  }
  const bool of_use = proved_.has_value() &&
                      (proved_->equal() || (begun_before && !proved_->failed));
  if (!of_use) {
    RETURN_IF_ERROR(AwaitProof(follower, run, absl::InfiniteFuture()));
  }
  return ProofAllowsCutover();
}

// What differs stays so until somebody mends it: a run that nobody looks at
// ends. Whoever looks on asks again.
absl::Status MigrationRun::ProofAllowsCutover() const {
  if (proved_->equal()) return absl::OkStatus();
  std::string text = absl::StrCat(
      "the target is not known to be equal to the source: ", proved_->text);
  if (options_.cutover == CutoverMode::kAuto && !joint() && !proved_->failed) {
    return WithHint(absl::FailedPreconditionError(std::move(text)), kWayOn);
  }
  return absl::DeadlineExceededError(absl::StrCat(text, "; ", kWayOn));
}

void MigrationRun::TellOfOldProof() {
  std::string text =
      absl::StrCat(kStill, " takes longer than the --verify-budget of ",
                   Short(options_.verify_budget), "; the one of ",
                   Short(absl::Now() - proved_->comparison.at), " ago counts");
  // Of one cutover that was not given up.
  std::erase_if(report_.remarks, [](const std::string& remark) {
    return absl::StartsWith(remark, kStill);
  });
  report_.remarks.push_back(text);
  Notify(Notice::Level::kWarning, std::move(text));
}

// While the source is still.
absl::Status MigrationRun::ProveOnceMore(Follower& follower, StreamRun& run) {
  if (options_.proof == nullptr ||
      options_.verify_budget <= absl::ZeroDuration()) {
    return absl::OkStatus();
  }
  if (proved_->took > options_.verify_budget) {
    TellOfOldProof();
    return absl::OkStatus();
  }
  const absl::Time before = proved_->comparison.at;
  proving_.reset();
  RETURN_IF_ERROR(
      AwaitProof(follower, run, absl::Now() + options_.verify_budget));
  if (proved_->comparison.at == before) TellOfOldProof();
  return ProofAllowsCutover();
}

}  // namespace walferry
