// Checks: the roles that objects on the target will belong to, be granted to,
// and be written by.

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Schema public's own row, whether or not it exists.
constexpr char kInitdb[] =
    "coalesce(o.schema, 0) = coalesce(to_regnamespace('public')::oid, 1)";

// Roles that own something in scope, are granted something, are named by a
// policy, or have default privileges: name and which of the four. What initdb
// gave away to its own roles in schema public (10: the first superuser, 6171:
// pg_database_owner), pg_dump leaves out. Where nothing is created only large
// objects bring their owners.
std::string RolesSql(const CheckContext& check) {
  const bool creates = check.options.scope.carries_schema();
  const std::string schemas = absl::StrCat(
      "SELECT oid FROM pg_namespace WHERE nspname = ANY (",
      QuoteTextArray(creates ? check.schemas : std::vector<std::string>()),
      ")");
  const std::string relations = RelationOids(check, creates ? "rpvmfS" : "");
  const absl::string_view defaults =
      creates ? "pg_default_acl" : "(SELECT * FROM pg_default_acl LIMIT 0)";
  const auto own = [](absl::string_view catalog) {
    return absl::StrCat(
        " AND NOT EXISTS (SELECT FROM pg_depend d"
        " WHERE d.deptype = 'e' AND d.classid = '",
        catalog, "'::regclass AND d.objid = o.oid)");
  };
  return absl::StrCat(
      "WITH owned (role, schema, acl) AS ("
      "SELECT relowner, NULL::oid, relacl FROM pg_class WHERE oid = ANY (",
      relations,
      ") UNION ALL SELECT nspowner, oid, nspacl FROM pg_namespace"
      " WHERE oid IN (",
      schemas,
      ") UNION ALL SELECT proowner, NULL, proacl FROM pg_proc o"
      " WHERE pronamespace IN (",
      schemas, ")", own("pg_proc"),
      " UNION ALL SELECT typowner, NULL, typacl FROM pg_type o"
      " WHERE typtype IN ('d', 'e', 'r') AND typnamespace IN (",
      schemas, ")", own("pg_type"),
      CarriesLargeObjects(check.options)
          ? " UNION ALL SELECT lomowner, NULL, lomacl FROM "
            "pg_largeobject_metadata"
          : "",
      "), granted (role) AS ("
      "SELECT a.grantee FROM owned o CROSS JOIN aclexplode(o.acl) a"
      " WHERE a.grantee <> o.role AND NOT (",
      kInitdb,
      " AND a.grantee IN (10, 6171))"
      " UNION SELECT a.grantee FROM pg_attribute t"
      " CROSS JOIN aclexplode(t.attacl) a WHERE t.attrelid = ANY (",
      relations, ") UNION SELECT a.grantee FROM ", defaults,
      " d CROSS JOIN aclexplode(d.defaclacl) a"
      " WHERE a.grantee <> d.defaclrole),"
      " uses (role, what) AS ("
      "SELECT role, 'owner' FROM owned o WHERE NOT (",
      kInitdb,
      " AND role IN (10, 6171))"
      " UNION SELECT role, 'grantee' FROM granted"
      " UNION SELECT unnest(polroles), 'policy' FROM pg_policy"
      " WHERE polrelid = ANY (",
      relations, ") UNION SELECT defaclrole, 'creator' FROM ", defaults,
      " d WHERE defaclnamespace = 0 OR defaclnamespace IN (", schemas,
      ")) SELECT r.rolname, bool_or(u.what = 'owner'),"
      " bool_or(u.what = 'grantee'), bool_or(u.what = 'policy'),"
      " bool_or(u.what = 'creator')"
      " FROM uses u JOIN pg_roles r ON r.oid = u.role"
      " GROUP BY 1 ORDER BY 1");
}

struct NeededRoles {
  std::vector<std::string> owners;
  std::vector<std::string> grantees;
  std::vector<std::string> in_policies;
  std::vector<std::string> creators;  // Whose objects get default privileges.
};

