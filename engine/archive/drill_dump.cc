#include "engine/archive/drill_dump.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/archive/archive_dump.h"
#include "engine/connect/server_identity.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Rows of an older source are counted in its archive.
constexpr int kOldestCatalog = 100000;

}  // namespace

absl::Status RefuseOwnServer(const std::string& system_identifier) {
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the target is the server that the data comes from (system ",
          system_identifier, ")")),
      "a drill shows that another server can take over: name one");
}

absl::StatusOr<ArchiveInput> DrillDump::Make(const std::string& name,
                                             const std::string& target_system) {
  DumpOptions dump = {.source = options_.source,
                      .compression = {},
                      .output = {},
                      .archive_folder = options_.archive_folder,
                      .jobs = options_.jobs,
                      .scope = options_.scope,
                      .disk_share = options_.disk_share,
                      .pg_dump = options_.pg_dump,
                      .connect_timeout = options_.connect_timeout};
  ASSIGN_OR_RETURN(PgConnection source, OpenDumpSource(dump, control_));
  ASSIGN_OR_RETURN(const std::string system, SystemIdentifierOf(source));
  if (system.empty() || target_system.empty()) {
    return WithHint(
        absl::FailedPreconditionError(
            "whether the target is another server than the source cannot be "
            "told: a role may not call pg_control_system()"),
        "GRANT EXECUTE ON FUNCTION pg_control_system() TO the roles, or "
        "drill an archive that walferry dump has made");
  }
  if (system == target_system) return RefuseOwnServer(target_system);
  dbname_ = source.dbname();
  dump.output = absl::StrCat(
      dump.archive_folder.empty() ? "." : dump.archive_folder, "/", name);
  RETURN_IF_ERROR(
      source.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").status());
  ASSIGN_OR_RETURN(const std::string snapshot,
                   source.QueryValue("SELECT pg_export_snapshot()"));
  if (source.server_version() >= kOldestCatalog) {
    // First: from then on no table can be emptied or altered.
    ASSIGN_OR_RETURN(const Catalog catalog,
                     ReadDumpCatalog(source, options_.scope));
    ASSIGN_OR_RETURN(rows_, RowsOfSource(source, catalog));
  }
  ASSIGN_OR_RETURN(const DumpReport dumped,
                   DumpArchive(dump, source, snapshot, control_, events_));
  path_ = dumped.path;
  RETURN_IF_ERROR(source.Exec("COMMIT").status());
  return FindArchive(path_);
}

absl::Status DrillDump::Remove() const {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
  if (!error) return absl::OkStatus();
  return WithHint(
      absl::ErrnoToStatus(error.value(), absl::StrCat("the fresh dump ", path_,
                                                      " could not be removed")),
      "remove it yourself");
}

}  // namespace walferry
