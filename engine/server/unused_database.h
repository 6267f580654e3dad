#ifndef ENGINE_SERVER_UNUSED_DATABASE_H_
#define ENGINE_SERVER_UNUSED_DATABASE_H_

// Every server has a database postgres, which most people only connect to.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_connection.h"

namespace walferry {

inline constexpr absl::string_view kMaintenanceDatabase = "postgres";
// As initdb says of it.
inline constexpr absl::string_view kMaintenanceComment =
    "default administrative connection database";
// What CREATE DATABASE copies.
inline constexpr absl::string_view kTemplateDatabase = "template1";

// Nobody has created anything in the session's database since initdb.
absl::StatusOr<bool> IsUnused(PgConnection& connection);

}  // namespace walferry

#endif  // ENGINE_SERVER_UNUSED_DATABASE_H_
