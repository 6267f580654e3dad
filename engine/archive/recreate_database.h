#ifndef ENGINE_ARCHIVE_RECREATE_DATABASE_H_
#define ENGINE_ARCHIVE_RECREATE_DATABASE_H_

// Drops a database and makes it again, empty.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/archive/target_database.h"
#include "engine/pg_tools.h"

namespace walferry {

// The statements that make a database and give it its owner, settings and
// privileges, one each, out of what pg_dump and pg_restore print with --create
// and --verbose. kDataLoss as ParseDumpScript.
absl::StatusOr<std::vector<std::string>> DatabaseStatements(
    const std::string& script);

// With the encoding, locale, owner, settings, privileges and comment that it
// had. Sessions in it are ended. kFailedPrecondition: the role may not create
// databases; found before anything is dropped. An error after that says that
// it is gone.
absl::Status RecreateDatabase(const TargetDatabase& target,
                              const PgTools& tools);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_RECREATE_DATABASE_H_
