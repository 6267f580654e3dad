#ifndef ENGINE_ARCHIVE_ARCHIVE_CONTENTS_H_
#define ENGINE_ARCHIVE_ARCHIVE_CONTENTS_H_

// What an archive holds, as pg_restore tells it without any server.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/archive/archive_input.h"
#include "engine/archive/script_rows.h"
#include "engine/schema/dump_script.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// Reads one archive. What it is given outlives it.
class ArchiveContents {
 public:
  ArchiveContents(const ArchiveInput& input, const PgTools& tools,
                  const Interrupt& interrupt)
      : input_(input), tools_(tools), interrupt_(interrupt) {}

  // That a restore creates.
  absl::StatusOr<std::vector<std::string>> Extensions() const;

  // Its schema. kFailedPrecondition of a plain script, which is not divided.
  absl::StatusOr<DumpScript> Schema() const;

  // Of every table; reads the whole archive.
  absl::StatusOr<ScriptRows> Rows() const;

  // That a database must have to take it, "" if it does not say.
  absl::StatusOr<std::string> Encoding() const;

 private:
  absl::StatusOr<std::string> Print(std::vector<std::string> arguments) const;

  const ArchiveInput& input_;
  const PgTools& tools_;
  const Interrupt& interrupt_;
};

// The programs that can read the archive and speak to the target.
// kFailedPrecondition: as FindPgTools.
absl::StatusOr<PgTools> FindToolsFor(const ArchiveInput& input,
                                     int target_version,
                                     const std::string& pg_dump,
                                     const Interrupt& interrupt);

// kFailedPrecondition: the script makes a subscription, which nobody can leave
// out any more, and which would reach for another server.
absl::Status RefuseSubscriptions(const ArchiveInput& script);

// Of a plain script: the extensions that it creates before its first rows.
// `text` is its beginning.
std::vector<std::string> ExtensionsOfScript(absl::string_view text);

// "UTF8" of "SET client_encoding = 'UTF8';", or "".
std::string EncodingOfScript(absl::string_view text);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_CONTENTS_H_
