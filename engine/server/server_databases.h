#ifndef ENGINE_SERVER_SERVER_DATABASES_H_
#define ENGINE_SERVER_SERVER_DATABASES_H_

// The databases of a server that a migration of all of them moves.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/check/check.h"
#include "engine/server/privileges.h"
#include "engine/server/server_setting.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Who orders strings and knows letters (pg_database.datlocprovider).
enum class LocaleProvider { kLibc, kIcu, kBuiltin };

struct ServerDatabase {
  std::string name;
  std::string oid;
  int64_t bytes = -1;  // -1: the role may not know.
  // The role may open sessions there.
  bool may_connect = true;
  std::string encoding;  // "UTF8".
  LocaleProvider provider = LocaleProvider::kLibc;
  // Of libc; there are some whatever the provider is.
  std::string collate;
  std::string ctype;
  std::string locale;     // The provider's; "" for libc.
  std::string icu_rules;  // From PostgreSQL 16 on.
  std::string owner;
  int connection_limit = -1;  // -1: none.
  std::string tablespace;
  std::string comment;
  Privileges privileges;
  std::vector<ServerSetting> settings;  // Of all roles and of some, in it.
};

// Glob patterns as in engine/name_pattern.h; without --database every database
// is meant, and exclusion wins.
struct DatabaseScope {
  std::vector<std::string> databases;
  std::vector<std::string> exclude_databases;
};

struct ServerDatabases {
  // Smallest first, so that much is done early and a mistake shows soon.
  std::vector<ServerDatabase> databases;
  // In scope by their names, and left out: "archive (takes no connections)".
  std::vector<std::string> left_out;
  // Of those left out, but for the server's own templates: acceptable if the
  // scope names one outright, a warning otherwise.
  std::vector<Finding> findings;
};

// Templates are left out, and what takes no connections. The maintenance
// database (postgres) is one like others: somebody may have used it.
// kInvalidArgument: a pattern is malformed; kNotFound: one of --database
// matches nothing.
absl::StatusOr<ServerDatabases> ReadServerDatabases(PgConnection& server,
                                                    const DatabaseScope& scope);

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_DATABASES_H_
