#include "engine/verify/table_pieces.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr int kReadsBlockRanges = 140000;
constexpr int64_t kMostPieces = 100'000;
// Blocks of the sample for each piece, so that pieces are about as large.
constexpr double kSampledBlocks = 20;
// Between the place of a row and the rank of its key; 1 or -1: the same order.
constexpr double kMinCorrelation = 0.8;

// The last key of each of `pieces` parts of the sample, behind how well the
// keys' order is that on disk.
std::string SampleSql(const TablePair& table, int64_t pieces, double percent) {
  std::vector<std::string> aliases, orders;
  for (size_t i = 0; i < table.key.size(); ++i) {
    aliases.push_back(absl::StrCat(table.source.key[i], " AS k", i, ", ",
                                   table.source.key_texts[i], " AS t", i));
    orders.push_back(table.source.key[i]);
  }
  std::vector<std::string> texts;
  for (size_t i = 0; i < table.key.size(); ++i) {
    texts.push_back(absl::StrCat("t", i));
  }
  return absl::Substitute(
      "WITH s AS (SELECT $0, row_number() OVER (ORDER BY ctid) AS place, "
      "row_number() OVER (ORDER BY $1) AS rank, count(*) OVER () AS n FROM $2 "
      "TABLESAMPLE SYSTEM ($3) REPEATABLE (1)) SELECT (SELECT "
      "coalesce(abs(corr(place, rank)), 0) FROM s), $4 FROM s WHERE "
      "rank * $5 / n > (rank - 1) * $5 / n AND rank < n ORDER BY rank",
      absl::StrJoin(aliases, ", "), absl::StrJoin(orders, ", "),
      table.source.from, percent, absl::StrJoin(texts, ", "), pieces);
}

std::string KeyOf(const TablePair& table) {
  return absl::StrCat(
      "(",
      absl::StrJoin(table.key, ", ",
                    [](std::string* out, const std::string& name) {
                      out->append(QuoteIdentifier(name));
                    }),
      ")");
}

// Literals of no type take that of the column, on either side.
std::string LiteralsOf(const KeyBoundary& boundary) {
  return absl::StrCat(
      "(",
      absl::StrJoin(boundary, ", ",
                    [](std::string* out, const std::string& text) {
                      out->append(QuoteLiteral(text));
                    }),
      ")");
}

std::string BlockCondition(int64_t blocks, int64_t piece, int64_t pieces) {
  const auto bound = [&](absl::string_view comparison, int64_t number) {
    return absl::Substitute("ctid $0 '($1,0)'::tid", comparison,
                            blocks * number / pieces);
  };
  if (pieces == 1) return "";
  if (piece == 0) return bound("<", 1);
  // What the table has grown by since is out of the snapshot's sight, and still
  // no gap is left.
  if (piece + 1 == pieces) return bound(">=", piece);
  return absl::StrCat(bound(">=", piece), " AND ", bound("<", piece + 1));
}

}  // namespace

TablePieces WholeTable() { return {.by_key = false, .pieces = {Piece()}}; }

int64_t PiecesOf(const TablePair& table, uint64_t range_bytes) {
  const uint64_t size = std::max<uint64_t>(1, range_bytes);
  const auto bytes = static_cast<uint64_t>(table.source.bytes);
  return std::clamp<int64_t>(static_cast<int64_t>((bytes + size - 1) / size), 1,
                             kMostPieces);
}

TablePieces PiecesBetween(const TablePair& table,
                          const std::vector<KeyBoundary>& boundaries) {
  TablePieces cut{.by_key = true};
  const std::string key = KeyOf(table);
  for (size_t i = 0; i <= boundaries.size(); ++i) {
    std::vector<std::string> bounds;
    if (i > 0) {
      bounds.push_back(absl::StrCat(key, " > ", LiteralsOf(boundaries[i - 1])));
    }
    if (i < boundaries.size()) {
      bounds.push_back(absl::StrCat(key, " <= ", LiteralsOf(boundaries[i])));
    }
    const std::string condition = absl::StrJoin(bounds, " AND ");
    cut.pieces.push_back({.source_condition = condition,
                          .target_condition = condition,
                          .by_index = !boundaries.empty()});
  }
  return cut;
}

absl::StatusOr<std::vector<KeyBoundary>> SampleBoundaries(
    PgConnection& source, const TablePair& table, int64_t pieces) {
  const double blocks =
      static_cast<double>(std::max<int64_t>(1, table.source.blocks));
  const double percent = std::min(
      100.0, 100 * kSampledBlocks * static_cast<double>(pieces) / blocks);
  const absl::StatusOr<PgResult> rows =
      source.Exec(SampleSql(table, pieces, percent));
  if (!rows.ok()) return Annotate(rows.status(), "source: a sample of keys");
  std::vector<KeyBoundary> boundaries;
  for (int row = 0; row < rows->rows(); ++row) {
    double correlation = 0;
    if (!absl::SimpleAtod(rows->Text(row, 0), &correlation) ||
        correlation < kMinCorrelation) {
      return std::vector<KeyBoundary>();
    }
    KeyBoundary boundary;
    for (int column = 1; column < rows->columns(); ++column) {
      boundary.emplace_back(rows->Text(row, column));
    }
    boundaries.push_back(std::move(boundary));
  }
  return boundaries;
}

TablePieces BlockPieces(const TablePair& table, int64_t pieces,
                        int source_version, int target_version) {
  if (pieces <= 1 || table.whole_tree || table.source.blocks == 0 ||
      table.target.blocks == 0 || source_version < kReadsBlockRanges ||
      target_version < kReadsBlockRanges) {
    return WholeTable();
  }
  TablePieces cut;
  pieces = std::min(pieces, std::max(table.source.blocks, table.target.blocks));
  for (int64_t piece = 0; piece < pieces; ++piece) {
    cut.pieces.push_back(
        {.source_condition = BlockCondition(table.source.blocks, piece, pieces),
         .target_condition =
             BlockCondition(table.target.blocks, piece, pieces)});
  }
  return cut;
}

}  // namespace walferry
