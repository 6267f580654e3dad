#include "tools/verify_account.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/human_format.h"

namespace walferry {
namespace {

int64_t RowsOf(const TableVerdict& table) {
  return table.missing + table.extra + table.different;
}

// Where rows were counted only: at least so many differ.
int64_t CountedApart(const TableVerdict& table) {
  if (table.outcome != TableVerdict::Outcome::kDifferent ||
      table.source_rows < 0 || table.target_rows < 0 || RowsOf(table) > 0) {
    return 0;
  }
  return std::abs(table.source_rows - table.target_rows);
}

std::string EqualText(const VerifyReport& report) {
  const std::string both = absl::StrCat(report.source, " and ", report.target);
  switch (report.method) {
    case VerifyMethod::kOff:
      return absl::StrCat("no rows of ", both, " were compared");
    case VerifyMethod::kEstimate:
      return absl::StrCat("the planner's estimates of ", both,
                          TallyOf(report).warnings > 0
                              ? " are not all known or alike"
                              : " are alike",
                          ", which proves nothing");
    case VerifyMethod::kCounts:
      return absl::StrCat("the tables of ", both,
                          " have as many rows; what is in them was not "
                          "compared");
    case VerifyMethod::kSample: {
      const VerifyTally tally = TallyOf(report);
      return absl::StrCat("the rows of ", both, " are the same in ",
                          HumanCount(tally.ranges), " of ",
                          HumanCount(tally.ranges_total, "range", "ranges"),
                          "; the others were not compared");
    }
    case VerifyMethod::kChecksum:
      return absl::StrCat("all rows of ", both, " are the same");
  }
  return "";
}

bool OnlyObjectsDiffer(const VerifyReport& report) {
  const VerifyTally tally = TallyOf(report);
  return tally.tables_different == 0 && tally.checks_different == 0;
}

std::string UnknownText(const VerifyReport& report) {
  const VerifyTally tally = TallyOf(report);
  std::vector<std::string> parts;
  if (tally.tables_unknown > 0) {
    parts.push_back(
        absl::StrCat(HumanCount(tally.tables_unknown), " of ",
                     HumanCount(static_cast<int64_t>(report.tables.size()),
                                "table", "tables")));
  }
  if (tally.objects_unknown > 0) {
    parts.push_back(HumanCount(tally.objects_unknown, "object", "objects"));
  }
  if (tally.checks_unknown > 0) {
    parts.push_back(HumanCount(tally.checks_unknown, "check", "checks"));
  }
  return absl::StrCat(absl::StrJoin(parts, ", "), " could not be compared");
}

std::string SchemaText(const VerifyReport& report) {
  return report.schema_compared ? ", and no object differs"
                                : "; their schemas were not compared";
}

}  // namespace

Verdict VerdictOf(const VerifyAccount& account) {
  if (!account.trouble.empty()) return Verdict::kUnknown;
  if (account.report.found_differences()) return Verdict::kDifferent;
  return account.report.uncertain() ? Verdict::kUnknown : Verdict::kEqual;
}

ComparisonResult ComparisonOf(const VerifyAccount& account, absl::Time at) {
  using State = ComparisonResult::State;
  const Verdict verdict = VerdictOf(account);
  ComparisonResult comparison{.method = account.report.method, .at = at};
  switch (verdict) {
    case Verdict::kEqual:
      comparison.state = State::kEqual;
      return comparison;
    case Verdict::kDifferent:
      comparison.state = State::kDifferent;
      break;
    case Verdict::kUnknown:
      comparison.state = State::kUnknown;
      break;
  }
  comparison.found = VerdictText(account);
  return comparison;
}

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kEqual:
      return "equal";
    case Verdict::kDifferent:
      return "different";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "";
}

