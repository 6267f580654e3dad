#include "engine/schema/dump_connection.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protocol/conninfo_secrets.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// libpq reads a service file in lines of up to 1023 bytes.
constexpr size_t kLongestSecret = 900;

bool FitsServiceFile(const std::string& value) {
  return value.size() <= kLongestSecret &&
         value.find('\n') == std::string::npos &&
         absl::StripTrailingAsciiWhitespace(value).size() == value.size();
}

}  // namespace

absl::StatusOr<DumpConnection> ConnectionForDump(
    const std::string& source, absl::Duration connect_timeout) {
  ASSIGN_OR_RETURN(const ConnInfoParts parts, ParseConnInfo(source));
  DumpConnection connection;
  // The last one of a keyword counts: these yield to the operator's own.
  connection.conninfo = absl::StrCat(
      "keepalives_idle=30 keepalives_interval=10 keepalives_count=3 "
      "connect_timeout=",
      absl::ToInt64Seconds(absl::Ceil(connect_timeout, absl::Seconds(1))), " ",
      parts.without_password);
  if (!parts.password.empty()) {
    connection.environment.emplace_back("PGPASSWORD", parts.password);
  }
  ASSIGN_OR_RETURN(const auto secrets, OtherSecrets(source));
  if (secrets.empty()) return connection;
  connection.input = "[walferry]\n";
  for (const auto& [keyword, value] : secrets) {
    if (!FitsServiceFile(value)) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat(
              "the source's ", keyword, " cannot be handed on to pg_dump")),
          "it must be one line of at most 900 bytes without a space at its "
          "end");
    }
    absl::StrAppend(&connection.input, keyword, "=", value, "\n");
  }
  absl::StrAppend(&connection.conninfo, " service=walferry");
  connection.environment.emplace_back("PGSERVICEFILE", "/dev/stdin");
  return connection;
}

}  // namespace walferry
