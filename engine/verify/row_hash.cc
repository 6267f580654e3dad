#include "engine/verify/row_hash.h"

#include "absl/strings/substitute.h"
#include "engine/verify/both_sides.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kProbe[] =
    "SELECT hashtextextended('walferry' COLLATE \"C\", 0)";
// What PostgreSQL 11 to 18 answer where the lower byte of a number comes first.
constexpr absl::string_view kProbeAnswer = "5930037128324856049";

constexpr int kSince11 = 110000;

}  // namespace

absl::string_view RowHashName(RowHash hash) {
  switch (hash) {
    case RowHash::kHashText:
      return "hashtextextended";
    case RowHash::kSha256:
      return "sha256";
    case RowHash::kMd5:
      return "md5";
  }
  return "";
}

absl::StatusOr<RowHash> ChooseRowHash(SessionPair& sessions) {
  if (sessions.source.server_version() < kSince11 ||
      sessions.target.server_version() < kSince11) {
    return RowHash::kMd5;
  }
  const std::string source = sessions.source.parameter("server_encoding");
  const std::string target = sessions.target.parameter("server_encoding");
  if (source != target && source != "SQL_ASCII" && target != "SQL_ASCII") {
    return RowHash::kSha256;
  }
  ASSIGN_OR_RETURN(const BothAnswers probe, AskBoth(sessions, kProbe, kProbe));
  return probe.source.Text(0, 0) == kProbeAnswer &&
                 probe.target.Text(0, 0) == kProbeAnswer
             ? RowHash::kHashText
             : RowHash::kSha256;
}

std::string HashSql(RowHash hash, absl::string_view text,
                    absl::string_view seed) {
  switch (hash) {
    case RowHash::kHashText:
      return absl::Substitute("hashtextextended($0 COLLATE \"C\", $1)", text,
                              seed);
    case RowHash::kSha256:
      return absl::Substitute(
          "('x' || encode(substring(sha256(convert_to($0, 'UTF8')) FROM 1 FOR "
          "8), 'hex'))::bit(64)::bigint",
          text);
    case RowHash::kMd5:
      return absl::Substitute(
          "('x' || left(md5(convert_to($0, 'UTF8')), 16))::bit(64)::bigint",
          text);
  }
  return "";
}

}  // namespace walferry
