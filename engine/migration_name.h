#ifndef ENGINE_MIGRATION_NAME_H_
#define ENGINE_MIGRATION_NAME_H_

// What a migration may be called, and what is called after it.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace walferry {

// 1 to 40 of a-z, 0-9 and _: it becomes part of slot names, which PostgreSQL
// limits so. kInvalidArgument otherwise.
absl::Status CheckMigrationName(absl::string_view name);

// "walferry_orders" for "orders"; "walferry" for "walferry". The name of its
// slot and publication.
std::string DefaultObjectName(absl::string_view name);

// `text` with the name in what it tells to run, "`walferry cleanup`" and
// "`walferry cutover`", unless that is what these commands take by themselves.
std::string NameCommands(absl::string_view text, absl::string_view name);

}  // namespace walferry

#endif  // ENGINE_MIGRATION_NAME_H_
