#include "engine/server/globals_plan.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/server/membership_plan.h"
#include "engine/server/role_fate.h"
#include "engine/server/role_plan.h"
#include "engine/server/tablespace_plan.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

constexpr absl::string_view kIds[] = {
    "parameter-privilege", "role-attributes",    "role-exists",
    "role-kept",           "role-membership",    "role-password",
    "role-rights",         "role-setting",       "security-label",
    "tablespace-exists",   "tablespace-mapping", "tablespace-skipped",
};

void Append(std::string subject, std::string sql, GlobalsPlan& plan) {
  plan.statements.push_back(
      {.subject = std::move(subject), .sql = sql, .shown = sql});
}

// The target's setting of that name for the same role, or nullptr.
const ServerSetting* FindSetting(const Globals& target,
                                 const ServerSetting& setting) {
  const auto found =
      absl::c_find_if(target.settings, [&](const ServerSetting& other) {
        return other.role == setting.role && other.name == setting.name;
      });
  return found == target.settings.end() ? nullptr : &*found;
}

// Whether the plan has to make the setting. Of a role that is left the roles'
// part has told.
bool IsWanted(const ServerSetting& setting, const RoleFates& fates) {
  if (setting.role.empty()) return true;
  const RoleFate fate = fates.Of(setting.role);
  return fate == RoleFate::kCreated || fate == RoleFate::kAltered;
}

void PlanSettings(const GlobalsPlanInputs& inputs,
                  const GlobalsPlanOptions& options, const RoleFates& fates,
                  FindingList& findings, GlobalsPlan& plan) {
  for (const ServerSetting& setting : inputs.source.settings) {
    const ServerSetting* present = FindSetting(inputs.target, setting);
    if (!IsWanted(setting, fates) ||
        (present != nullptr && present->value == setting.value)) {
      continue;
    }
    const std::string subject = setting.role.empty()
                                    ? "every role"
                                    : absl::StrCat("role ", setting.role);
    const auto lookup = inputs.rights.Lookup(setting.name);
    if (lookup == TargetRights::Parameter::kUnknown) {
      findings.Acceptable({"role-setting", subject,
                           absl::StrCat("has ", setting.name,
                                        " set, which the target does not know"),
                           ""});
    } else if (lookup == TargetRights::Parameter::kDenied ||
               (setting.role.empty() && !inputs.rights.superuser)) {
      findings.Acceptable(
          {"role-setting", subject,
           absl::StrCat("has ", setting.name, " set, which role ",
                        inputs.rights.role,
                        " may not set for it on the target"),
           absl::StrCat("migrate as a superuser of the target, or let one run "
                        "afterwards: ",
                        AlterSql(setting))});
    } else if (setting.role.empty() && present != nullptr &&
               !options.update_existing) {
      findings.Warning({"role-exists", subject,
                        absl::StrCat("has ", setting.name,
                                     " set otherwise on the target, and that "
                                     "is left as it is"),
                        "--update-existing makes it as it is on the source"});
    } else {
      Append(subject, AlterSql(setting), plan);
    }
  }
}

bool Has(const Globals& target, const std::string& parameter,
         const Privilege& privilege) {
  return absl::c_any_of(
      target.parameters, [&](const ParameterPrivileges& other) {
        return other.parameter == parameter &&
               absl::c_any_of(other.privileges, [&](const Privilege& one) {
                 return one.grantee == privilege.grantee &&
                        one.names == privilege.names &&
                        one.grantable == privilege.grantable;
               });
      });
}

void PlanParameters(const GlobalsPlanInputs& inputs, const RoleFates& fates,
                    FindingList& findings, GlobalsPlan& plan) {
  for (const ParameterPrivileges& parameter : inputs.source.parameters) {
    const std::string subject = absl::StrCat("parameter ", parameter.parameter);
    std::vector<Privilege> missing;
    for (const Privilege& privilege : parameter.privileges) {
      if (Has(inputs.target, parameter.parameter, privilege)) continue;
      if (!privilege.grantee.empty() && !fates.Exists(privilege.grantee)) {
        continue;  // Its own role is told of.
      }
      missing.push_back(privilege);
    }
    if (missing.empty()) continue;
    const bool known = inputs.target.server_version >= 150000 &&
                       inputs.rights.Lookup(parameter.parameter) !=
                           TargetRights::Parameter::kUnknown;
    if (!known || !inputs.rights.superuser) {
      findings.Acceptable(
          {"parameter-privilege", subject,
           known
               ? absl::StrCat("roles have privileges on it, which role ",
                              inputs.rights.role, " may not give on the target")
               : "roles have privileges on it, which the target does not "
                 "know",
           ""});
      continue;
    }
    for (std::string& sql : GrantStatements(
             absl::StrCat("PARAMETER ", QuoteIdentifier(parameter.parameter)),
             inputs.source.bootstrap_superuser, missing)) {
      Append(subject, std::move(sql), plan);
    }
  }
}

}  // namespace

GlobalsPlan PlanGlobals(const GlobalsPlanInputs& inputs,
                        const GlobalsPlanOptions& options) {
  GlobalsPlan plan;
  FindingList findings;
  const RoleFates fates(inputs, options.update_existing);
  PlanRoles(inputs, options, fates, findings, plan);
  PlanMemberships(inputs, fates, findings, plan);
  PlanSettings(inputs, options, fates, findings, plan);
  PlanParameters(inputs, fates, findings, plan);
  PlanTablespaces(inputs, options, findings, plan);
  if (inputs.source.has_security_labels) {
    findings.Warning({"security-label", "source",
                      "roles, databases or tablespaces have security labels, "
                      "which are not carried",
                      "SELECT * FROM pg_shseclabel"});
  }
  plan.findings = findings.Take();
  return plan;
}

absl::Span<const absl::string_view> GlobalsFindingIds() { return kIds; }

}  // namespace walferry
