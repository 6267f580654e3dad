#include "tools/engine_calls.h"

namespace walferry {

EngineCalls RealEngineCalls() {
  return {.migrate = RunMigration,
          .follow = RunFollow,
          .check = RunCheck,
          .cutover = RunCutover,
          .status = RunStatus,
          .cleanup = RunCleanup,
          .capture = RunCapture,
          .replay = RunReplay,
          .globals = RunGlobals,
          .dump = RunDump,
          .restore = RunRestore,
          .drill = RunDrill,
          .migrate_by_archive = RunArchiveMigration};
}

}  // namespace walferry
