#include "engine/connect/old_servers.h"

namespace walferry {

absl::string_view GeneratedSql(int server_version) {
  return server_version >= 120000 ? "a.attgenerated" : "''::\"char\"";
}

absl::string_view KeyColumnsSql(int server_version) {
  return server_version >= 110000 ? "i.indnkeyatts" : "i.indnatts";
}

absl::string_view NotInheritedSql(int server_version) {
  return server_version >= 110000 ? "k.conparentid = 0" : "true";
}

absl::string_view ParentConstraintSql(int server_version) {
  return server_version >= 110000 ? "k.conparentid" : "0::oid";
}

absl::string_view RoutineKindSql(int server_version) {
  return server_version >= 110000 ? "p.prokind"
                                  : "CASE WHEN p.proisagg THEN 'a' ELSE 'f' "
                                    "END";
}

absl::string_view TableMethodSql(int server_version) {
  return server_version >= 120000 ? "m.amname" : "'heap'";
}

absl::string_view WaitStartSql(int server_version) {
  return server_version >= 140000 ? "l.waitstart" : "NULL::timestamptz";
}

bool HasTidRangeScan(int server_version) { return server_version >= 140000; }

}  // namespace walferry
