#include "engine/connect/name_encoding.h"

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status Speak(PgConnection& connection, const std::string& encoding) {
  return connection
      .Exec(absl::StrCat("SET client_encoding = ", QuoteLiteral(encoding)))
      .status();
}

}  // namespace

std::string NameEncoding(const PgConnection& source,
                         const PgConnection& target) {
  const std::string encoding = source.parameter("server_encoding");
  return encoding == "SQL_ASCII" ? target.parameter("server_encoding")
                                 : encoding;
}

absl::Status SpeakNameEncoding(PgConnection& source, PgConnection& target) {
  RETURN_IF_ERROR(Speak(source, source.parameter("server_encoding")));
  return Speak(target, NameEncoding(source, target));
}

}  // namespace walferry
