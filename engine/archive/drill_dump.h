#ifndef ENGINE_ARCHIVE_DRILL_DUMP_H_
#define ENGINE_ARCHIVE_DRILL_DUMP_H_

// The archive that a drill of a database makes itself.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/archives.h"
#include "engine/archive/drill_rows.h"
#include "engine/control.h"
#include "engine/event.h"

namespace walferry {

// kFailedPrecondition, always: the target's server is that of the data.
absl::Status RefuseOwnServer(const std::string& system_identifier);

class DrillDump {
 public:
  DrillDump(const DrillOptions& options, Control& control, EventSink& events)
      : options_(options), control_(control), events_(events) {}

  // Into a folder of that name. kFailedPrecondition: the source is, or may be,
  // of the target's system.
  absl::StatusOr<ArchiveInput> Make(const std::string& name,
                                    const std::string& target_system);
  // If anything was made.
  absl::Status Remove() const;

  // Of the source, once it is made.
  const std::string& dbname() const { return dbname_; }
  // Counted in the dump's own snapshot; nullopt where the source is too old.
  const std::optional<ExpectedRows>& rows() const { return rows_; }

 private:
  const DrillOptions& options_;
  Control& control_;
  EventSink& events_;
  std::string path_;
  std::string dbname_;
  std::optional<ExpectedRows> rows_;
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DRILL_DUMP_H_
