#include "engine/server/target_databases.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kInvalidParameterValue = "22023";

absl::StatusOr<absl::flat_hash_set<std::string>> ReadNames(
    PgConnection& target, const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult rows, target.Exec(sql));
  absl::flat_hash_set<std::string> names;
  for (int row = 0; row < rows.rows(); ++row) names.emplace(rows.Text(row, 0));
  return names;
}

// Any category will do: a machine has a locale with all of them. This one may
// be set by everybody, and is asked of the operating system there and then,
// whatever the encoding of this database is.
absl::StatusOr<bool> HasLocale(PgConnection& target,
                               const std::string& locale) {
  const absl::Status tried =
      target
          .Exec(absl::StrCat("SELECT pg_catalog.set_config('lc_monetary', ",
                             QuoteLiteral(locale), ", true)"))
          .status();
  if (tried.ok()) return true;
  if (SqlStateOf(tried) == kInvalidParameterValue) return false;
  return tried;
}

absl::Status ReadLocales(PgConnection& target,
                         absl::Span<const ServerDatabase> wanted,
                         TargetDatabases& facts) {
  absl::flat_hash_set<std::string> asked;
  for (const ServerDatabase& database : wanted) {
    for (const std::string& locale : {database.collate, database.ctype}) {
      if (!asked.insert(locale).second) continue;
      ASSIGN_OR_RETURN(const bool has, HasLocale(target, locale));
      if (has) facts.locales.insert(locale);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadEncodings(PgConnection& target,
                           absl::Span<const ServerDatabase> wanted,
                           TargetDatabases& facts) {
  std::vector<std::string> names;
  for (const ServerDatabase& database : wanted) {
    names.push_back(database.encoding);
  }
  ASSIGN_OR_RETURN(
      facts.encodings,
      ReadNames(target,
                absl::StrCat("SELECT name FROM unnest(", QuoteTextArray(names),
                             ") AS name WHERE "
                             "pg_catalog.pg_char_to_encoding(name) >= 0")));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TargetDatabases> ReadTargetDatabases(
    PgConnection& target, absl::Span<const ServerDatabase> wanted) {
  TargetDatabases facts;
  facts.server_version = target.server_version();
  ASSIGN_OR_RETURN(facts.rights, ReadTargetRights(target));
  // initdb fills pg_collation with ICU's if the server has it.
  ASSIGN_OR_RETURN(
      const std::string icu,
      target.QueryValue("SELECT EXISTS (SELECT FROM pg_catalog.pg_collation "
                        "WHERE collprovider = 'i')"));
  facts.has_icu = icu == "t";
  ASSIGN_OR_RETURN(
      facts.databases,
      ReadNames(target, "SELECT datname FROM pg_catalog.pg_database"));
  ASSIGN_OR_RETURN(
      facts.tablespaces,
      ReadNames(target, "SELECT spcname FROM pg_catalog.pg_tablespace"));
  ASSIGN_OR_RETURN(
      facts.roles,
      ReadNames(target, "SELECT rolname FROM pg_catalog.pg_roles"));
  ASSIGN_OR_RETURN(
      facts.possible_owners,
      ReadNames(target,
                absl::StrCat("SELECT rolname FROM pg_catalog.pg_roles WHERE "
                             "pg_catalog.pg_has_role(oid, '",
                             facts.server_version >= 160000 ? "SET" : "MEMBER",
                             "')")));
  RETURN_IF_ERROR(ReadLocales(target, wanted, facts));
  RETURN_IF_ERROR(ReadEncodings(target, wanted, facts));
  return facts;
}

}  // namespace walferry
