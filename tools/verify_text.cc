// A comparison's result for a terminal.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "engine/time_text.h"
#include "tools/human_format.h"
#include "tools/result_text.h"
#include "tools/value_text.h"
#include "tools/verify_report.h"

namespace walferry {
namespace {

// Definitions of objects, and answers to checks.
constexpr size_t kMostOfText = 400;

// "equal: ": what the night watch reads first.
absl::string_view Headline(Verdict verdict) {
  switch (verdict) {
    case Verdict::kEqual:
      return "equal: ";
    case Verdict::kDifferent:
      return "DIFFERENT: ";
    case Verdict::kUnknown:
      return "NOT KNOWN: ";
  }
  return "";
}

std::string SideText(const std::string& name, const std::string& version) {
  return version.empty() ? name : absl::StrCat(name, ", PostgreSQL ", version);
}

// "3.4 GiB (85 MiB/s)".
std::string BytesAndRate(const VerifyReport& report) {
  const double seconds = absl::ToDoubleSeconds(report.elapsed);
  const auto bytes = static_cast<double>(report.bytes_compared);
  return absl::StrCat(HumanBytes(bytes),
                      seconds > 0 && bytes > 0
                          ? absl::StrCat(" (", HumanRate(bytes / seconds), ")")
                          : "");
}

void AddFigures(const VerifyReport& report, std::string& text) {
  const VerifyTally tally = TallyOf(report);
  AddLine(text, "source", SideText(report.source, report.source_version));
  AddLine(text, "target", SideText(report.target, report.target_version));
  AddLine(text, "method",
          absl::StrCat(VerifyMethodName(report.method), ": ",
                       ProofText(report.method)));
  AddLine(text, "tables",
          HumanCount(static_cast<int64_t>(report.tables.size())));
  AddLine(text, "rows", HumanCount(report.rows_compared));
  if (report.bytes_compared > 0) AddLine(text, "bytes", BytesAndRate(report));
  if (tally.ranges_total > 0) {
    std::string ranges = absl::StrCat(HumanCount(tally.ranges), " of ",
                                      HumanCount(tally.ranges_total));
    if (tally.ranges_kept > 0) {
      absl::StrAppend(&ranges, ", ", HumanCount(tally.ranges_kept),
                      " of them found equal by a run before");
    }
    AddLine(text, "ranges", ranges);
  }
  AddLine(text, "objects",
          report.schema_compared ? HumanCount(report.objects_compared)
                                 : "not compared");
  if (!report.checks.empty()) {
    AddLine(text, "checks",
            HumanCount(static_cast<int64_t>(report.checks.size())));
  }
  if (tally.warnings > 0) AddLine(text, "warnings", HumanCount(tally.warnings));
  if (report.position.has_value()) {
    AddLine(text, "position", report.position->ToString());
    AddLine(text, "applier stood", HumanDuration(report.applier_pause));
  }
  AddLine(text, "began", TimeText(report.started_at));
  AddLine(text, "took", HumanDuration(report.elapsed));
}

void AddRow(const RowDifference& row, std::string& text) {
  const std::string times = TimesText(row);
  absl::StrAppendFormat(&text, "  %-11s%s%s\n", RowKindName(row.kind),
                        VisibleText(row.key),
                        times.empty() ? "" : absl::StrCat(": ", times));
  for (const ColumnDifference& column : row.columns) {
    const ValuePair values = VisibleValues(column.source, column.target);
    absl::StrAppend(&text, "    ", VisibleText(column.column), ": ",
                    values.source, " on the source, ", values.target,
                    " on the target\n");
  }
}

void AddTable(const TableVerdict& table, int64_t max_differences,
              std::string& text) {
  absl::StrAppend(&text, "\n", VisibleText(ToDisplay(table.table)), ": ",
                  VisibleText(FoundText(table), kMostOfText), "\n");
  const auto known = static_cast<int64_t>(table.rows.size());
  const int64_t shown = std::min(known, max_differences);
  for (int64_t row = 0; row < shown; ++row) AddRow(table.rows[row], text);
  const int64_t all =
      std::max(table.missing + table.extra + table.different, known);
  if (shown < all) {
    absl::StrAppend(&text, "  and ", table.at_least ? "at least " : "",
                    HumanCount(all - shown), " more",
                    shown < known ? ", which --report FILE.html shows" : "",
                    "\n");
  }
}

void AddTables(const VerifyReport& report, TableVerdict::Outcome outcome,
               int64_t max_differences, std::string& text) {
  for (const TableVerdict& table : report.tables) {
    if (table.outcome == outcome) AddTable(table, max_differences, text);
  }
}

// Only what is there: an index that is not on one side has one definition.
void AddSide(absl::string_view side, const std::string& value,
             std::string& text) {
  if (value.empty()) return;
  absl::StrAppendFormat(&text, "    %s: %s\n", side,
                        VisibleText(value, kMostOfText));
}

void AddObjects(const VerifyReport& report, std::string& text) {
  if (!report.objects.empty()) text += "\nobjects\n";
  for (const auto weight : {ObjectDifference::Weight::kDifference,
                            ObjectDifference::Weight::kUnknown,
                            ObjectDifference::Weight::kWarning}) {
    for (const ObjectDifference& object : report.objects) {
      if (object.weight != weight) continue;
      absl::StrAppendFormat(&text, "  %-11s%s\n", WeightName(object.weight),
                            VisibleText(ObjectText(object), kMostOfText));
      AddSide("source", object.source, text);
      AddSide("target", object.target, text);
    }
  }
}

void AddChecks(const VerifyReport& report, std::string& text) {
  if (!report.checks.empty()) text += "\nchecks\n";
  for (const CheckVerdict& check : report.checks) {
    absl::StrAppendFormat(
        &text, "  %-11s%s%s\n", CheckOutcomeName(check),
        VisibleText(check.name),
        check.detail.empty()
            ? ""
            : absl::StrCat(": ", VisibleText(check.detail, kMostOfText)));
    if (check.equal) continue;
    AddSide("source", check.source, text);
    AddSide("target", check.target, text);
  }
}

void AddRepair(const RepairReport& repair, std::string& text) {
  absl::StrAppend(&text, "\n", RepairedText(repair), "\n");
  if (repair.tables.empty()) text += "  no row differed\n";
  for (const TableRepair& table : repair.tables) {
    absl::StrAppend(&text, "  ", VisibleText(ToDisplay(table.table)), ": ",
                    DoneText(table), "\n");
    for (const std::string& failure : table.failures) {
      absl::StrAppend(
          &text, "    not repaired: ", VisibleText(failure, kMostOfText), "\n");
    }
  }
}

// Whole and as it is, for whoever runs it.
void AddStatements(const RepairReport& repair, std::string& text) {
  if (repair.statements.empty()) return;
  text += "\nSQL\n\n";
  for (const std::string& statement : repair.statements) {
    absl::StrAppend(&text, statement, ";\n");
  }
  if (repair.statements_left_out) {
    text += "\n-- that is not all of it: the rest would be too long\n";
  }
}

}  // namespace

std::string VerifyText(const VerifyAccount& account, int64_t max_differences) {
  const VerifyReport& report = account.report;
  std::string text =
      absl::StrCat(Headline(VerdictOf(account)), VerdictText(account), "\n");
  // Of a run that came to nothing there are no figures.
  if (!account.trouble.empty() && report.source.empty()) return text;
  AddFigures(report, text);
  AddTables(report, TableVerdict::Outcome::kDifferent, max_differences, text);
  AddTables(report, TableVerdict::Outcome::kUnknown, max_differences, text);
  AddTables(report, TableVerdict::Outcome::kWarning, max_differences, text);
  AddObjects(report, text);
  AddChecks(report, text);
  if (report.repair.has_value()) AddRepair(*report.repair, text);
  if (!report.remarks.empty()) text += "\nremarks\n";
  for (const std::string& remark : report.remarks) {
    absl::StrAppend(&text, "  ", remark, "\n");
  }
  if (const std::string next = NextStep(account); !next.empty()) {
    absl::StrAppend(&text, "\nnext: ", next, "\n");
  }
  if (report.repair.has_value()) AddStatements(*report.repair, text);
  return text;
}

}  // namespace walferry
