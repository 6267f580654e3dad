// A comparison's result as a page that needs no other file.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "engine/time_text.h"
#include "tools/html_text.h"
#include "tools/human_format.h"
#include "tools/result_text.h"
#include "tools/value_text.h"
#include "tools/verify_report.h"

namespace walferry {
namespace {

// Bytes of a value; all of it stands in the report as JSON.
constexpr size_t kMostOfValue = 1000;
// Tables with more rows that differ are folded in.
constexpr size_t kMostUnfolded = 100;

constexpr absl::string_view kStyle =
    R"(body { max-width: 80em; }
td:last-child { white-space: normal; }
td { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; padding-right: 1.5em; white-space: nowrap; }
th[aria-sort] { cursor: pointer; }
th[aria-sort="ascending"]::after { content: " \25b2"; }
th[aria-sort="descending"]::after { content: " \25bc"; }
summary { cursor: pointer; font-weight: bold; }
code { font-size: .9em; white-space: pre-wrap; }
.equal { color: #17692d; }
.different, .difference, .missing, .extra { color: #a31515; font-weight: bold; }
.unknown, .warning { color: #6b5900; font-weight: bold; }
@media print {
  body { font-size: 11px; margin: 0; max-width: none; }
  .controls { display: none; }
  tr { break-inside: avoid; }
}
)";

// Without it all is there but sorting and filtering.
constexpr absl::string_view kScript = R"(<script>
'use strict';
for (const table of document.querySelectorAll('table.tables')) {
  const body = table.tBodies[0];
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  table.querySelectorAll('thead th').forEach((head, column) => {
    const sort = () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      for (const other of table.querySelectorAll('thead th')) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const number = head.classList.contains('number');
      const order = (a, b) => number ? value(a, column) - value(b, column)
                                     : value(a, column).localeCompare(value(b, column));
      const rows = [...body.rows].sort((a, b) => up ? order(a, b) : order(b, a));
      body.append(...rows);
    };
    head.tabIndex = 0;
    head.addEventListener('click', sort);
    head.addEventListener('keydown', event => { if (event.key === 'Enter') sort(); });
  });
  const words = document.getElementById('words');
  const outcome = document.getElementById('outcome');
  const filter = () => {
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(words.value.toLowerCase()) ||
          (outcome.value === 'not-equal' ? row.dataset.outcome === 'equal'
                                         : outcome.value !== '' && row.dataset.outcome !== outcome.value);
    }
  };
  words.addEventListener('input', filter);
  outcome.addEventListener('change', filter);
  document.querySelector('.controls').hidden = false;
}
addEventListener('beforeprint', () => {
  for (const folded of document.querySelectorAll('details')) folded.open = true;
});
</script>
)";

// Builds the page; everything that comes from a database goes through Text.
class Page {
 public:
  Page(const VerifyAccount& account, const Redactor& redactor)
      : account_(account), report_(account.report), redactor_(redactor) {}

  std::string Build() {
    const std::string title =
        report_.source.empty() ? "Comparison of two databases"
                               : absl::StrCat("Comparison of ", report_.source,
                                              " with ", report_.target);
    page_ = PageBegin(redactor_.Redact(title), kStyle);
    const absl::string_view verdict = VerdictName(VerdictOf(account_));
    Add("<p class=\"", verdict, "\">", verdict, ": ",
        Text(VerdictText(account_)), ".</p>\n");
    AddFacts();
    AddTables();
    AddRows();
    AddObjects();
    AddChecks();
    AddRepair();
    AddRemarks();
    Add(kScript, kPageEnd);
    return std::move(page_);
  }

 private:
  template <typename... Parts>
  void Add(const Parts&... parts) {
    absl::StrAppend(&page_, parts...);
  }

  std::string Text(absl::string_view text) const {
    return Escaped(VisibleText(redactor_.Redact(text), kMostOfValue));
  }

  void AddFact(absl::string_view name, absl::string_view value) {
    Add(FactRow(name, VisibleText(redactor_.Redact(value), kMostOfValue)));
  }

  void AddFacts();
  void AddTables();
  void AddTable(size_t place, const TableVerdict& table);
  void AddRows();
  void AddRowsOf(size_t place, const TableVerdict& table);
  void AddRow(const RowDifference& row);
  void AddObjects();
  void AddChecks();
  void AddRepair();
  void AddRemarks();
  void AddNumber(int64_t number, bool at_least = false) {
    if (number < 0) {
      Add("<td class=\"number\" data-value=\"-1\">?</td>");
    } else {
      Add("<td class=\"number\" data-value=\"", number, "\">",
          at_least ? "&ge; " : "", HumanCount(number), "</td>");
    }
  }

