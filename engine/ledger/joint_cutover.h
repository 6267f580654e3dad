#ifndef ENGINE_LEDGER_JOINT_CUTOVER_H_
#define ENGINE_LEDGER_JOINT_CUTOVER_H_

// A cutover that several migrations make together: all of them, or none.

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/options.h"
#include "engine/report.h"

namespace walferry {

// Where the migrations wait for each other, in this order. At kConfirmed a no
// of one sends all of them back to kProved.
enum class JointStep {
  kNear,       // Before any source is frozen.
  kProved,     // The source is still and the target has all of it.
  kConfirmed,  // And it was still so after all had come here.
};

// What one migration sees of the others. Called by its own thread alone.
class JointCutover {
 public:
  virtual ~JointCutover() = default;

  // Asked again and again by one that follows; `ready`: it could cut over now.
  // True: it does, as all others do. kCancelled: there will be no cutover in
  // this run (why).
  virtual absl::StatusOr<bool> Begins(bool ready) = 0;

  // kDeadlineExceeded: it was given up (by whom, and why).
  virtual absl::Status Check() = 0;

  // Before the source is made read-only: the note of it (DescribeFreeze), for
  // whoever cleans up where the migration's own ledger is gone.
  virtual absl::Status NoteFreeze(const LedgerObject& freeze) = 0;

  // Waits for all others to come to `step`: whether all of them said yes. After
  // a yes of all at kConfirmed there is no way back: each goes on to its end,
  // whatever becomes of the others, and is asked for its own yes alone. `wait`
  // is called meanwhile, again and again, with who is waited for: false takes
  // the yes back, its error ends the cutover of all. Other errors are those of
  // Check().
  virtual absl::StatusOr<bool> Agree(
      JointStep step, bool yes,
      absl::FunctionRef<absl::StatusOr<bool>(const std::string& who)> wait) = 0;

  // The migration's part in it has ended with this error, so that of the others
  // has, unless there is no way back. It may follow on and begin again.
  virtual void Leave(const absl::Status& why) = 0;
};

// RunMigration (engine/migration/migration.h) of an online migration that cuts
// over with others, when they say so, whatever its options, its control and its
// own ledger say. `joint` outlives the call.
absl::StatusOr<Report> RunMigrationWithOthers(const MigrateOptions& options,
                                              JointCutover& joint,
                                              Control& control,
                                              EventSink& events);

}  // namespace walferry

#endif  // ENGINE_LEDGER_JOINT_CUTOVER_H_
