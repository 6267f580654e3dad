#ifndef ENGINE_SERVER_GLOBALS_H_
#define ENGINE_SERVER_GLOBALS_H_

// What a server holds that belongs to no database: roles, their memberships and
// settings, tablespaces, privileges on parameters.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/server/privileges.h"
#include "engine/server/server_setting.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct ServerRole {
  std::string name;
  bool superuser = false;
  bool inherit = true;
  bool create_role = false;
  bool create_db = false;
  bool login = false;
  bool replication = false;
  bool bypass_rls = false;
  int connection_limit = -1;  // -1: none.
  std::string valid_until;    // As the server prints it; "": for ever.
  std::string comment;
  // SCRAM or md5, as pg_authid has it: never shown. nullopt: there is none, or
  // it could not be read.
  std::optional<std::string> verifier;
};

struct RoleMembership {
  std::string role;
  std::string member;
  std::string grantor;  // "": is gone (before PostgreSQL 16).
  bool admin = false;
  // From PostgreSQL 16 on; before, the member's INHERIT decides, and whoever is
  // a member may SET ROLE.
  std::optional<bool> inherit;
  std::optional<bool> set;
};

struct ServerTablespace {
  std::string name;
  std::string owner;
  std::string location;  // On the server's disk; "": inside its data.
  std::vector<std::string> options;  // "seq_page_cost=1.1".
  std::string comment;
  Privileges privileges;
};

struct ParameterPrivileges {
  std::string parameter;
  std::vector<Privilege> privileges;
};

struct Globals {
  int server_version = 0;  // 150004.
  // The role that initdb made, whatever it is called now.
  std::string bootstrap_superuser;
  bool verifiers_read = false;
  // Without the server's own (pg_*), by name.
  std::vector<ServerRole> roles;
  std::vector<std::string> reserved_roles;  // pg_*.
  std::vector<RoleMembership> memberships;  // Also in pg_*.
  // Of roles and of all roles, in every database.
  std::vector<ServerSetting> settings;
  std::vector<ServerTablespace> tablespaces;  // Without pg_default, pg_global.
  std::vector<ParameterPrivileges> parameters;  // From PostgreSQL 15 on.
  // Of roles, databases and tablespaces.
  bool has_security_labels = false;

  const ServerRole* FindRole(absl::string_view name) const;
  const ServerTablespace* FindTablespace(absl::string_view name) const;
  // A role, or one of the server's own.
  bool HasRole(absl::string_view name) const;
};

enum class Verifiers { kRead, kLeave };

// As of one snapshot. Without the right to read pg_authid no verifier is read,
// which is no error.
absl::StatusOr<Globals> ReadGlobals(PgConnection& connection,
                                    Verifiers verifiers);

}  // namespace walferry

#endif  // ENGINE_SERVER_GLOBALS_H_
