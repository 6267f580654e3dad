#include "engine/server/target_rights.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

TargetRights::Parameter TargetRights::Lookup(
    absl::string_view parameter) const {
  const auto found = parameters.find(absl::AsciiStrToLower(parameter));
  if (found != parameters.end()) {
    return found->second ? Parameter::kSettable : Parameter::kDenied;
  }
  if (parameter.find('.') == absl::string_view::npos) {
    return Parameter::kUnknown;
  }
  return superuser ? Parameter::kSettable : Parameter::kDenied;
}

absl::StatusOr<TargetRights> ReadTargetRights(PgConnection& target) {
  TargetRights rights;
  ASSIGN_OR_RETURN(
      const PgResult role,
      target.Exec("SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, "
                  "rolreplication, rolbypassrls FROM pg_catalog.pg_roles WHERE "
                  "rolname = current_user"));
  if (role.rows() != 1) {
    return absl::InternalError("target: current_user is not in pg_roles");
  }
  rights.role = std::string(role.Text(0, 0));
  rights.superuser = role.Bool(0, 1);
  rights.create_role = rights.superuser || role.Bool(0, 2);
  rights.create_db = rights.superuser || role.Bool(0, 3);
  rights.replication = rights.superuser || role.Bool(0, 4);
  rights.bypass_rls = rights.superuser || role.Bool(0, 5);
  const absl::string_view granted =
      target.server_version() >= 150000
          ? "pg_catalog.has_parameter_privilege(name, 'SET')"
          : "false";
  ASSIGN_OR_RETURN(
      const PgResult parameters,
      target.Exec(absl::StrCat(
          "SELECT pg_catalog.lower(name), context IN ('user', 'backend') OR ",
          rights.superuser ? "true" : granted,
          " FROM pg_catalog.pg_settings")));
  for (int row = 0; row < parameters.rows(); ++row) {
    rights.parameters[std::string(parameters.Text(row, 0))] =
        parameters.Bool(row, 1);
  }
  return rights;
}

absl::StatusOr<absl::flat_hash_set<std::string>> ExistingDirectories(
    PgConnection& target, const TargetRights& rights,
    const std::vector<std::string>& directories) {
  absl::flat_hash_set<std::string> found;
  if (!rights.superuser || directories.empty()) return found;
  ASSIGN_OR_RETURN(
      const PgResult rows,
      target.Exec(absl::StrCat(
          "SELECT path FROM unnest(", QuoteTextArray(directories),
          ") AS path WHERE (pg_catalog.pg_stat_file(path, true)).isdir")));
  for (int row = 0; row < rows.rows(); ++row) {
    found.emplace(rows.Text(row, 0));
  }
  return found;
}

}  // namespace walferry
