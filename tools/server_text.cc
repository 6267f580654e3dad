#include "tools/server_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/time_text.h"
#include "tools/event_text.h"
#include "tools/human_format.h"
#include "tools/result_text.h"
#include "tools/terminal_row.h"

namespace walferry {
namespace {

using Table = std::vector<std::vector<std::string>>;

// The first column to the left, the others to the right, two blanks between;
// a last column of words may be left out of that by `left`.
std::string Aligned(const Table& table, size_t left_columns) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : table) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], ColumnsOf(row[column]));
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : table) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string padding(widths[column] - ColumnsOf(row[column]), ' ');
      absl::StrAppend(&line, column == 0 ? "" : "  ",
                      column < left_columns ? row[column] : padding,
                      column < left_columns ? padding : row[column]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

using Compared = ComparisonResult::State;

std::vector<Phase> TimedPhases(const ServerReport& report) {
  std::vector<Phase> phases = {Phase::kCheck, Phase::kPrepare, Phase::kSchema,
                               Phase::kCopy, Phase::kIndexes};
  if (!report.online &&
      std::any_of(report.databases.begin(), report.databases.end(),
                  [](const DatabaseReport& database) {
                    return database.comparison.state != Compared::kNone;
                  })) {
    phases.push_back(Phase::kVerify);
  }
  return phases;
}

std::string TimeOf(const DatabaseReport& database, Phase phase) {
  for (const PhaseTime& time : database.phases) {
    if (time.phase == phase) return HumanDuration(time.duration);
  }
  return "-";
}

std::string PauseText(absl::Duration pause) {
  return pause == absl::InfiniteDuration() ? "-" : HumanDuration(pause);
}

// Said once for all of them.
constexpr absl::string_view kLostOffline =
    "nothing that was written to the source since its rows were read is on the "
    "target";

std::string StateOf(const DatabaseReport& database) {
  if (database.status.ok()) {
    const absl::string_view compared =
        ComparisonStateName(database.comparison.state);
    return absl::StrCat("done", compared.empty() ? "" : ", ", compared);
  }
  return absl::StrCat(absl::IsCancelled(database.status) ? "stopped" : "failed",
                      database.usable ? ", usable" : "");
}

std::string ReportTable(const ServerReport& report) {
  Table table = {{"database", "state", "tables", "rows", "bytes"}};
  const std::vector<Phase> phases = TimedPhases(report);
  for (const Phase phase : phases) {
    table.front().emplace_back(PhaseName(phase));
  }
  if (report.online) table.front().emplace_back("pause");
  table.front().emplace_back("in all");
  for (const DatabaseReport& database : report.databases) {
    const bool done = database.status.ok();
    std::vector<std::string> row = {
        database.database, StateOf(database),
        done ? HumanCount(database.report.tables) : "-",
        done ? HumanCount(database.report.rows_copied) : "-",
        done ? BytesText(database.report.bytes_copied) : "-"};
    for (const Phase phase : phases) row.push_back(TimeOf(database, phase));
    if (report.online) row.push_back(PauseText(database.report.freeze_to_done));
    row.push_back(HumanDuration(database.elapsed));
    table.push_back(std::move(row));
  }
  return Aligned(table, 2);
}

bool Follows(const DatabaseStatus& database) {
  return database.phase == "follow" || database.phase == "cutover";
}

// That it is being compared, its phase says.
std::string ComparedText(Compared state) {
  if (state == Compared::kNone || state == Compared::kComparing) return "";
  return absl::StrCat(", ", ComparisonStateName(state));
}

std::vector<std::string> StatusRow(const DatabaseStatus& database) {
  const double rate = database.bytes_per_second;
  const absl::Duration left =
      TimeLeft(database.bytes, database.bytes_total, rate);
  return {
      database.database,
      absl::StrCat(
          database.phase, database.running ? ", running" : "",
          database.usable && database.phase != "done" ? ", usable" : "",
          ComparedText(database.comparison.state)),
      database.tables > 0 ? absl::StrCat(HumanCount(database.tables_copied),
                                         " of ", HumanCount(database.tables))
                          : "-",
      database.steps_total > 0
          ? absl::StrCat(HumanCount(database.steps_done), " of ",
                         HumanCount(database.steps_total))
          : "-",
      BytesText(database.bytes),
      database.bytes_total < 0 ? "?" : BytesText(database.bytes_total),
      rate > 0 ? HumanRate(rate)
      : Follows(database)
          ? absl::StrCat(HumanBytes(static_cast<double>(database.lag_bytes)),
                         " behind")
          : "-",
      rate > 0 && left != absl::InfiniteDuration() ? HumanDuration(left) : "-"};
}

std::string Ago(absl::Time time, absl::Time now) {
  return absl::StrCat(TimeText(time), ", ",
                      HumanDuration(std::max(now - time, absl::ZeroDuration())),
                      " ago");
}

}  // namespace

