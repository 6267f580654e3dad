#include "engine/server/privileges.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

constexpr char kFieldEnd = '\x01';
constexpr char kLineEnd = '\x02';

// "CREATE, ALTER SYSTEM".
bool IsOfAPrivilege(char byte) {
  return absl::ascii_isupper(static_cast<unsigned char>(byte)) || byte == ' ' ||
         byte == ',';
}

std::string Grantee(const std::string& role) {
  return role.empty() ? "PUBLIC" : QuoteIdentifier(role);
}

std::string GrantSql(absl::string_view object, const Privilege& privilege) {
  return absl::StrCat("GRANT ", privilege.names, " ON ", object, " TO ",
                      Grantee(privilege.grantee),
                      privilege.grantable ? " WITH GRANT OPTION" : "");
}

}  // namespace

std::string PrivilegesColumn(absl::string_view acl) {
  // Grouped by who gave what to whom, in the order of the list.
  return absl::Substitute(
      "CASE WHEN $0 IS NULL THEN NULL ELSE coalesce((SELECT "
      "pg_catalog.string_agg(g.line, E'\\x02' ORDER BY g.at) FROM (SELECT "
      "pg_catalog.min(a.at) AS at, pg_catalog.concat_ws(E'\\x01', "
      "giver.rolname, coalesce(taker.rolname, ''), "
      "pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.at), "
      "a.is_grantable) AS line FROM pg_catalog.aclexplode($0) WITH ORDINALITY "
      "AS a (grantor, grantee, privilege_type, is_grantable, at) JOIN "
      "pg_catalog.pg_roles giver ON giver.oid = a.grantor LEFT JOIN "
      "pg_catalog.pg_roles taker ON taker.oid = a.grantee WHERE a.grantee = 0 "
      "OR taker.oid IS NOT NULL GROUP BY giver.rolname, taker.rolname, "
      "a.is_grantable) g), '') END",
      acl);
}

absl::StatusOr<Privileges> ReadPrivileges(const PgResult& rows, int row,
                                          int column) {
  if (rows.IsNull(row, column)) return Privileges();
  std::vector<Privilege> privileges;
  for (const absl::string_view line :
       absl::StrSplit(rows.Text(row, column), kLineEnd, absl::SkipEmpty())) {
    std::vector<std::string> fields = absl::StrSplit(line, kFieldEnd);
    // They go into SQL as they are.
    if (fields.size() != 4 || fields[2].empty() ||
        !absl::c_all_of(fields[2], IsOfAPrivilege)) {
      return absl::InternalError(absl::StrCat(
          "privileges that cannot be read: \"", absl::CHexEscape(line), "\""));
    }
    privileges.push_back({.grantor = std::move(fields[0]),
                          .grantee = std::move(fields[1]),
                          .names = std::move(fields[2]),
                          .grantable = fields[3] == "t"});
  }
  return Privileges(std::move(privileges));
}

std::vector<std::string> GrantStatements(
    absl::string_view object, absl::string_view owner,
    const std::vector<Privilege>& privileges) {
  std::vector<std::string> statements;
  for (const Privilege& privilege : privileges) {
    const std::string grant = GrantSql(object, privilege);
    statements.push_back(privilege.grantor == owner
                             ? grant
                             : absl::StrCat("SET LOCAL ROLE ",
                                            QuoteIdentifier(privilege.grantor),
                                            "; ", grant, "; RESET ROLE"));
  }
  return statements;
}

std::vector<std::string> PrivilegeStatements(absl::string_view object,
                                             absl::string_view owner,
                                             const Privileges& privileges) {
  std::vector<std::string> statements;
  if (!privileges) return statements;
  statements.push_back(absl::StrCat("REVOKE ALL ON ", object, " FROM PUBLIC, ",
                                    QuoteIdentifier(owner)));
  for (std::string& grant : GrantStatements(object, owner, *privileges)) {
    statements.push_back(std::move(grant));
  }
  return statements;
}

}  // namespace walferry
