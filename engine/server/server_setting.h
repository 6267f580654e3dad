#ifndef ENGINE_SERVER_SERVER_SETTING_H_
#define ENGINE_SERVER_SERVER_SETTING_H_

// A setting that a server keeps for a role, a database or both
// (pg_db_role_setting), and how it is written as SQL.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct ServerSetting {
  std::string role;      // "": of every role.
  std::string database;  // "": in every database.
  std::string name;
  std::string value;  // As the server keeps it.

  friend bool operator==(const ServerSetting&, const ServerSetting&) = default;
};

// All of a server, in the order in which they were made.
absl::StatusOr<std::vector<ServerSetting>> ReadServerSettings(
    PgConnection& connection);

// ALTER ROLE or ALTER DATABASE ... SET. The value of a setting that is a list
// of quoted names (search_path) is kept as a text of that list, and has to be
// given as one again: as a single word it would be one strange name.
std::string AlterSql(const ServerSetting& setting);

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_SETTING_H_
