#include "tools/report_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/time_text.h"
#include "tools/counts_text.h"
#include "tools/human_format.h"
#include "tools/result_text.h"
#include "tools/terminal_row.h"
#include "tools/verify_account.h"

namespace walferry {
namespace {

std::string ChangesText(const Report& report) {
  const int64_t total =
      report.inserts + report.updates + report.deletes + report.truncates;
  return absl::StrCat(
      HumanCount(total, "change", "changes"), " in ",
      HumanCount(report.transactions_applied, "transaction", "transactions"),
      " (", HumanCount(report.inserts, "insert", "inserts"), ", ",
      HumanCount(report.updates, "update", "updates"), ", ",
      HumanCount(report.deletes, "delete", "deletes"), ", ",
      HumanCount(report.truncates, "truncate", "truncates"), ")");
}

// "2026-08-25 12:00:01 UTC, 12 min 00 s ago".
std::string AgeText(absl::Time time, absl::Time now) {
  return absl::StrCat(TimeText(time), ", ",
                      HumanDuration(std::max(now - time, absl::ZeroDuration())),
                      " ago");
}

// "1,234 (567 messages/s)".
std::string PaceText(int64_t count, absl::string_view noun,
                     absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  if (seconds <= 0) return HumanCount(count);
  return absl::StrCat(
      HumanCount(count), " (",
      HumanCount(std::llround(static_cast<double>(count) / seconds)), " ", noun,
      "/s)");
}

std::string PaceOfBytesText(int64_t bytes, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  if (seconds <= 0) return BytesText(bytes);
  return absl::StrFormat("%s (%.1f MB/s)", BytesText(bytes),
                         static_cast<double>(bytes) / 1e6 / seconds);
}

std::string PublicationsText(const MigrationStatus& status) {
  return absl::StrJoin(status.publications, ", ");
}

std::string ComparedText(const ComparisonResult& comparison) {
  using State = ComparisonResult::State;
  std::string text(ComparisonStateName(comparison.state));
  switch (comparison.state) {
    case State::kNone:
      return "no";
    case State::kComparing:
      break;
    case State::kEqual:
      absl::StrAppend(&text, ": ", ProofText(comparison.method));
      break;
    case State::kDifferent:
    case State::kUnknown:
      absl::StrAppend(&text, ": ", comparison.found);
      break;
  }
  if (comparison.at == absl::InfinitePast()) return text;
  return absl::StrCat(text, ", ", TimeText(comparison.at));
}

void AddStream(std::string& text, const MigrationStatus& status) {
  if (!status.slot.empty()) AddLine(text, "slot", status.slot);
  if (!status.publications.empty()) {
    AddLine(text, "publications", PublicationsText(status));
  }
  if (!status.applied_lsn.valid()) return;
  AddLine(text, "applied", status.applied_lsn.ToString());
  AddLine(text, "received", status.received_lsn.ToString());
  AddLine(text, "source", status.source_lsn.ToString());
  AddLine(text, "lag",
          absl::StrCat(HumanBytes(static_cast<double>(status.lag_bytes)), ", ",
                       HumanDuration(absl::Seconds(status.lag_seconds)),
                       status.running || status.report.has_value()
                           ? ""
                           : ", at the last sign of life"));
  AddLine(text, "changes",
          absl::StrCat(
              HumanCount(status.changes), " in ",
              HumanCount(status.transactions, "transaction", "transactions")));
  if (status.counted_since.valid()) {
    AddLine(text, "counts", AgreementText(status.counts, status.counted_since));
  }
}

// Once nobody waits for the tables any more, it goes without saying.
void AddUsable(std::string& text, const MigrationStatus& status) {
  if (!status.usable || status.report.has_value()) return;
  const auto missing = std::count_if(
      status.tables.begin(), status.tables.end(),
      [](const TableStatus& table) { return table.state != "copied"; });
  AddLine(text, "usable",
          absl::StrCat(
              "clients may work on the target; ",
              missing == 0
                  ? "indexes of delayed tables are not all there yet"
                  : absl::StrCat(HumanCount(missing, "table is", "tables are"),
                                 " not loaded yet")));
}

std::string TablesText(const MigrationStatus& status) {
  if (status.tables.empty()) return "";
  size_t name_width = sizeof "table" - 1;
  for (const TableStatus& table : status.tables) {
    name_width = std::max(name_width, ColumnsOf(ToDisplay(table.table)));
  }
  const auto padded = [&](const std::string& name) {
    return name + std::string(name_width - ColumnsOf(name), ' ');
  };
  std::string text =
      absl::StrFormat("\n%s  %-8s %15s %10s %10s\n", padded("table"), "state",
                      "rows", "bytes", "of");
  for (const TableStatus& table : status.tables) {
    absl::StrAppendFormat(&text, "%s  %-8s %15s %10s %10s\n",
                          padded(ToDisplay(table.table)), table.state,
                          HumanCount(table.rows), BytesText(table.bytes),
                          BytesText(table.bytes_total));
  }
  return text;
}

}  // namespace

std::string ReportText(const Report& report) {
  std::string text = absl::StrCat(report.name, ": done in ",
                                  HumanDuration(report.elapsed), "\n");
  if (report.tables > 0) {
    AddLine(text, "copied",
            absl::StrCat(HumanCount(report.rows_copied, "row", "rows"), ", ",
                         BytesText(report.bytes_copied), " in ",
                         HumanCount(report.tables, "table", "tables")));
  }
  const bool cut_over = report.freeze_to_done != absl::InfiniteDuration();
  if (!report.offline) AddLine(text, "applied", ChangesText(report));
  // An archive does not say where the source's log was, nor what was set.
  const bool by_archive = report.offline && !report.applied_lsn.valid();
  if (!by_archive) AddLine(text, "position", report.applied_lsn.ToString());
  if (cut_over || (report.offline && !by_archive)) {
    AddLine(text, "sequences set", HumanCount(report.sequences_set));
    AddLine(text, "views refreshed",
            HumanCount(report.materialized_views_refreshed));
  }
  if (cut_over) {
    AddLine(text, "freeze to done", HumanDuration(report.freeze_to_done));
  }
  if (cut_over || report.offline) {
    AddLine(text, "compared", ComparedText(report.comparison));
  }
  for (const std::string& remark : report.remarks) {
    AddLine(text, "remark", remark);
  }
  return text;
}

std::string StatusText(const MigrationStatus& status, absl::Time now) {
  std::string text =
      absl::StrCat(status.name, ": ", status.kind, ", phase ", status.phase,
                   ", ", status.running ? "running" : "not running", "\n");
  AddLine(text, "started", AgeText(status.started_at, now));
  if (status.heartbeat_at.has_value()) {
    AddLine(text, "last sign of life", AgeText(*status.heartbeat_at, now));
  }
  if (!status.waiting_for.empty())
    AddLine(text, "waits for", status.waiting_for);
  if (status.steps_total > 0) {
    AddLine(text, "steps",
            absl::StrCat(HumanCount(status.steps_done), " of ",
                         HumanCount(status.steps_total)));
  }
  AddUsable(text, status);
  AddStream(text, status);
  if (status.comparison.state != ComparisonResult::State::kNone &&
      !status.report.has_value()) {
    AddLine(text, "compared", ComparedText(status.comparison));
  }
  if (!status.last_error.empty()) {
    AddLine(text, "last error", status.last_error);
  }
  absl::StrAppend(&text, TablesText(status), CountsText(status.counts));
  if (status.report.has_value()) {
    absl::StrAppend(&text, "\n", ReportText(*status.report));
  }
  return text;
}

std::string CaptureText(const std::string& path, const CaptureReport& report) {
  std::string text =
      absl::StrCat(path, ": recorded in ", HumanDuration(report.elapsed), "\n");
  AddLine(text, "frames", HumanCount(report.frames));
  AddLine(text, "bytes", BytesText(report.bytes));
  return text;
}

std::string ReplayText(const ReplayOptions& options,
                       const ReplayReport& report) {
  const bool applied = !options.target.empty();
  std::string text =
      absl::StrCat(options.input, applied ? ": applied" : ": decoded");
  if (options.repeat > 1) {
    absl::StrAppend(&text, " ", HumanCount(options.repeat), " times");
  }
  absl::StrAppend(&text, " in ", HumanDuration(report.elapsed), "\n");
  AddLine(text, "messages",
          PaceText(report.messages, "messages", report.elapsed));
  AddLine(text, "bytes", PaceOfBytesText(report.bytes, report.elapsed));
  AddLine(text, "changes", PaceText(report.changes, "changes", report.elapsed));
  if (applied) {
    AddLine(text, "transactions",
            PaceText(report.transactions, "transactions", report.elapsed));
  }
  return text;
}

}  // namespace walferry