  const VerifyAccount& account_;
  const VerifyReport& report_;
  const Redactor& redactor_;
  std::string page_;
};

void Page::AddFacts() {
  if (report_.source.empty()) return;
  const VerifyTally tally = TallyOf(report_);
  Add("<table>\n");
  AddFact("Source", absl::StrCat(report_.source, ", PostgreSQL ",
                                 report_.source_version));
  AddFact("Target", absl::StrCat(report_.target, ", PostgreSQL ",
                                 report_.target_version));
  AddFact("Began", TimeText(report_.started_at));
  AddFact("Took", HumanDuration(report_.elapsed));
  AddFact("Compared", absl::StrCat(ProofText(report_.method), " (method ",
                                   VerifyMethodName(report_.method), ")"));
  AddFact("Rows", HumanCount(report_.rows_compared));
  if (report_.bytes_compared > 0) {
    AddFact("Bytes", BytesText(report_.bytes_compared));
  }
  AddFact("Objects", report_.schema_compared
                         ? HumanCount(report_.objects_compared)
                         : "not compared");
  if (tally.ranges_kept > 0) {
    AddFact("Kept",
            absl::StrCat(HumanCount(tally.ranges_kept, "range", "ranges"),
                         " found equal by a run before"));
  }
  if (report_.position.has_value()) {
    AddFact("Position", absl::StrCat(report_.position->ToString(),
                                     "; the applier stood for ",
                                     HumanDuration(report_.applier_pause)));
  }
  if (const std::string next = NextStep(account_); !next.empty()) {
    AddFact("Next", next);
  }
  Add("</table>\n");
}

void Page::AddTables() {
  if (report_.tables.empty()) return;
  Add("<h2>Tables</h2>\n<p class=\"controls\" hidden><label>Filter <input "
      "id=\"words\" type=\"search\"></label> <label>Show <select "
      "id=\"outcome\"><option value=\"\">all</option><option "
      "value=\"not-equal\">not equal</option><option "
      "value=\"different\">different</option><option "
      "value=\"unknown\">unknown</option><option "
      "value=\"warning\">warning</option></select></label></p>\n"
      "<table class=\"tables\">\n<thead><tr>");
  for (const absl::string_view name : {"Table", "Outcome"}) {
    Add("<th aria-sort=\"none\">", name, "</th>");
  }
  for (const absl::string_view name :
       {"Rows on source", "Rows on target", "Missing", "Extra", "Different",
        "Ranges", "Time"}) {
    Add("<th class=\"number\" aria-sort=\"none\">", name, "</th>");
  }
  Add("<th aria-sort=\"none\">What was found</th></tr></thead>\n<tbody>\n");
  for (size_t place = 0; place < report_.tables.size(); ++place) {
    AddTable(place, report_.tables[place]);
  }
  Add("</tbody>\n</table>\n");
}

void Page::AddTable(size_t place, const TableVerdict& table) {
  const absl::string_view outcome = OutcomeName(table.outcome);
  const std::string name = Text(ToDisplay(table.table));
  Add("<tr data-outcome=\"", outcome, "\"><td>");
  if (table.rows.empty()) {
    Add(name);
  } else {
    Add("<a href=\"#table-", place, "\">", name, "</a>");
  }
  Add("</td><td class=\"", outcome, "\">", outcome, "</td>");
  AddNumber(table.source_rows);
  AddNumber(table.target_rows);
  for (const int64_t number : {table.missing, table.extra, table.different}) {
    AddNumber(number, table.at_least);
  }
  Add("<td class=\"number\" data-value=\"", table.ranges, "\">",
      HumanCount(table.ranges), "/", HumanCount(table.ranges_total),
      "</td><td class=\"number\" data-value=\"",
      absl::ToInt64Milliseconds(table.elapsed), "\">",
      HumanDuration(table.elapsed), "</td><td>", Text(FoundText(table)),
      "</td></tr>\n");
}

void Page::AddRows() {
  bool first = true;
  for (size_t place = 0; place < report_.tables.size(); ++place) {
    if (report_.tables[place].rows.empty()) continue;
    if (first) Add("<h2>Rows</h2>\n");
    first = false;
    AddRowsOf(place, report_.tables[place]);
  }
}

void Page::AddRowsOf(size_t place, const TableVerdict& table) {
  Add("<details id=\"table-", place, "\"",
      table.rows.size() > kMostUnfolded ? "" : " open", "><summary>",
      Text(ToDisplay(table.table)), ": ", Text(FoundText(table)),
      "</summary>\n<table>\n<thead><tr><th>Row</th><th>On the target"
      "</th><th>Column</th><th>Source</th><th>Target</th></tr></thead>\n"
      "<tbody>\n");
  for (const RowDifference& row : table.rows) AddRow(row);
  Add("</tbody>\n</table>\n");
  if (table.rows_left_out) {
    const int64_t more = table.missing + table.extra + table.different -
                         static_cast<int64_t>(table.rows.size());
    Add("<p>More rows differ than are shown: ",
        table.at_least ? "at least " : "",
        HumanCount(std::max<int64_t>(more, 1)), ".</p>\n");
  }
  Add("</details>\n");
}

void Page::AddRow(const RowDifference& row) {
  const absl::string_view kind = RowKindName(row.kind);
  const std::string times = TimesText(row);
  const std::string begin = absl::StrCat(
      "<tr><td><code>", Text(row.key), "</code></td><td class=\"", kind, "\">",
      kind, times.empty() ? "" : absl::StrCat(": ", Text(times)), "</td>");
  if (row.columns.empty()) Add(begin, "<td></td><td></td><td></td></tr>\n");
  const auto redacted = [this](const std::optional<std::string>& value) {
    return value.has_value() ? std::optional(redactor_.Redact(*value)) : value;
  };
  for (const ColumnDifference& column : row.columns) {
    const ValuePair values = VisibleValues(
        redacted(column.source), redacted(column.target), kMostOfValue);
    Add(begin, "<td>", Text(column.column), "</td><td><code>",
        Escaped(values.source), "</code></td><td><code>",
        Escaped(values.target), "</code></td></tr>\n");
  }
}

void Page::AddObjects() {
  if (report_.objects.empty()) return;
  Add("<h2>Objects</h2>\n<table>\n<thead><tr><th>Object</th><th>Weight</th>"
      "<th>Source</th><th>Target</th></tr></thead>\n<tbody>\n");
  for (const ObjectDifference& object : report_.objects) {
    const absl::string_view weight = WeightName(object.weight);
    Add("<tr><td>", Text(ObjectText(object)), "</td><td class=\"", weight,
        "\">", weight, "</td><td><code>", Text(object.source),
        "</code></td><td><code>", Text(object.target), "</code></td></tr>\n");
  }
  Add("</tbody>\n</table>\n");
}

void Page::AddChecks() {
  if (report_.checks.empty()) return;
  Add("<h2>Checks</h2>\n<table>\n<thead><tr><th>Check</th><th>Outcome</th>"
      "<th>Source</th><th>Target</th><th>What was found</th></tr></thead>\n"
      "<tbody>\n");
  for (const CheckVerdict& check : report_.checks) {
    const absl::string_view outcome = CheckOutcomeName(check);
    Add("<tr><td>", Text(check.name), "</td><td class=\"", outcome, "\">",
        outcome, "</td><td><code>", Text(check.source),
        "</code></td><td><code>", Text(check.target), "</code></td><td>",
        Text(check.detail), "</td></tr>\n");
  }
  Add("</tbody>\n</table>\n");
}

void Page::AddRepair() {
  if (!report_.repair.has_value()) return;
  const RepairReport& repair = *report_.repair;
  Add("<h2>Rows ", RepairedText(repair),
      "</h2>\n<table>\n<thead><tr><th>Table</th><th>Rows</th><th>Not "
      "repaired</th></tr></thead>\n<tbody>\n");
  for (const TableRepair& table : repair.tables) {
    Add("<tr><td>", Text(ToDisplay(table.table)), "</td><td>",
        Text(DoneText(table)), "</td><td>",
        Text(absl::StrJoin(table.failures, "; ")), "</td></tr>\n");
  }
  Add("</tbody>\n</table>\n");
}

void Page::AddRemarks() {
  if (report_.remarks.empty()) return;
  Add("<h2>Remarks</h2>\n<ul>\n");
  for (const std::string& remark : report_.remarks) {
    Add("<li>", Text(remark), "</li>\n");
  }
  Add("</ul>\n");
}

}  // namespace

std::string VerifyHtml(const VerifyAccount& account, const Redactor& redactor) {
  return Page(account, redactor).Build();
}

}  // namespace walferry
