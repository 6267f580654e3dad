#ifndef ENGINE_ARCHIVE_ARCHIVE_INPUT_H_
#define ENGINE_ARCHIVE_ARCHIVE_INPUT_H_

// What lies at a path that somebody wants restored.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/archive/archive_facts.h"
#include "engine/archive/file_marks.h"
#include "engine/event.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct ArchiveInput {
  std::string path;    // What pg_restore or psql is given.
  std::string folder;  // That has a manifest; "": none has.
  ArchiveFormat format = ArchiveFormat::kDirectory;
  // Several processes of pg_restore can read it; a tar cannot be.
  bool parallel = true;
  std::optional<ArchiveFacts> facts;
  // The oldest major version whose pg_restore can read it, as far as that is
  // known.
  int client_major = 0;
  // From before anything of it was read. Whoever has used it asks at the end
  // whether it is still the same.
  FileMarks marks = {};
};

// A folder of RunDump, one file in it, or what pg_dump has written, but for
// plain scripts: those of others are kFailedPrecondition. kNotFound: nothing is
// there; kInvalidArgument: something else is; kDataLoss: its facts are
// malformed, or its manifest is gone. One that has a manifest is found whatever
// its bytes are: CheckArchive comes next.
absl::StatusOr<ArchiveInput> FindArchive(const std::string& path);

// Compares it with its manifest, and tells how far that is; a warning if there
// is none. kDataLoss: CheckManifest.
absl::Status CheckArchive(const ArchiveInput& input, const Interrupt& interrupt,
                          EventSink& events);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_INPUT_H_
