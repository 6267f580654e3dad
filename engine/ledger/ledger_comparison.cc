// What comparisons with the source have found, as the ledger keeps it.

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_time.h"
#include "engine/report_json.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string ColumnOf(bool before_clients) {
  return before_clients ? "comparison_before_clients" : "comparison";
}

// A note that nobody can read is in no migration's way.
ComparisonResult ResultIn(const PgResult& row, int column) {
  if (row.IsNull(0, column)) return {};
  absl::StatusOr<ComparisonResult> result =
      ComparisonFromJson(row.Text(0, column));
  if (result.ok()) return *std::move(result);
  return {.state = ComparisonResult::State::kUnknown,
          .found = absl::StrCat("what the ledger has of it cannot be read: ",
                                result.status().message())};
}

}  // namespace

std::string ComparisonSql(const ComparisonResult& result, bool before_clients) {
  return absl::StrCat(ColumnOf(before_clients), " = ",
                      result.state == ComparisonResult::State::kNone
                          ? "NULL"
                          : QuoteLiteral(ComparisonToJson(result)));
}

ComparisonResult LedgerComparisons::Known() const {
  using State = ComparisonResult::State;
  const bool differed = before_clients.state == State::kDifferent;
  return last.state == State::kNone && differed ? before_clients : last;
}

absl::StatusOr<LedgerComparisons> Ledger::Comparisons() {
  ASSIGN_OR_RETURN(
      const std::string there,
      connection_.QueryValue(absl::StrCat(
          "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = "
          "to_regclass(",
          QuoteLiteral(Table("migration")),
          ") AND attname = 'comparison' AND NOT attisdropped)")));
  LedgerComparisons found;
  if (there != "t") return found;  // An older walferry's ledger.
  ASSIGN_OR_RETURN(
      const PgResult row,
      connection_.Exec(absl::StrCat(
          "SELECT ", ColumnOf(false), ", ", ColumnOf(true), " FROM ",
          Table("migration"), " WHERE name = ", Name())));
  if (row.rows() == 0) return found;
  found.last = ResultIn(row, 0);
  found.before_clients = ResultIn(row, 1);
  return found;
}

absl::Status Ledger::SetComparison(const ComparisonResult& result,
                                   bool before_clients, absl::Time begun) {
  const std::string same =
      begun == absl::InfinitePast()
          ? ""
          : absl::StrCat(
                " AND date_trunc('second', started_at) = to_timestamp(",
                absl::ToUnixSeconds(begun), ")");
  ASSIGN_OR_RETURN(
      const PgResult noted,
      connection_.Exec(absl::StrCat("UPDATE ", Table("migration"), " SET ",
                                    ComparisonSql(result, before_clients),
                                    " WHERE name = ", Name(), same)));
  if (noted.affected_rows() == 1) return absl::OkStatus();
  return absl::AbortedError(
      "the migration that was compared is not there any more");
}

absl::StatusOr<Report> Ledger::ReportOf(const LedgerMigration& migration) {
  ASSIGN_OR_RETURN(Report report,
                   ReportFromJson(migration.report.value_or("")));
  ASSIGN_OR_RETURN(const LedgerComparisons comparisons, Comparisons());
  // A move of all databases has the sum of theirs in its report alone.
  const ComparisonResult known = comparisons.Known();
  if (known.state != ComparisonResult::State::kNone) report.comparison = known;
  ASSIGN_OR_RETURN(const std::optional<absl::Time> begun,
                   LedgerTime(migration.started_at));
  report.begun = begun.value_or(absl::InfinitePast());
  return report;
}

}  // namespace walferry
