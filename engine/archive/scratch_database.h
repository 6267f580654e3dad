#ifndef ENGINE_ARCHIVE_SCRATCH_DATABASE_H_
#define ENGINE_ARCHIVE_SCRATCH_DATABASE_H_

// A database that exists for the time of a drill.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/archive/target_database.h"

namespace walferry {

// "walferry_drill_20261122_101500": what is left after a crash is known by its
// name.
std::string ScratchName(absl::Time time);

class ScratchDatabase {
 public:
  // On the server of `server`, any database of it, empty. `encoding`: "" for
  // the server's own; another one than that comes with the locale C. An error
  // after which it may be there says so.
  static absl::StatusOr<ScratchDatabase> Create(const TargetDatabase& server,
                                                const std::string& name,
                                                const std::string& encoding);
  ScratchDatabase(ScratchDatabase&& other) noexcept;
  ScratchDatabase& operator=(ScratchDatabase&&) = delete;
  // Drops it, if nobody has; an error goes unheard, so Drop() comes first.
  ~ScratchDatabase();

  const TargetDatabase& database() const { return database_; }
  // Leaves it there.
  void Keep() { exists_ = false; }
  // Also when an interrupt was raised, and with whoever is in it. An error has
  // the name, and the statement as its hint.
  absl::Status Drop();

 private:
  ScratchDatabase(TargetDatabase server, TargetDatabase database)
      : server_(std::move(server)), database_(std::move(database)) {}

  TargetDatabase server_;
  TargetDatabase database_;
  bool exists_ = true;
};

// An error, and what is left behind besides, whose hint tells how it goes away:
// the one of the error must not hide that. Either may be OK.
absl::Status WithLeftOver(const absl::Status& error, const absl::Status& left);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_SCRATCH_DATABASE_H_