std::string ServerReportText(const ServerReport& report) {
  const auto done =
      std::count_if(report.databases.begin(), report.databases.end(),
                    [](const DatabaseReport& one) { return one.status.ok(); });
  const Report total = TotalOf(report);
  std::string text =
      absl::StrCat(report.name, ": ", HumanCount(done), " of ",
                   HumanCount(static_cast<int64_t>(report.databases.size()),
                              "database", "databases"),
                   " done in ", HumanDuration(report.elapsed), "\n");
  AddLine(text, "copied",
          absl::StrCat(HumanCount(total.rows_copied, "row", "rows"), ", ",
                       BytesText(total.bytes_copied), " in ",
                       HumanCount(total.tables, "table", "tables")));
  if (report.online) {
    AddLine(
        text, "applied",
        HumanCount(total.transactions_applied, "transaction", "transactions"));
    AddLine(text, "pause of all", PauseText(report.pause));
  }
  if (!report.left_out.empty()) {
    AddLine(text, "left out", absl::StrJoin(report.left_out, ", "));
  }
  for (const std::string& remark : report.remarks) {
    AddLine(text, "remark", remark);
  }
  if (done > 0 && !report.online) AddLine(text, "remark", kLostOffline);
  absl::StrAppend(&text, "\n", ReportTable(report));
  for (const DatabaseReport& database : report.databases) {
    std::string remarks;
    if (database.comparison.state == Compared::kDifferent) {
      AddLine(remarks, "differs", database.comparison.found);
    }
    for (const std::string& remark : database.report.remarks) {
      if (remark == kLostOffline) continue;
      AddLine(remarks, "remark", remark);
    }
    if (remarks.empty()) continue;
    absl::StrAppend(&text, "\n", database.database, ":\n", remarks);
  }
  return text;
}

std::string ServerStatusText(const ServerStatus& status, absl::Time now) {
  const auto done = std::count_if(
      status.databases.begin(), status.databases.end(),
      [](const DatabaseStatus& one) { return one.phase == "done"; });
  std::string text =
      absl::StrCat(status.name, ": all databases, phase ", status.phase, ", ",
                   status.running ? "running" : "not running", "\n");
  AddLine(text, "started", Ago(status.started_at, now));
  if (status.heartbeat_at.has_value()) {
    AddLine(text, "last sign of life", Ago(*status.heartbeat_at, now));
  }
  AddLine(
      text, "databases done",
      absl::StrCat(HumanCount(done), " of ",
                   HumanCount(static_cast<int64_t>(status.databases.size()))));
  if (!status.waiting_for.empty()) {
    AddLine(text, "waiting for", status.waiting_for);
  }
  if (status.fast_target) {
    AddLine(text, "target",
            "fsync and other settings are changed for the time of the run");
  }
  if (!status.last_error.empty()) {
    AddLine(text, "last error", status.last_error);
  }
  Table table = {
      {"database", "step", "tables", "steps", "bytes", "of", "rate", "left"}};
  std::string errors;
  for (const DatabaseStatus& database : status.databases) {
    table.push_back(StatusRow(database));
    if (!database.waiting_for.empty()) {
      absl::StrAppend(&errors, database.database, ": waiting for ",
                      database.waiting_for, "\n");
    }
    if (!database.comparison.found.empty() &&
        database.comparison.found != database.last_error) {
      absl::StrAppend(&errors, database.database, ": ",
                      database.comparison.found, "\n");
    }
    if (database.last_error.empty()) continue;
    absl::StrAppend(&errors, database.database, ": ", database.last_error,
                    "\n");
  }
  absl::StrAppend(&text, "\n", Aligned(table, 2));
  if (!errors.empty()) absl::StrAppend(&text, "\n", errors);
  return text;
}

}  // namespace walferry
