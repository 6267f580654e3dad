#include "engine/verify/table_hold.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "engine/verify/both_sides.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kObjectNotInPrerequisiteState[] = "55000";

// A statement that reads no row, rather than LOCK TABLE, which asks for rights
// on all columns. pg_class is read in the snapshot, what functions say of a
// table is of now.
std::string HoldSql(const TableSide& side) {
  std::string locks;
  std::vector<std::string> known;
  for (const TableSide::Storage& storage : side.storage) {
    const std::string name = Quote(storage.name);
    absl::StrAppend(&locks, "SELECT FROM ONLY ", name, " LIMIT 0;");
    known.push_back(
        absl::StrCat("(", storage.oid, "::oid, ", QuoteLiteral(name), ")"));
  }
  return absl::Substitute(
      "$0 SELECT min(k.name) FROM (VALUES $1) AS k (oid, name) WHERE NOT "
      "EXISTS (SELECT FROM pg_class c WHERE c.oid = k.oid AND c.relfilenode = "
      "pg_relation_filenode(c.oid) AND c.oid = to_regclass(k.name))",
      locks, absl::StrJoin(known, ", "));
}

absl::Status Unchanged(absl::string_view side, const PgResult& changed) {
  if (changed.IsNull(0, 0)) return absl::OkStatus();
  return WithSqlState(
      absl::AbortedError(absl::StrCat(
          side, ": table ", changed.Text(0, 0),
          " was truncated or written anew after the snapshot was taken, which "
          "may not show its rows any more: compare it again")),
      kObjectNotInPrerequisiteState);
}

}  // namespace

absl::Status HoldTable(SessionPair& sessions, const TablePair& table) {
  if (table.source.storage.empty() || table.target.storage.empty()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const BothAnswers changed,
      AskBoth(sessions, HoldSql(table.source), HoldSql(table.target)));
  RETURN_IF_ERROR(Unchanged("source", changed.source));
  return Unchanged("target", changed.target);
}

}  // namespace walferry
