#include "engine/verify/row_values.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Rows of one statement: with values of 4 kB, some megabytes.
constexpr size_t kRowsAtOnce = 100;

std::string ShownSql(absl::string_view text, RowHash hash) {
  return absl::Substitute(
      "CASE WHEN octet_length($0) > 4096 THEN left($0, 200) || '... (' || "
      "octet_length($0) || ' bytes, ' || $1 || ')' ELSE $0 END",
      text, HashSql(hash, text));
}

absl::Status ReadOfTable(PgConnection& session, const std::string& from,
                         absl::Span<const std::string> expressions,
                         absl::Span<const RowPlace> places,
                         absl::flat_hash_map<RowPlace, RowValues>& values) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(absl::StrCat(
          "SELECT ctid",
          absl::StrJoin(expressions, "",
                        [](std::string* out, const std::string& expression) {
                          absl::StrAppend(out, ", ", expression);
                        }),
          " FROM ", from, " WHERE ctid = ANY (ARRAY[",
          absl::StrJoin(places, ",",
                        [](std::string* out, const RowPlace& place) {
                          absl::StrAppend(out, QuoteLiteral(place.ctid));
                        }),
          "]::tid[])")));
  if (static_cast<size_t>(rows.rows()) != places.size()) {
    return absl::InternalError(absl::StrCat(from, ": ", rows.rows(), " of ",
                                            places.size(), " rows are there"));
  }
  for (int row = 0; row < rows.rows(); ++row) {
    RowValues& read = values[{.table = places.front().table,
                              .ctid = std::string(rows.Text(row, 0))}];
    for (int column = 1; column < rows.columns(); ++column) {
      if (rows.IsNull(row, column)) {
        read.push_back(std::nullopt);
      } else {
        read.emplace_back(std::string(rows.Text(row, column)));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string PlaceSql(const TablePair& table) {
  return absl::StrCat(table.whole_tree ? "tableoid::regclass::text" : "''",
                      " || ' ' || ctid::text");
}

RowPlace ParsePlace(absl::string_view text) {
  const size_t space = text.rfind(' ');
  return {.table = std::string(text.substr(0, space)),
          .ctid = std::string(text.substr(space + 1))};
}

absl::StatusOr<absl::flat_hash_map<RowPlace, RowValues>> ReadAtPlaces(
    PgConnection& session, const TableSide& side,
    absl::Span<const std::string> expressions,
    absl::Span<const RowPlace> places) {
  std::map<std::string, std::vector<RowPlace>> by_table;
  for (const RowPlace& place : places) by_table[place.table].push_back(place);
  absl::flat_hash_map<RowPlace, RowValues> values;
  for (const auto& [table, all] : by_table) {
    const std::string from =
        table.empty() ? side.from : absl::StrCat("ONLY ", table);
    absl::Span<const RowPlace> left = all;
    while (!left.empty()) {
      const auto some = left.first(std::min(left.size(), kRowsAtOnce));
      RETURN_IF_ERROR(ReadOfTable(session, from, expressions, some, values));
      left.remove_prefix(some.size());
    }
  }
  return values;
}

absl::StatusOr<absl::flat_hash_map<RowPlace, RowValues>> ReadRowValues(
    PgConnection& session, const TableSide& side, RowHash hash,
    absl::Span<const RowPlace> places) {
  std::vector<std::string> shown;
  for (const auto* const texts : {&side.texts, &side.key_texts}) {
    for (const std::string& column : *texts) {
      shown.push_back(ShownSql(column, hash));
    }
  }
  return ReadAtPlaces(session, side, shown, places);
}

}  // namespace walferry
