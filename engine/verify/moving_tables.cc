#include "engine/verify/moving_tables.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/verify/both_sides.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// The catalog's row is the snapshot's, the function knows the present.
std::string OtherFilesSql(const TableSide& side) {
  std::vector<std::string> oids;
  for (const absl::string_view file :
       absl::StrSplit(side.files, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(file, absl::MaxSplits('/', 1));
    oids.emplace_back(parts.first);
  }
  return absl::StrCat(
      "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = ANY ('{",
      absl::StrJoin(oids, ","),
      "}'::oid[]) AND relfilenode IS DISTINCT FROM "
      "pg_catalog.pg_relation_filenode(oid)");
}

}  // namespace

absl::Status SetSavepoints(SessionPair& sessions) {
  const std::string sql = "SAVEPOINT walferry_piece";
  return AskBoth(sessions, sql, sql).status();
}

absl::Status GoBackToSavepoints(SessionPair& sessions) {
  const std::string sql = "ROLLBACK TO SAVEPOINT walferry_piece";
  return AskBoth(sessions, sql, sql).status();
}

absl::StatusOr<bool> WereWrittenAnew(SessionPair& sessions,
                                     const TablePair& table) {
  ASSIGN_OR_RETURN(const BothAnswers others,
                   AskBoth(sessions, OtherFilesSql(table.source),
                           OtherFilesSql(table.target)));
  return others.source.Text(0, 0) != "0" || others.target.Text(0, 0) != "0";
}

}  // namespace walferry
