#include "engine/schema/owned_sequences.h"

#include "absl/strings/str_cat.h"
#include "protocol/pg_result.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kOwnedSequences[] =
    "SELECT d.objid::pg_catalog.regclass::text, "
    "d.refobjid::pg_catalog.regclass,"
    " a.attname, s.seqincrement > 0"
    " FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid"
    " JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
    " WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " AND d.deptype IN ('a', 'i') AND NOT s.seqcycle"
    " AND a.atttypid IN (20, 21, 23)"  // bigint, smallint, integer
    " ORDER BY 1";

}  // namespace

absl::StatusOr<std::vector<OwnedSequence>> ReadOwnedSequences(
    PgConnection& session) {
  ASSIGN_OR_RETURN(const PgResult rows, session.Exec(kOwnedSequences));
  std::vector<OwnedSequence> owned;
  for (int row = 0; row < rows.rows(); ++row) {
    owned.push_back({.sequence = std::string(rows.Text(row, 0)),
                     .table = std::string(rows.Text(row, 1)),
                     .column = std::string(rows.Text(row, 2)),
                     .ascending = rows.Bool(row, 3)});
  }
  return owned;
}

absl::StatusOr<std::optional<SequenceBehindColumn>> BehindItsColumn(
    PgConnection& session, const OwnedSequence& owned) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(absl::StrCat(
          "SELECT s.last_value, s.is_called, v.extreme FROM ", owned.sequence,
          " s, (SELECT ", owned.ascending ? "max(" : "min(",
          QuoteIdentifier(owned.column), ")::bigint FROM ", owned.table,
          ") v (extreme)")));
  if (rows.rows() != 1 || rows.IsNull(0, 2)) return std::nullopt;
  ASSIGN_OR_RETURN(const int64_t last, rows.Int64(0, 0));
  ASSIGN_OR_RETURN(const int64_t extreme, rows.Int64(0, 2));
  const bool beyond = owned.ascending ? last > extreme : last < extreme;
  if (beyond || (last == extreme && rows.Bool(0, 1))) return std::nullopt;
  return SequenceBehindColumn{.last_value = last, .extreme = extreme};
}

}  // namespace walferry
