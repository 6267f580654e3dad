#ifndef TOOLS_ENGINE_CALLS_H_
#define TOOLS_ENGINE_CALLS_H_

// What the commands ask the engine for, so that a test can answer instead.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/archive/archive_migration.h"
#include "engine/archive/archives.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/migration/migration.h"
#include "engine/server/servers.h"
#include "engine/stream/capture.h"
#include "engine/verify/verification.h"

namespace walferry {

// The functions of engine/migration/migration.h,
// engine/catalog/delayed_tables.h, engine/stream/capture.h,
// engine/archive/archives.h, engine/server/servers.h and
// engine/verify/verification.h, with the same contracts.
struct EngineCalls {
  std::function<absl::StatusOr<Report>(const MigrateOptions&, Control&,
                                       EventSink&)>
      migrate;
  std::function<absl::StatusOr<Report>(const MigrateOptions&,
                                       const std::function<absl::Status()>&,
                                       Control&, EventSink&)>
      migrate_delaying;
  std::function<absl::StatusOr<Report>(const FollowOptions&, Control&,
                                       EventSink&)>
      follow;
  std::function<absl::StatusOr<CheckReport>(const CheckOptions&, Control&)>
      check;
  std::function<absl::StatusOr<Report>(const CutoverOptions&, Control&,
                                       EventSink&)>
      cutover;
  std::function<absl::StatusOr<MigrationStatus>(const StatusOptions&, Control&)>
      status;
  std::function<absl::StatusOr<std::vector<std::string>>(const CleanupOptions&,
                                                         Control&)>
      cleanup;
  std::function<absl::StatusOr<CaptureReport>(const CaptureOptions&, Control&,
                                              const CaptureProgress&)>
      capture;
  std::function<absl::StatusOr<ReplayReport>(const ReplayOptions&, Control&)>
      replay;
  std::function<absl::StatusOr<GlobalsReport>(const GlobalsOptions&, Control&,
                                              EventSink&)>
      globals;
  std::function<absl::StatusOr<ServerReport>(const ServerMigrateOptions&,
                                             Control&, ServerEventSink&)>
      migrate_server;
  std::function<absl::StatusOr<CheckReport>(const ServerMigrateOptions&,
                                            Control&)>
      check_server;
  // nullopt: the name is not a whole server's.
  std::function<absl::StatusOr<std::optional<ServerStatus>>(
      const StatusOptions&, Control&)>
      status_server = [](const StatusOptions&, Control&) {
        return absl::StatusOr<std::optional<ServerStatus>>(std::nullopt);
      };
  std::function<absl::StatusOr<DumpReport>(const DumpOptions&, Control&,
                                           EventSink&)>
      dump;
  std::function<absl::StatusOr<RestoreReport>(const RestoreOptions&, Control&,
                                              EventSink&)>
      restore;
  std::function<absl::StatusOr<DrillReport>(const DrillOptions&, Control&,
                                            EventSink&)>
      drill;
  std::function<absl::StatusOr<VerifyReport>(const VerifyOptions&, Control&,
                                             EventSink&)>
      verify;
  std::function<absl::Status(const Endpoints&, const ComparisonNote&, Control&)>
      note_comparison;
  std::function<absl::StatusOr<ArchiveMigrationReport>(
      const ArchiveMigrationOptions&, Control&, EventSink&)>
      migrate_by_archive;
};

// The engine itself.
EngineCalls RealEngineCalls();

}  // namespace walferry

#endif  // TOOLS_ENGINE_CALLS_H_
