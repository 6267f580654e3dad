#include "engine/server/globals.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string TextAt(const PgResult& rows, int row, int column) {
  return std::string(rows.Text(row, column));
}

absl::Status ReadRoles(PgConnection& connection, Globals& globals) {
  const absl::string_view verifier =
      globals.verifiers_read
          ? "(SELECT a.rolpassword FROM pg_catalog.pg_authid a WHERE a.oid = "
            "r.oid)"
          : "NULL";
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(absl::StrCat(
          "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, "
          "rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, "
          "coalesce(rolvaliduntil::text, ''), "
          "coalesce(pg_catalog.shobj_description(r.oid, 'pg_authid'), ''), ",
          verifier,
          ", r.oid = 10 FROM pg_catalog.pg_roles r ORDER BY "
          "rolname::text COLLATE \"C\"")));
  for (int row = 0; row < rows.rows(); ++row) {
    ServerRole role{.name = TextAt(rows, row, 0),
                    .superuser = rows.Bool(row, 1),
                    .inherit = rows.Bool(row, 2),
                    .create_role = rows.Bool(row, 3),
                    .create_db = rows.Bool(row, 4),
                    .login = rows.Bool(row, 5),
                    .replication = rows.Bool(row, 6),
                    .bypass_rls = rows.Bool(row, 7),
                    .valid_until = TextAt(rows, row, 9),
                    .comment = TextAt(rows, row, 10)};
    ASSIGN_OR_RETURN(const int64_t limit, rows.Int64(row, 8));
    role.connection_limit = static_cast<int>(limit);
    if (!rows.IsNull(row, 11)) role.verifier = TextAt(rows, row, 11);
    if (rows.Bool(row, 12)) globals.bootstrap_superuser = role.name;
    // No other role may have a name that begins so.
    if (absl::StartsWith(role.name, "pg_")) {
      globals.reserved_roles.push_back(std::move(role.name));
    } else {
      globals.roles.push_back(std::move(role));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadMemberships(PgConnection& connection, Globals& globals) {
  // As JSON, because the options came with PostgreSQL 16.
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(
          "SELECT r.rolname, u.rolname, coalesce(g.rolname, ''), "
          "m.admin_option, pg_catalog.to_jsonb(m) ->> 'inherit_option', "
          "pg_catalog.to_jsonb(m) ->> 'set_option' FROM "
          "pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = "
          "m.roleid JOIN pg_catalog.pg_roles u ON u.oid = m.member LEFT JOIN "
          "pg_catalog.pg_roles g ON g.oid = m.grantor ORDER BY r.rolname::text "
          "COLLATE \"C\", u.rolname::text COLLATE \"C\", g.rolname::text "
          "COLLATE \"C\""));
  for (int row = 0; row < rows.rows(); ++row) {
    RoleMembership membership{.role = TextAt(rows, row, 0),
                              .member = TextAt(rows, row, 1),
                              .grantor = TextAt(rows, row, 2),
                              .admin = rows.Bool(row, 3)};
    if (!rows.IsNull(row, 4)) membership.inherit = rows.Text(row, 4) == "true";
    if (!rows.IsNull(row, 5)) membership.set = rows.Text(row, 5) == "true";
    // pg_monitor is a member of its like on every server.
    if (absl::StartsWith(membership.member, "pg_")) continue;
    globals.memberships.push_back(std::move(membership));
  }
  return absl::OkStatus();
}

absl::Status ReadTablespaces(PgConnection& connection, Globals& globals) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(absl::StrCat(
          "SELECT spcname, pg_catalog.pg_get_userbyid(spcowner), "
          "pg_catalog.pg_tablespace_location(t.oid), "
          "coalesce(pg_catalog.array_to_string(spcoptions, E'\\x01'), ''), "
          "coalesce(pg_catalog.shobj_description(t.oid, 'pg_tablespace'), "
          "''), ",
          PrivilegesColumn("spcacl"),
          " FROM pg_catalog.pg_tablespace t WHERE spcname NOT IN "
          "('pg_default', 'pg_global') ORDER BY spcname::text COLLATE \"C\"")));
  for (int row = 0; row < rows.rows(); ++row) {
    ServerTablespace tablespace{.name = TextAt(rows, row, 0),
                                .owner = TextAt(rows, row, 1),
                                .location = TextAt(rows, row, 2),
                                .comment = TextAt(rows, row, 4)};
    ASSIGN_OR_RETURN(tablespace.privileges, ReadPrivileges(rows, row, 5));
    tablespace.options =
        absl::StrSplit(rows.Text(row, 3), '\x01', absl::SkipEmpty());
    // One in place (allow_in_place_tablespaces) has a relative path.
    if (!absl::StartsWith(tablespace.location, "/")) {
      tablespace.location.clear();
    }
    globals.tablespaces.push_back(std::move(tablespace));
  }
  return absl::OkStatus();
}

