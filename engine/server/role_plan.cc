#include "engine/server/role_plan.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

struct Attribute {
  absl::string_view on;
  absl::string_view off;
  bool ServerRole::*value;
};

constexpr Attribute kAttributes[] = {
    {"SUPERUSER", "NOSUPERUSER", &ServerRole::superuser},
    {"INHERIT", "NOINHERIT", &ServerRole::inherit},
    {"CREATEROLE", "NOCREATEROLE", &ServerRole::create_role},
    {"CREATEDB", "NOCREATEDB", &ServerRole::create_db},
    {"LOGIN", "NOLOGIN", &ServerRole::login},
    {"REPLICATION", "NOREPLICATION", &ServerRole::replication},
    {"BYPASSRLS", "NOBYPASSRLS", &ServerRole::bypass_rls},
};

// What has to be said of `wanted` where a role is like `present` already. A
// new role is like ServerRole(); saying more than needed may be refused.
std::vector<std::string> AttributeClauses(const ServerRole& wanted,
                                          const ServerRole& present) {
  std::vector<std::string> clauses;
  for (const Attribute& attribute : kAttributes) {
    const bool value = wanted.*attribute.value;
    if (value == present.*attribute.value) continue;
    clauses.emplace_back(value ? attribute.on : attribute.off);
  }
  if (wanted.connection_limit != present.connection_limit) {
    clauses.push_back(
        absl::StrCat("CONNECTION LIMIT ", wanted.connection_limit));
  }
  if (wanted.valid_until != present.valid_until) {
    clauses.push_back(absl::StrCat(
        "VALID UNTIL ",
        QuoteLiteral(wanted.valid_until.empty() ? "infinity"
                                                : wanted.valid_until)));
  }
  return clauses;
}

// Its settings for every database, without the role's name.
std::vector<ServerSetting> SettingsOf(const Globals& globals,
                                      absl::string_view role) {
  std::vector<ServerSetting> settings;
  for (const ServerSetting& setting : globals.settings) {
    if (setting.role == role) settings.push_back(setting);
  }
  return settings;
}

class RolePlanner {
 public:
  RolePlanner(const GlobalsPlanInputs& inputs,
              const GlobalsPlanOptions& options, const RoleFates& fates,
              FindingList& findings, GlobalsPlan& plan)
      : inputs_(inputs),
        options_(options),
        fates_(fates),
        findings_(findings),
        plan_(plan) {}

  void Plan() {
    for (const ServerRole& role : inputs_.source.roles) PlanOne(role);
    TellRights();
    TellLikewise();
    TellPasswords();
  }

 private:
  void PlanOne(const ServerRole& role) {
    switch (fates_.Of(role.name)) {
      case RoleFate::kCreated:
        Create(role);
        return;
      case RoleFate::kAltered:
        Alter(role, *inputs_.target.FindRole(role.name));
        return;
      case RoleFate::kLeft:
        Leave(role, *inputs_.target.FindRole(role.name));
        return;
      case RoleFate::kKept:
        Keep(role);
        return;
      case RoleFate::kAbsent:
        return;
    }
  }

  void Create(const ServerRole& role) {
    const ServerRole given = WithoutWhatCannotBeGiven(role, ServerRole());
    plan_.roles.push_back(role.name);
    AddRoleStatement("CREATE", role, AttributeClauses(given, ServerRole()));
    if (!role.comment.empty()) AddComment(role);
  }

  void Alter(const ServerRole& role, const ServerRole& present) {
    if (!fates_.MayAdminister(role.name)) {
      findings_.Acceptable(
          {"role-exists", Subject(role.name),
           absl::StrCat("exists on the target, and role ", inputs_.rights.role,
                        " may not alter it"),
           "migrate as a superuser of the target"});
      return;
    }
    const ServerRole given = WithoutWhatCannotBeGiven(role, present);
    AddRoleStatement("ALTER", role, AttributeClauses(given, present));
    if (role.comment != present.comment) AddComment(role);
  }

  void Leave(const ServerRole& role, const ServerRole& present) {
    const std::vector<std::string> differences = Differences(role, present);
    if (differences.empty()) {
      alike_.push_back(role.name);
      return;
    }
    findings_.Warning(
        {"role-exists", Subject(role.name),
         absl::StrCat("exists on the target and is left as it is; on the "
                      "source it differs: ",
                      absl::StrJoin(differences, ", ")),
         "--update-existing makes it as it is on the source"});
  }

  void Keep(const ServerRole& role) {
    findings_.Info(
        {"role-kept", Subject(role.name),
         role.name == inputs_.rights.role
             ? "migrates, so it is left as it is on the target"
             : "is the superuser that the target began with, so it is left as "
               "it is there",
         ""});
  }

