#include "engine/connect/server_identity.h"

#include "protocol/status.h"

namespace walferry {

absl::StatusOr<std::string> SystemIdentifierOf(PgConnection& connection) {
  ASSIGN_OR_RETURN(
      const std::string may_know,
      connection.QueryValue("SELECT pg_catalog.has_function_privilege("
                            "'pg_catalog.pg_control_system()', 'EXECUTE')"));
  if (may_know == "f") return "";
  return connection.QueryValue(
      "SELECT system_identifier FROM pg_catalog.pg_control_system()");
}

absl::StatusOr<ServerIdentity> IdentifyServer(PgConnection& connection) {
  ASSIGN_OR_RETURN(
      const PgResult row,
      connection.Exec("SELECT pg_catalog.pg_postmaster_start_time()"
                      " AT TIME ZONE 'UTC',"
                      " pg_catalog.current_database(),"
                      " coalesce(pg_catalog.host(pg_catalog.inet_server_addr())"
                      " || ':' || pg_catalog.inet_server_port(),"
                      " 'a local socket'), pg_catalog.pg_backend_pid()"));
  ServerIdentity identity{.started = std::string(row.Text(0, 0)),
                          .dbname = std::string(row.Text(0, 1)),
                          .address = std::string(row.Text(0, 2)),
                          .backend_pid = std::string(row.Text(0, 3))};
  ASSIGN_OR_RETURN(identity.system_identifier, SystemIdentifierOf(connection));
  return identity;
}

bool SameServer(const ServerIdentity& a, const ServerIdentity& b) {
  const bool ids_differ = !a.system_identifier.empty() &&
                          !b.system_identifier.empty() &&
                          a.system_identifier != b.system_identifier;
  return a.started == b.started && !ids_differ;
}

bool SameDatabase(const ServerIdentity& a, const ServerIdentity& b) {
  return SameServer(a, b) && a.dbname == b.dbname;
}

}  // namespace walferry