absl::Status ReadParameters(PgConnection& connection, Globals& globals) {
  if (globals.server_version < 150000) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(absl::StrCat(
          "SELECT parname, ", PrivilegesColumn("paracl"),
          " FROM pg_catalog.pg_parameter_acl ORDER BY parname COLLATE \"C\"")));
  for (int row = 0; row < rows.rows(); ++row) {
    ParameterPrivileges parameter{.parameter = TextAt(rows, row, 0)};
    ASSIGN_OR_RETURN(Privileges privileges, ReadPrivileges(rows, row, 1));
    if (!privileges.has_value()) continue;
    for (Privilege& privilege : *privileges) {
      // Its own come with the list.
      if (privilege.grantee == globals.bootstrap_superuser) continue;
      parameter.privileges.push_back(std::move(privilege));
    }
    if (parameter.privileges.empty()) continue;
    globals.parameters.push_back(std::move(parameter));
  }
  return absl::OkStatus();
}

absl::Status ReadAll(PgConnection& connection, Verifiers verifiers,
                     Globals& globals) {
  RETURN_IF_ERROR(connection
                      .Exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
                            "SET LOCAL timezone = 'UTC'")
                      .status());
  if (verifiers == Verifiers::kRead) {
    ASSIGN_OR_RETURN(
        const std::string readable,
        connection.QueryValue("SELECT pg_catalog.has_table_privilege("
                              "'pg_catalog.pg_authid', 'SELECT')"));
    globals.verifiers_read = readable == "t";
  }
  RETURN_IF_ERROR(ReadRoles(connection, globals));
  RETURN_IF_ERROR(ReadMemberships(connection, globals));
  ASSIGN_OR_RETURN(std::vector<ServerSetting> settings,
                   ReadServerSettings(connection));
  for (ServerSetting& setting : settings) {
    if (!setting.database.empty()) continue;
    globals.settings.push_back(std::move(setting));
  }
  RETURN_IF_ERROR(ReadTablespaces(connection, globals));
  RETURN_IF_ERROR(ReadParameters(connection, globals));
  ASSIGN_OR_RETURN(const std::string labels,
                   connection.QueryValue(
                       "SELECT EXISTS (SELECT FROM pg_catalog.pg_shseclabel)"));
  globals.has_security_labels = labels == "t";
  return connection.Exec("COMMIT").status();
}

}  // namespace

const ServerRole* Globals::FindRole(absl::string_view name) const {
  const auto found = absl::c_find_if(
      roles, [&](const ServerRole& role) { return role.name == name; });
  return found == roles.end() ? nullptr : &*found;
}

const ServerTablespace* Globals::FindTablespace(absl::string_view name) const {
  const auto found = absl::c_find_if(
      tablespaces,
      [&](const ServerTablespace& one) { return one.name == name; });
  return found == tablespaces.end() ? nullptr : &*found;
}

bool Globals::HasRole(absl::string_view name) const {
  return FindRole(name) != nullptr ||
         absl::c_linear_search(reserved_roles, name);
}

absl::StatusOr<Globals> ReadGlobals(PgConnection& connection,
                                    Verifiers verifiers) {
  Globals globals;
  globals.server_version = connection.server_version();
  const absl::Status read = ReadAll(connection, verifiers, globals);
  if (read.ok()) return globals;
  if (!connection.broken() && connection.in_transaction()) {
    RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
  }
  return read;
}

}  // namespace walferry