VerifyTally TallyOf(const VerifyReport& report) {
  VerifyTally tally;
  for (const TableVerdict& table : report.tables) {
    using Outcome = TableVerdict::Outcome;
    if (table.outcome == Outcome::kDifferent) ++tally.tables_different;
    if (table.outcome == Outcome::kUnknown) ++tally.tables_unknown;
    if (table.outcome == Outcome::kWarning) ++tally.warnings;
    tally.rows_different += RowsOf(table) + CountedApart(table);
    tally.rows_at_least |= table.at_least || CountedApart(table) > 0;
    tally.ranges += table.ranges;
    tally.ranges_total += table.ranges_total;
    tally.ranges_kept += table.ranges_kept;
  }
  for (const ObjectDifference& object : report.objects) {
    using Weight = ObjectDifference::Weight;
    if (object.weight == Weight::kDifference) ++tally.objects_different;
    if (object.weight == Weight::kUnknown) ++tally.objects_unknown;
    if (object.weight == Weight::kWarning) ++tally.warnings;
  }
  for (const CheckVerdict& check : report.checks) {
    if (check.unknown) {
      ++tally.checks_unknown;
    } else if (!check.equal) {
      ++tally.checks_different;
    }
  }
  return tally;
}

std::string FoundText(const VerifyReport& report) {
  const VerifyTally tally = TallyOf(report);
  std::vector<std::string> parts;
  if (tally.tables_different > 0) {
    const std::string tables =
        absl::StrCat(HumanCount(tally.tables_different), " of ",
                     HumanCount(static_cast<int64_t>(report.tables.size()),
                                "table", "tables"));
    parts.push_back(
        tally.rows_different > 0
            ? absl::StrCat(tally.rows_at_least ? "at least " : "",
                           HumanCount(tally.rows_different, "row", "rows"),
                           " in ", tables)
            : tables);
  }
  if (tally.objects_different > 0) {
    parts.push_back(HumanCount(tally.objects_different, "object", "objects"));
  }
  if (tally.checks_different > 0) {
    parts.push_back(HumanCount(tally.checks_different, "check", "checks"));
  }
  return absl::StrJoin(parts, ", ");
}

std::string VerdictText(const VerifyAccount& account) {
  const VerifyReport& report = account.report;
  switch (VerdictOf(account)) {
    case Verdict::kEqual:
      if (report.tables.empty()) {
        return absl::StrCat("no table was compared", SchemaText(report));
      }
      return absl::StrCat(EqualText(report), SchemaText(report));
    case Verdict::kDifferent:
      return absl::StrCat(
          report.target, " is not as ", report.source, ": ", FoundText(report),
          report.uncertain() ? absl::StrCat("; ", UnknownText(report)) : "");
    case Verdict::kUnknown:
      if (!account.trouble.empty()) return account.trouble;
      return absl::StrCat(UnknownText(report), "; nothing else differs");
  }
  return "";
}

absl::string_view ProofText(VerifyMethod method) {
  switch (method) {
    case VerifyMethod::kOff:
      return "no rows";
    case VerifyMethod::kEstimate:
      return "the planner's estimates of the numbers of rows";
    case VerifyMethod::kCounts:
      return "the number of rows of each table";
    case VerifyMethod::kSample:
      return "every column of a share of the rows";
    case VerifyMethod::kChecksum:
      return "every column of every row";
  }
  return "";
}

std::string NextStep(const VerifyAccount& account) {
  const VerifyReport& report = account.report;
  if (!account.trouble.empty()) return "";
  switch (VerdictOf(account)) {
    case Verdict::kEqual:
      if (report.method == VerifyMethod::kChecksum) return "";
      return "--method checksum compares every column of every row";
    case Verdict::kDifferent:
      if (OnlyObjectsDiffer(report)) {
        return "make these objects alike, and run the same command again";
      }
      if (report.method == VerifyMethod::kCounts) {
        return "--method checksum names the rows";
      }
      if (report.repair.has_value() && report.repair->dry_run) {
        return "the same command without --dry-run repairs these rows";
      }
      if (report.position.has_value()) {
        return "both sides are of one position: what differs was written on "
               "the target, or is a fault; --online --repair makes its rows "
               "as the source's, with --dry-run it says how";
      }
      return "if applications still write to one side, stop them, and run the "
             "same command again; --repair makes the target's rows as the "
             "source's, with --dry-run it says how";
    case Verdict::kUnknown:
      return absl::StrCat(
          "see to what is said of ",
          TallyOf(report).tables_unknown > 0 ? "these tables" : "it",
          ", and run the same command again");
  }
  return "";
}

