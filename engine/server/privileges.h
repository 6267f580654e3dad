#ifndef ENGINE_SERVER_PRIVILEGES_H_
#define ENGINE_SERVER_PRIVILEGES_H_

// The privileges on a database, a tablespace or a parameter, and the statements
// that give the same ones again.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_result.h"

namespace walferry {

// What one role has given to another at once.
struct Privilege {
  std::string grantor;
  std::string grantee;  // "": PUBLIC.
  std::string names;    // "CREATE, CONNECT".
  bool grantable = false;

  friend bool operator==(const Privilege&, const Privilege&) = default;
};

// nullopt: nobody has changed what every object of the kind begins with.
using Privileges = std::optional<std::vector<Privilege>>;

// SQL for a column that ReadPrivileges reads: one line for each privilege.
std::string PrivilegesColumn(absl::string_view acl);
// kInternal: the column is of another form, as where a role's name holds the
// bytes that divide it.
absl::StatusOr<Privileges> ReadPrivileges(const PgResult& rows, int row,
                                          int column);

// `object` as in GRANT ... ON: `DATABASE "x"`. In an order in which whoever
// gives a privilege has it. Each is one message to the server, and so one
// transaction: what is given by another than the owner is given as that role.
std::vector<std::string> GrantStatements(
    absl::string_view object, absl::string_view owner,
    const std::vector<Privilege>& privileges);

// Takes away what the object begins with before that.
std::vector<std::string> PrivilegeStatements(absl::string_view object,
                                             absl::string_view owner,
                                             const Privileges& privileges);

}  // namespace walferry

#endif  // ENGINE_SERVER_PRIVILEGES_H_
