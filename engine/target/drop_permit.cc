#include "engine/target/drop_permit.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/connect/server_identity.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What DROP DATABASE and CREATE DATABASE ask for.
constexpr char kPermit[] =
    "SELECT r.rolsuper OR r.rolcreatedb,"
    " pg_catalog.pg_has_role(d.datdba, 'USAGE'),"
    " pg_catalog.pg_get_userbyid(d.datdba),"
    " d.datistemplate,"
    " (SELECT pg_catalog.string_agg(s.slot_name, ', ' ORDER BY s.slot_name)"
    " FROM pg_catalog.pg_replication_slots s"
    " WHERE s.database = d.datname AND s.active),"
    " (SELECT pg_catalog.string_agg(s.subname, ', ' ORDER BY s.subname)"
    " FROM pg_catalog.pg_subscription s WHERE s.subdbid = d.oid),"
    " (SELECT pg_catalog.string_agg(x.gid, ', ' ORDER BY x.gid)"
    " FROM pg_catalog.pg_prepared_xacts x WHERE x.database = d.datname)"
    " FROM pg_catalog.pg_database d, pg_catalog.pg_roles r"
    " WHERE d.datname = pg_catalog.current_database()"
    " AND r.rolname = current_user";

absl::Status Refusal(absl::string_view what, absl::string_view hint) {
  return WithHint(absl::FailedPreconditionError(absl::StrCat("target: ", what)),
                  hint);
}

}  // namespace

absl::Status RefuseToDropOrigin(PgConnection& target,
                                const DataOrigin& origin) {
  if (target.dbname() != origin.dbname) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string system, SystemIdentifierOf(target));
  if (system.empty() || origin.system_identifier.empty()) {
    return Refusal(
        absl::StrCat("whether database ", origin.dbname,
                     " is the one that the data comes from cannot be told: a "
                     "role may not call pg_control_system()"),
        "GRANT EXECUTE ON FUNCTION pg_control_system() TO the roles of both "
        "servers, or drop and create the database yourself");
  }
  if (system != origin.system_identifier) return absl::OkStatus();
  return Refusal(
      absl::StrCat("database ", origin.dbname, " of system ", system,
                   " is the one that the data comes from, and is not dropped"),
      "name another target; to go back to an archive, restore it into a new "
      "database and rename both");
}

absl::Status CheckRecreatable(PgConnection& target) {
  const std::string dbname = target.dbname();
  ASSIGN_OR_RETURN(const PgResult permit, target.Exec(kPermit));
  if (permit.rows() != 1) {
    return absl::InternalError("target: a role or a database without a row");
  }
  if (!permit.Bool(0, 0)) {
    return Refusal(
        absl::StrCat("role ", target.user(), " may not create databases"),
        absl::StrCat("give it CREATEDB, or drop and create database ", dbname,
                     " yourself"));
  }
  if (!permit.Bool(0, 1)) {
    return Refusal(
        absl::StrCat("database ", dbname, " belongs to ", permit.Text(0, 2),
                     ", and role ", target.user(), " may not drop it"),
        absl::StrCat("GRANT ", QuoteIdentifier(permit.Text(0, 2)), " TO ",
                     QuoteIdentifier(target.user()),
                     ", or drop and create it yourself"));
  }
  if (permit.Bool(0, 3)) {
    return Refusal(
        absl::StrCat("database ", dbname,
                     " is a template, which cannot be dropped"),
        absl::StrCat("ALTER DATABASE ", QuoteIdentifier(dbname),
                     " IS_TEMPLATE false, or restore into another one"));
  }
  if (!permit.IsNull(0, 4)) {
    return Refusal(absl::StrCat("database ", dbname,
                                " has replication slots in use, so it cannot "
                                "be dropped: ",
                                permit.Text(0, 4)),
                   "end what reads from them");
  }
  if (!permit.IsNull(0, 5)) {
    return Refusal(absl::StrCat("database ", dbname,
                                " has subscriptions, so it cannot be "
                                "dropped: ",
                                permit.Text(0, 5)),
                   "DROP SUBSCRIPTION each of them there first");
  }
  if (!permit.IsNull(0, 6)) {
    return Refusal(absl::StrCat("database ", dbname,
                                " has prepared transactions, so it cannot be "
                                "dropped: ",
                                permit.Text(0, 6)),
                   "COMMIT PREPARED or ROLLBACK PREPARED each of them there");
  }
  return absl::OkStatus();
}

}  // namespace walferry
