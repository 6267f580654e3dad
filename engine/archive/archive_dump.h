#ifndef ENGINE_ARCHIVE_ARCHIVE_DUMP_H_
#define ENGINE_ARCHIVE_ARCHIVE_DUMP_H_

// One run of pg_dump, from an empty folder to a finished archive.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/archive/archives.h"
#include "engine/catalog/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

// "shop-20261122T101500Z": fit for any file system.
std::string ArchiveName(absl::string_view database, absl::Time time);

// What RunDump does. `source` is a session of the same database; `snapshot`
// names one that it has exported, "": pg_dump takes its own.
absl::StatusOr<DumpReport> DumpArchive(const DumpOptions& options,
                                       PgConnection& source,
                                       const std::string& snapshot,
                                       Control& control, EventSink& events);

// A session of the source.
absl::StatusOr<PgConnection> OpenDumpSource(const DumpOptions& options,
                                            const Control& control);

// In the scope of a dump.
absl::StatusOr<Catalog> ReadDumpCatalog(PgConnection& source,
                                        const ScopeOptions& scope);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_DUMP_H_