std::string FoundText(const TableVerdict& table) {
  std::vector<std::string> parts;
  if (table.missing > 0) {
    parts.push_back(absl::StrCat(HumanCount(table.missing, "row", "rows"),
                                 " missing on the target"));
  }
  if (table.extra > 0) {
    parts.push_back(absl::StrCat(HumanCount(table.extra, "row", "rows"),
                                 " too many there"));
  }
  if (table.different > 0) {
    parts.push_back(
        absl::StrCat(HumanCount(table.different, "row", "rows"), " different"));
  }
  std::vector<std::string> clauses;
  if (!parts.empty()) {
    clauses.push_back(absl::StrCat(table.at_least ? "at least " : "",
                                   absl::StrJoin(parts, ", ")));
  }
  if (table.source_rows >= 0 && table.target_rows >= 0 &&
      table.source_rows != table.target_rows) {
    clauses.push_back(absl::StrCat(
        HumanCount(table.source_rows, "row", "rows"), " on the source, ",
        HumanCount(table.target_rows), " on the target"));
  }
  if (!table.detail.empty()) clauses.push_back(table.detail);
  return absl::StrJoin(clauses, "; ");
}

std::string DoneText(const TableRepair& table) {
  std::vector<std::string> parts;
  for (const auto& [rows, what] : {std::pair(table.inserted, " inserted"),
                                   {table.deleted, " deleted"},
                                   {table.updated, " updated"}}) {
    if (rows > 0) {
      parts.push_back(absl::StrCat(HumanCount(rows, "row", "rows"), what));
    }
  }
  return parts.empty() ? "no row" : absl::StrJoin(parts, ", ");
}

std::string RepairedText(const RepairReport& repair) {
  if (repair.dry_run) return "would be repaired";
  if (repair.held == absl::ZeroDuration()) return "repaired";
  return absl::StrCat("repaired; no changes were applied for ",
                      HumanDuration(repair.held));
}

std::string TimesText(const RowDifference& row) {
  if (row.source_count <= 1 && row.target_count <= 1) return "";
  return absl::StrCat(HumanCount(row.source_count), " on the source, ",
                      HumanCount(row.target_count), " on the target");
}

std::string ObjectText(const ObjectDifference& object) {
  return absl::StrCat(object.kind, " ", object.object, " ", object.what);
}

absl::string_view OutcomeName(TableVerdict::Outcome outcome) {
  switch (outcome) {
    case TableVerdict::Outcome::kEqual:
      return "equal";
    case TableVerdict::Outcome::kDifferent:
      return "different";
    case TableVerdict::Outcome::kUnknown:
      return "unknown";
    case TableVerdict::Outcome::kWarning:
      return "warning";
  }
  return "";
}

absl::string_view RowKindName(RowDifference::Kind kind) {
  switch (kind) {
    case RowDifference::Kind::kMissing:
      return "missing";
    case RowDifference::Kind::kExtra:
      return "extra";
    case RowDifference::Kind::kDifferent:
      return "different";
  }
  return "";
}

absl::string_view WeightName(ObjectDifference::Weight weight) {
  switch (weight) {
    case ObjectDifference::Weight::kDifference:
      return "difference";
    case ObjectDifference::Weight::kWarning:
      return "warning";
    case ObjectDifference::Weight::kUnknown:
      return "unknown";
  }
  return "";
}

absl::string_view CheckOutcomeName(const CheckVerdict& check) {
  if (check.unknown) return "unknown";
  return check.equal ? "equal" : "different";
}

}  // namespace walferry
