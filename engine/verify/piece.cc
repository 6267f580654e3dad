#include "engine/verify/piece.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "engine/verify/both_sides.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string DigestSql(const TablePair& table, const TableSide& side,
                      const Piece& piece, absl::string_view condition,
                      const RowLook& look) {
  const std::string rows =
      absl::StrCat(" FROM ", side.from, WhereSql(table, condition));
  if (look.count_only) {
    return absl::StrCat(PlannerSql(piece), "SELECT count(*), 0, count(*)",
                        rows);
  }
  // OFFSET 0 keeps the planner from computing each hash twice.
  return absl::StrCat(
      PlannerSql(piece),
      "SELECT count(*), coalesce(sum(r.hash), 0), count(r.hash) FROM (SELECT ",
      RowHashSql(look.hash, side), " AS hash", rows, " OFFSET 0) r");
}

absl::StatusOr<Digest> ReadDigest(const TablePair& table,
                                  absl::string_view side,
                                  const PgResult& result) {
  Digest digest;
  ASSIGN_OR_RETURN(digest.rows, result.Int64(0, 0));
  ASSIGN_OR_RETURN(digest.sum, ParseSum(result.Text(0, 1)));
  ASSIGN_OR_RETURN(const int64_t hashed, result.Int64(0, 2));
  // sum() passes NULLs over, and what differs in such rows with them.
  if (hashed != digest.rows) {
    return absl::InternalError(absl::StrCat(
        side, ": table ", ToDisplay(table.name), ": ", digest.rows - hashed,
        " of ", digest.rows, " rows have no hash"));
  }
  return digest;
}

}  // namespace

std::string PlannerSql(const Piece& piece) {
  // Without statistics the planner would read the whole table for a range.
  return absl::StrCat("SET enable_seqscan = ", piece.by_index ? "off" : "on",
                      ";");
}

std::string WhereSql(const TablePair& table, absl::string_view condition,
                     absl::string_view more) {
  std::vector<std::string> conditions;
  for (const absl::string_view each :
       {absl::string_view(table.condition), condition, more}) {
    if (!each.empty()) conditions.push_back(absl::StrCat("(", each, ")"));
  }
  if (conditions.empty()) return "";
  return absl::StrCat(" WHERE ", absl::StrJoin(conditions, " AND "));
}

absl::StatusOr<absl::int128> ParseSum(absl::string_view text) {
  absl::string_view digits = text;
  const bool negative = absl::ConsumePrefix(&digits, "-");
  absl::int128 sum = 0;
  for (const char digit : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(digit))) {
      return absl::InternalError(absl::StrCat("no sum of hashes: ", text));
    }
    sum = sum * 10 + (digit - '0');
  }
  if (digits.empty()) return absl::InternalError("an empty sum of hashes");
  return negative ? -sum : sum;
}

absl::StatusOr<DigestPair> DigestPiece(SessionPair& sessions,
                                       const TablePair& table,
                                       const Piece& piece,
                                       const RowLook& look) {
  ASSIGN_OR_RETURN(
      const BothAnswers answers,
      AskBoth(
          sessions,
          DigestSql(table, table.source, piece, piece.source_condition, look),
          DigestSql(table, table.target, piece, piece.target_condition, look)));
  DigestPair pair;
  ASSIGN_OR_RETURN(pair.source, ReadDigest(table, "source", answers.source));
  ASSIGN_OR_RETURN(pair.target, ReadDigest(table, "target", answers.target));
  return pair;
}

}  // namespace walferry
