#include "engine/server/unused_database.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Catalogs of what can be created in a database by itself, without what comes
// with something else, or needs it, as user mappings need a server (and may be
// read by superusers only). pg_largeobject_metadata's OIDs are the users' own.
constexpr absl::string_view kCatalogs[] = {
    "pg_cast",           "pg_class",
    "pg_collation",      "pg_conversion",
    "pg_default_acl",    "pg_event_trigger",
    "pg_extension",      "pg_foreign_data_wrapper",
    "pg_foreign_server", "pg_language",
    "pg_namespace",      "pg_opclass",
    "pg_operator",       "pg_opfamily",
    "pg_proc",           "pg_publication",
    "pg_transform",      "pg_ts_config",
    "pg_ts_dict",        "pg_ts_parser",
    "pg_ts_template",    "pg_type",
};

// The first OID that is not given by initdb (FirstNormalObjectId).
constexpr int kFirstNormalOid = 16384;

}  // namespace

absl::StatusOr<bool> IsUnused(PgConnection& connection) {
  std::vector<std::string> used = {
      "EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)"};
  for (const absl::string_view catalog : kCatalogs) {
    used.push_back(absl::StrCat("EXISTS (SELECT FROM pg_catalog.", catalog,
                                " WHERE oid >= ", kFirstNormalOid, ")"));
  }
  ASSIGN_OR_RETURN(const std::string any,
                   connection.QueryValue(
                       absl::StrCat("SELECT ", absl::StrJoin(used, " OR "))));
  return any == "f";
}

}  // namespace walferry
