#include "engine/archive/target_space.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/archive/disk_files.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of a database in the default tablespace, which is in the data directory.
constexpr char kWhere[] =
    "SELECT pg_catalog.current_setting('data_directory'),"
    " extract(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint"
    " FROM pg_catalog.pg_database"
    " WHERE datname = pg_catalog.current_database() AND dattablespace = 1663";
// postmaster.pid has the time of a moment before.
constexpr int64_t kStartSeconds = 10;

// A folder of that name may be here and another where the server runs.
bool IsOfThisServer(const std::string& folder, int64_t started) {
  const absl::StatusOr<std::string> file =
      ReadWholeFile(folder + "/postmaster.pid");
  if (!file.ok()) return false;
  const std::vector<std::string> lines = absl::StrSplit(*file, '\n');
  int64_t noted = 0;
  return lines.size() > 2 && absl::SimpleAtoi(lines[2], &noted) &&
         std::llabs(noted - started) <= kStartSeconds;
}

}  // namespace

absl::Status CheckTargetSpace(PgConnection& target, int64_t bytes, int share) {
  const absl::StatusOr<PgResult> where = target.Exec(kWhere);
  if (!where.ok()) {
    // Not everybody may know; a lost link is another matter.
    return absl::IsPermissionDenied(where.status()) ? absl::OkStatus()
                                                    : where.status();
  }
  if (where->rows() == 0) return absl::OkStatus();
  const std::string folder(where->Text(0, 0));
  ASSIGN_OR_RETURN(const int64_t started, where->Int64(0, 1));
  if (!IsOfThisServer(folder, started)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t free, FreeBytes(folder));
  const int64_t wanted = bytes / 100 * share;
  if (free >= wanted) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      "target: the disk of ", folder, " has ", free >> 20,
                      " MiB free, but ", share, "% of the database's size are ",
                      wanted >> 20, " MiB")),
                  "free space there, or ask for less with --disk-share");
}

}  // namespace walferry