absl::StatusOr<NeededRoles> ReadNeededRoles(CheckContext& check) {
  ASSIGN_OR_RETURN(const PgResult rows, check.source.Exec(RolesSql(check)));
  NeededRoles roles;
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string name(rows.Text(row, 0));
    if (rows.Bool(row, 1) && !check.options.no_owner) {
      roles.owners.push_back(name);
    }
    if (rows.Bool(row, 2) && !check.options.no_acl) {
      roles.grantees.push_back(name);
    }
    if (rows.Bool(row, 3)) roles.in_policies.push_back(name);
    if (rows.Bool(row, 4) && !check.options.no_acl) {
      roles.creators.push_back(name);
    }
  }
  return roles;
}

using RoleSet = absl::flat_hash_set<std::string>;

absl::StatusOr<RoleSet> ReadTargetRoles(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   QueryColumn(check.target, "SELECT rolname FROM pg_roles"));
  return RoleSet(names.begin(), names.end());
}

// Adds a finding for each of `roles` that the target does not have.
bool AddMissing(CheckContext& check, const std::vector<std::string>& roles,
                const RoleSet& existing, absl::string_view need,
                absl::string_view way_out) {
  bool all_exist = true;
  for (const std::string& role : roles) {
    if (existing.contains(role) || check.roles_to_come.contains(role)) continue;
    all_exist = false;
    check.findings.Blocking(
        {"target-role", "target",
         absl::StrCat("role ", role, " does not exist: ", need),
         absl::StrCat("CREATE ROLE ", QuoteIdentifier(role),
                      "; or `walferry globals`, which brings all roles",
                      way_out.empty() ? "" : ";", way_out)});
  }
  return all_exist;
}

absl::Status CheckRolesExist(CheckContext& check) {
  ASSIGN_OR_RETURN(const NeededRoles needed, ReadNeededRoles(check));
  ASSIGN_OR_RETURN(const RoleSet existing, ReadTargetRoles(check));
  const bool owners =
      AddMissing(check, needed.owners, existing,
                 "it owns objects of the source", " or --no-owner");
  const bool grantees =
      AddMissing(check, needed.grantees, existing,
                 "objects of the source are granted to it", " or --no-acl");
  const bool policies = AddMissing(check, needed.in_policies, existing,
                                   "policies of the source name it", "");
  const bool creators = AddMissing(
      check, needed.creators, existing,
      "the source has default privileges for its objects", " or --no-acl");
  if (owners && grantees && policies && creators) {
    check.findings.Ok({"target-role", "target", "the roles exist"});
  }
  return absl::OkStatus();
}

// What comes before a test by doing that is about `role`. What rights its maker
// will have in one that is to come, only making it tells. nullopt: there is
// nothing to test, as the role is missing or may not be made, which is said
// elsewhere, or its maker may do everything.
absl::StatusOr<std::optional<std::string>> MakingSql(CheckContext& check,
                                                     const std::string& role,
                                                     const RoleSet& existing) {
  if (existing.contains(role)) return std::optional<std::string>("");
  if (check.target_superuser || !check.roles_to_come.contains(role)) {
    return std::optional<std::string>();
  }
  std::string making =
      absl::StrCat("CREATE ROLE ", QuoteIdentifier(role), "; ");
  const absl::Status made = Probe(check.target, making);
  if (made.ok()) return std::optional<std::string>(std::move(making));
  if (SqlStateOf(made).empty()) return made;
  return std::optional<std::string>();
}

// By doing. False, and a finding, if the role lacks the right.
absl::StatusOr<bool> MayAsMember(CheckContext& check, const std::string& role,
                                 const RoleSet& existing,
                                 const std::string& sql, absl::string_view need,
                                 absl::string_view way_out) {
  ASSIGN_OR_RETURN(const std::optional<std::string> making,
                   MakingSql(check, role, existing));
  if (!making) return true;
  const absl::Status tried = Probe(check.target, absl::StrCat(*making, sql));
  if (tried.ok()) return true;
  if (SqlStateOf(tried).empty()) return tried;
  const std::string text =
      absl::StrCat("the role is no member of ", role, " and cannot ", need);
  const std::string hint =
      absl::StrCat("GRANT ", QuoteIdentifier(role), " TO ",
                   QuoteIdentifier(check.target.user()), "; or ", way_out);
  if (making->empty()) {
    check.findings.Blocking({"target-membership", "target", text, hint});
  } else {
    // It may become one by roles that come with it.
    check.findings.Acceptable({"target-membership", "target", text,
                               absl::StrCat("once the role is there: ", hint)});
  }
  return false;
}

