#ifndef ENGINE_TARGET_DATABASE_STATEMENTS_H_
#define ENGINE_TARGET_DATABASE_STATEMENTS_H_

// How a database is made again: asked of pg_dump, as the form of it depends on
// the version.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/connect/connect.h"
#include "engine/schema/pg_tools.h"

namespace walferry {

// The statements that make a database and give it its owner, settings and
// privileges, one each, out of what pg_dump and pg_restore print with --create
// and --verbose. kDataLoss as ParseDumpScript, or if one of them is not whole.
absl::StatusOr<std::vector<std::string>> DatabaseStatements(
    const std::string& script);

// A CREATE DATABASE statement for another database.
std::string CreatedUnder(absl::string_view create, absl::string_view name);

// Those of the target's database; the first is CREATE DATABASE.
absl::StatusOr<std::vector<std::string>> ReadDatabaseStatements(
    const Connector& connector, const PgTools& tools);

}  // namespace walferry

#endif  // ENGINE_TARGET_DATABASE_STATEMENTS_H_
