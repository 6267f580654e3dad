#include "tools/engine_calls.h"

namespace walferry {

EngineCalls RealEngineCalls() {
  return {.migrate = RunMigration,
          .migrate_delaying = RunDelayingMigration,
          .follow = RunFollow,
          .check = RunCheck,
          .cutover = RunServerCutover,
          .status = RunStatus,
          .cleanup = RunServerCleanup,
          .capture = RunCapture,
          .replay = RunReplay,
          .globals = RunGlobals,
          .migrate_server = RunServerMigration,
          .check_server = RunServerCheck,
          .status_server = RunServerStatus,
          .dump = RunDump,
          .restore = RunRestore,
          .drill = RunDrill,
          .verify = RunVerify,
          .note_comparison = NoteComparison,
          .migrate_by_archive = RunArchiveMigration};
}

}  // namespace walferry