// Giving an object away takes the right to become its owner.
absl::Status CheckMemberships(CheckContext& check) {
  ASSIGN_OR_RETURN(const NeededRoles needed, ReadNeededRoles(check));
  ASSIGN_OR_RETURN(const RoleSet existing, ReadTargetRoles(check));
  bool may_all = true;
  for (const std::string& owner : needed.owners) {
    ASSIGN_OR_RETURN(
        const bool may,
        MayAsMember(check, owner, existing,
                    absl::StrCat("SET LOCAL ROLE ", QuoteIdentifier(owner)),
                    "give objects to it", "--no-owner"));
    may_all = may_all && may;
  }
  for (const std::string& creator : needed.creators) {
    ASSIGN_OR_RETURN(
        const bool may,
        MayAsMember(check, creator, existing,
                    absl::StrCat("ALTER DEFAULT PRIVILEGES FOR ROLE ",
                                 QuoteIdentifier(creator),
                                 " GRANT SELECT ON TABLES TO PUBLIC"),
                    "set its default privileges", "--no-acl"));
    may_all = may_all && may;
  }
  if (may_all) {
    check.findings.Ok({"target-membership", "target",
                       check.options.no_owner
                           ? "everything will belong to the role itself"
                           : "the role may give objects to their owners"});
  }
  return absl::OkStatus();
}

// Whether the role has the rights of one that owns a table.
absl::StatusOr<bool> ActsAs(CheckContext& check, const std::string& owner) {
  if (check.roles_to_come.contains(owner)) {
    const absl::Status tried = Probe(
        check.target, absl::StrCat("CREATE ROLE ", QuoteIdentifier(owner),
                                   "; SELECT 1 / pg_has_role(",
                                   QuoteLiteral(owner), ", 'USAGE')::int"));
    if (!tried.ok() && SqlStateOf(tried).empty()) return tried;
    return tried.ok();
  }
  ASSIGN_OR_RETURN(
      const std::vector<std::string> as_owner,
      QueryColumn(
          check.target,
          absl::StrCat("SELECT 1 FROM pg_roles WHERE rolname = ",
                       QuoteLiteral(owner), " AND pg_has_role(oid, 'USAGE')")));
  return !as_owner.empty();
}

// Policies must not stand between the applied changes and the rows.
absl::Status CheckTargetRowSecurity(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::string exempt,
      check.target.QueryValue("SELECT rolsuper OR rolbypassrls FROM pg_roles"
                              " WHERE rolname = current_user"));
  ASSIGN_OR_RETURN(const PgResult tables,
                   check.source.Exec(absl::StrCat(
                       "SELECT oid::regclass::text, relforcerowsecurity,"
                       " pg_get_userbyid(relowner) FROM pg_class"
                       " WHERE relrowsecurity AND oid = ANY (",
                       TableOids(check.catalog, IsPublished), ") ORDER BY 1")));
  std::vector<std::string> closed;
  for (int row = 0; exempt == "f" && row < tables.rows(); ++row) {
    bool closed_to_it = tables.Bool(row, 1);
    if (!closed_to_it && !check.options.no_owner) {
      ASSIGN_OR_RETURN(const bool as_owner,
                       ActsAs(check, std::string(tables.Text(row, 2))));
      closed_to_it = !as_owner;
    }
    if (closed_to_it) closed.emplace_back(tables.Text(row, 0));
  }
  if (closed.empty()) {
    check.findings.Ok({"target-row-security", "target",
                       "no policy will stand in the way of applied changes"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"target-row-security", "target",
       absl::StrCat("row-level security will keep the role from the rows of ",
                    NameSome(closed)),
       absl::StrCat("a superuser can: ALTER ROLE ",
                    QuoteIdentifier(check.target.user()), " BYPASSRLS;")});
  return absl::OkStatus();
}

absl::Status CheckSuperuser(CheckContext& check) {
  check.findings.Ok(
      {"target-superuser", "target",
       absl::StrCat("role ", check.target.user(),
                    check.target_superuser ? " is a superuser"
                                           : " is not a superuser")});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> TargetRoleChecks() {
  return {{"target-superuser", CheckSuperuser},
          {"target-role", CheckRolesExist},
          {"target-membership", CheckMemberships},
          {.id = "target-row-security",
           .run = CheckTargetRowSecurity,
           .creating_only = true}};
}

}  // namespace walferry
