#include "engine/server/server_setting.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Those that PostgreSQL marks GUC_LIST_QUOTE; its pg_dump has the same list
// (variable_is_guc_list_quote), and no extension may add to it.
constexpr absl::string_view kListsOfNames[] = {
    "local_preload_libraries",  "search_path",      "session_preload_libraries",
    "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
};

// What stands between commas, without the double quotes around it.
std::vector<std::string> NamesOf(absl::string_view list) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (size_t at = 0; at < list.size(); ++at) {
    const char byte = list[at];
    if (byte == '"') {
      const bool doubled =
          quoted && at + 1 < list.size() && list[at + 1] == '"';
      if (doubled) {
        names.back() += '"';
        ++at;
      } else {
        quoted = !quoted;
      }
    } else if (byte == ',' && !quoted) {
      names.emplace_back();
    } else if (quoted ||
               !absl::ascii_isspace(static_cast<unsigned char>(byte))) {
      names.back() += byte;
    }
  }
  return names;
}

std::string ValueSql(const ServerSetting& setting) {
  if (!absl::c_linear_search(kListsOfNames,
                             absl::AsciiStrToLower(setting.name))) {
    return QuoteLiteral(setting.value);
  }
  return absl::StrJoin(NamesOf(setting.value), ", ",
                       [](std::string* out, const std::string& name) {
                         absl::StrAppend(out, QuoteLiteral(name));
                       });
}

std::string SubjectSql(const ServerSetting& setting) {
  if (setting.role.empty() && !setting.database.empty()) {
    return absl::StrCat("DATABASE ", QuoteIdentifier(setting.database));
  }
  return absl::StrCat(
      "ROLE ", setting.role.empty() ? "ALL" : QuoteIdentifier(setting.role),
      setting.database.empty()
          ? ""
          : absl::StrCat(" IN DATABASE ", QuoteIdentifier(setting.database)));
}

}  // namespace

absl::StatusOr<std::vector<ServerSetting>> ReadServerSettings(
    PgConnection& connection) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(
          "SELECT coalesce(r.rolname, ''), coalesce(d.datname, ''), "
          "pg_catalog.split_part(c.line, '=', 1), pg_catalog.substr(c.line, "
          "pg_catalog.strpos(c.line, '=') + 1) FROM "
          "pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_roles r ON "
          "r.oid = s.setrole LEFT JOIN pg_catalog.pg_database d ON d.oid = "
          "s.setdatabase, unnest(s.setconfig) WITH ORDINALITY AS c (line, at) "
          "WHERE (s.setrole = 0 OR r.oid IS NOT NULL) AND (s.setdatabase = 0 "
          "OR d.oid IS NOT NULL) ORDER BY r.rolname NULLS FIRST, d.datname "
          "NULLS FIRST, c.at"));
  std::vector<ServerSetting> settings;
  for (int row = 0; row < rows.rows(); ++row) {
    settings.push_back({.role = std::string(rows.Text(row, 0)),
                        .database = std::string(rows.Text(row, 1)),
                        .name = std::string(rows.Text(row, 2)),
                        .value = std::string(rows.Text(row, 3))});
  }
  return settings;
}

std::string AlterSql(const ServerSetting& setting) {
  return absl::StrCat("ALTER ", SubjectSql(setting), " SET ",
                      QuoteIdentifier(setting.name), " TO ", ValueSql(setting));
}

}  // namespace walferry
