#include "engine/verify/still_repair.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/ledger/ledger_content.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A migration that goes on would write its changes on top, or the same rows.
absl::Status CheckNoMigration(PgConnection& target,
                              const VerifyOptions& options) {
  const absl::StatusOr<std::vector<std::string>> found =
      UnfinishedMigrations(target, options.endpoints.ledger_schema);
  if (!found.ok()) return Annotate(found.status(), "target");
  const std::vector<std::string>& unfinished = *found;
  if (unfinished.empty()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "target: ", unfinished.size() == 1 ? "migration " : "migrations ",
          NameSome(unfinished), unfinished.size() == 1 ? " has" : " have",
          " not come to an end: what it writes to the target would meet rows "
          "that are repaired")),
      absl::StrCat("wait until it ends, or end it with `walferry cutover "
                   "--name ",
                   unfinished.front(), "` or `walferry cleanup --name ",
                   unfinished.front(),
                   "`; one that follows is repaired with --online --name ",
                   unfinished.front()));
}

}  // namespace

// It may last for hours to know what differs: whoever must wait for a migration
// is told before.
absl::StatusOr<std::unique_ptr<SnapshotPair>> StillGround::ToCompare() {
  ASSIGN_OR_RETURN(std::unique_ptr<SnapshotPair> snapshots,
                   TakeSnapshotPair(options_.endpoints, &control_.interrupt()));
  if (!repaired_) RETURN_IF_ERROR(CheckNoMigration(*snapshots));
  return snapshots;
}

absl::Status StillGround::CheckNoMigration(SnapshotPair& snapshots) const {
  ASSIGN_OR_RETURN(SessionPair sessions, snapshots.Open(&control_.interrupt()));
  const absl::Status checked =
      walferry::CheckNoMigration(sessions.target, options_);
  snapshots.Close(std::move(sessions));
  return checked;
}

// In the states that were compared: nobody writes.
absl::StatusOr<RowRepairResult> StillGround::Repair(
    const DifferingRows& rows, std::unique_ptr<SnapshotPair> compared) {
  repaired_ = true;
  return RepairRows({.dry_run = options_.repair == RepairMode::kDryRun,
                     .max_rows = std::max<int64_t>(1, options_.max_reported),
                     .may_write =
                         [this](PgConnection& target) {
                           return walferry::CheckNoMigration(target, options_);
                         }},
                    rows, *compared, control_.interrupt(), events_);
}

}  // namespace walferry
