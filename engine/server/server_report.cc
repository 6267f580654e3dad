#include "engine/server/server_report.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/connect/retry_policy.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {

namespace {

// One line for each that is done, and not as on the source.
std::vector<std::string> DifferencesOf(const ServerReport& report) {
  std::vector<std::string> lines;
  for (const DatabaseReport& database : report.databases) {
    if (!database.status.ok() ||
        database.comparison.state != ComparisonResult::State::kDifferent) {
      continue;
    }
    lines.push_back(absl::StrCat("database ", database.database, ": ",
                                 database.comparison.found));
  }
  return lines;
}

}  // namespace

absl::Status ShortfallOf(const ServerReport& report) {
  const std::vector<std::string> lines = DifferencesOf(report);
  if (lines.empty()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          lines.size(), " of ",
          CountOf(static_cast<int64_t>(report.databases.size()), "database"),
          lines.size() == 1 ? " is" : " are", " not as on the source\n",
          absl::StrJoin(lines, "\n"))),
      "walferry verify with --source and --target of such a database names the "
      "rows; what was written to the source since its rows were read is not on "
      "the target; the same command compares these databases again");
}

absl::Status OutcomeOf(const ServerReport& report) {
  std::vector<std::string> failures;
  int64_t stopped = 0;
  bool beyond_help = false;
  absl::StatusCode code = absl::StatusCode::kCancelled;
  for (const DatabaseReport& database : report.databases) {
    const absl::Status& status = database.status;
    if (status.ok()) continue;
    if (absl::IsCancelled(status)) {
      ++stopped;
      continue;
    }
    failures.push_back(absl::StrCat(
        "database ", database.database, ": ", status.message(),
        HintOf(status).empty() ? "" : absl::StrCat(" (", HintOf(status), ")")));
    if (!IsResumable(status) || code == absl::StatusCode::kCancelled) {
      code = status.code();
    }
    beyond_help |= !IsResumable(status);
  }
  const auto all = static_cast<int64_t>(report.databases.size());
  if (!report.failure.ok()) failures.emplace_back(report.failure.message());
  if (failures.empty() && stopped == 0) return absl::OkStatus();
  if (failures.empty()) {
    return absl::CancelledError(absl::StrCat(
        "stopped: ", all - stopped, " of ", CountOf(all, "database"), " done"));
  }
  if (!report.failure.ok() && !beyond_help) code = report.failure.code();
  const std::vector<std::string> differences = DifferencesOf(report);
  const auto open =
      static_cast<int64_t>(stopped + static_cast<int64_t>(failures.size()) -
                           (report.failure.ok() ? 0 : 1));
  return WithHint(
      absl::Status(code,
                   absl::StrCat(all - open, " of ", CountOf(all, "database"),
                                " done\n", absl::StrJoin(failures, "\n"),
                                differences.empty() ? "" : "\n",
                                absl::StrJoin(differences, "\n"))),
      report.failure.ok()
          ? "mend what is named and run the same command again: what is done "
            "stays"
          : HintOf(report.failure));
}

absl::Duration PauseOf(const ServerReport& report) {
  absl::Time first = absl::InfiniteFuture();
  absl::Time last = absl::InfinitePast();
  for (const DatabaseReport& database : report.databases) {
    const bool cut_over = absl::c_any_of(
        database.phases,
        [](const PhaseTime& time) { return time.phase == Phase::kCutover; });
    const absl::Duration pause = database.report.freeze_to_done;
    if (!database.status.ok() || !cut_over ||
        pause == absl::InfiniteDuration()) {
      continue;
    }
    first = std::min(first, database.ended - pause);
    last = std::max(last, database.ended);
  }
  return first > last ? absl::InfiniteDuration() : last - first;
}

namespace {

// Each once: what is said of every database as it is, otherwise with the names
// of those it is said of.
std::vector<std::string> RemarksOf(const ServerReport& report) {
  std::vector<std::string> texts;
  std::map<std::string, std::vector<std::string>> said_of;
  for (const DatabaseReport& database : report.databases) {
    if (!database.status.ok()) continue;
    for (const std::string& remark : database.report.remarks) {
      std::vector<std::string>& names = said_of[remark];
      if (names.empty()) texts.push_back(remark);
      names.push_back(database.database);
    }
  }
  for (std::string& text : texts) {
    const std::vector<std::string>& names = said_of[text];
    if (names.size() == report.databases.size()) continue;
    text = absl::StrCat(names.size() == 1 ? "database " : "databases ",
                        NameSome(names), ": ", text);
  }
  return texts;
}

// Equal if all of them are; otherwise of the first that says the least.
ComparisonResult ComparisonOf(const ServerReport& report) {
  using State = ComparisonResult::State;
  constexpr State kWorstFirst[] = {State::kDifferent, State::kUnknown,
                                   State::kComparing, State::kNone};
  for (const State state : kWorstFirst) {
    for (const DatabaseReport& database : report.databases) {
      if (database.comparison.state != state) continue;
      ComparisonResult comparison = database.comparison;
      if (!comparison.found.empty()) {
        comparison.found = absl::StrCat("database ", database.database, ": ",
                                        comparison.found);
      }
      return comparison;
    }
  }
  ComparisonResult least;
  for (const DatabaseReport& database : report.databases) {
    const ComparisonResult& comparison = database.comparison;
    if (least.state == State::kNone || comparison.method < least.method) {
      least = comparison;
    }
  }
  return least;
}

}  // namespace

Report TotalOf(const ServerReport& report) {
  Report total{.name = report.name,
               .offline = !report.online,
               .freeze_to_done = report.pause,
               .elapsed = report.elapsed,
               .comparison = ComparisonOf(report),
               .remarks = report.remarks};
  for (std::string& remark : RemarksOf(report)) {
    total.remarks.push_back(std::move(remark));
  }
  for (const DatabaseReport& database : report.databases) {
    if (!database.status.ok()) continue;
    total.tables += database.report.tables;
    total.rows_copied += database.report.rows_copied;
    total.bytes_copied += database.report.bytes_copied;
    total.transactions_applied += database.report.transactions_applied;
    total.inserts += database.report.inserts;
    total.updates += database.report.updates;
    total.deletes += database.report.deletes;
    total.truncates += database.report.truncates;
    total.applied_lsn =
        std::max(total.applied_lsn, database.report.applied_lsn);
    total.sequences_set += database.report.sequences_set;
    total.materialized_views_refreshed +=
        database.report.materialized_views_refreshed;
  }
  return total;
}

}  // namespace walferry