  std::vector<std::string> Differences(const ServerRole& role,
                                       const ServerRole& present) const {
    std::vector<std::string> differences = AttributeClauses(role, present);
    if (role.comment != present.comment) differences.emplace_back("comment");
    if (SettingsOf(inputs_.source, role.name) !=
        SettingsOf(inputs_.target, role.name)) {
      differences.emplace_back("settings");
    }
    return differences;
  }

  // What may not be given stays as it is.
  ServerRole WithoutWhatCannotBeGiven(const ServerRole& role,
                                      const ServerRole& present) {
    const TargetRights& rights = inputs_.rights;
    ServerRole given = role;
    // From PostgreSQL 16 on who creates roles gives what he has himself.
    const bool own = inputs_.target.server_version >= 160000;
    if (!rights.superuser) given.superuser = present.superuser;
    if (!(own ? rights.create_db : rights.create_role)) {
      given.create_db = present.create_db;
    }
    if (!(own ? rights.replication : rights.superuser)) {
      given.replication = present.replication;
    }
    if (!(own ? rights.bypass_rls : rights.superuser)) {
      given.bypass_rls = present.bypass_rls;
    }
    const std::vector<std::string> lost = AttributeClauses(role, given);
    // Who may create no roles at all is told so once.
    if (!lost.empty() && rights.create_role) {
      findings_.Acceptable(
          {"role-attributes", Subject(role.name),
           absl::StrCat("is ", absl::StrJoin(lost, ", "),
                        " on the source, which role ", rights.role,
                        " may not give on the target"),
           absl::StrCat("migrate as a superuser of the target, or let one run "
                        "afterwards: ALTER ROLE ",
                        QuoteIdentifier(role.name), " ",
                        absl::StrJoin(lost, " "))});
    }
    return given;
  }

  void AddRoleStatement(absl::string_view verb, const ServerRole& role,
                        const std::vector<std::string>& clauses) {
    const bool with_password = options_.passwords && role.verifier.has_value();
    if (role.login && !with_password &&
        !(options_.passwords && inputs_.source.verifiers_read)) {
      plan_.roles_without_password.push_back(role.name);
    }
    if (verb == "ALTER" && clauses.empty() && !with_password) return;
    const std::string sql =
        absl::StrCat(verb, " ROLE ", QuoteIdentifier(role.name),
                     clauses.empty() ? "" : " ", absl::StrJoin(clauses, " "));
    GlobalStatement statement{
        .subject = Subject(role.name), .sql = sql, .shown = sql};
    if (with_password) {
      absl::StrAppend(&statement.sql, " PASSWORD ",
                      QuoteLiteral(*role.verifier));
      absl::StrAppend(&statement.shown, " PASSWORD '***'");
    }
    plan_.statements.push_back(std::move(statement));
  }

  void AddComment(const ServerRole& role) {
    const std::string sql = absl::StrCat(
        "COMMENT ON ROLE ", QuoteIdentifier(role.name), " IS ",
        role.comment.empty() ? "NULL" : QuoteLiteral(role.comment));
    plan_.statements.push_back(
        {.subject = Subject(role.name), .sql = sql, .shown = sql});
  }

  void TellRights() {
    if (plan_.roles.empty() || inputs_.rights.create_role) return;
    findings_.Blocking(
        {"role-rights", "target",
         absl::StrCat("role ", inputs_.rights.role,
                      " may not create roles, and the target lacks ",
                      CountOf(static_cast<int64_t>(plan_.roles.size()), "role"),
                      ": ", NameSome(plan_.roles)),
         absl::StrCat("ALTER ROLE ", QuoteIdentifier(inputs_.rights.role),
                      " CREATEROLE")});
  }

  void TellLikewise() {
    if (alike_.empty()) return;
    findings_.Info(
        {"role-exists", "target",
         absl::StrCat(CountOf(static_cast<int64_t>(alike_.size()), "role"),
                      " as on the source (passwords are not "
                      "compared): ",
                      NameSome(alike_)),
         ""});
  }

  // All of them: somebody has to set each.
  void TellPasswords() {
    if (plan_.roles_without_password.empty()) return;
    findings_.Warning(
        {"role-password", "source",
         absl::StrCat(options_.passwords ? "the role may not read pg_authid"
                                         : "passwords are left out",
                      ", so these roles come without a password: ",
                      absl::StrJoin(plan_.roles_without_password, ", ")),
         "set their passwords on the target"});
  }

  static std::string Subject(const std::string& name) {
    return absl::StrCat("role ", name);
  }

  const GlobalsPlanInputs& inputs_;
  const GlobalsPlanOptions& options_;
  const RoleFates& fates_;
  FindingList& findings_;
  GlobalsPlan& plan_;
  std::vector<std::string> alike_;
};

}  // namespace

void PlanRoles(const GlobalsPlanInputs& inputs,
               const GlobalsPlanOptions& options, const RoleFates& fates,
               FindingList& findings, GlobalsPlan& plan) {
  RolePlanner(inputs, options, fates, findings, plan).Plan();
}

}  // namespace walferry
