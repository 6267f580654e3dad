#include "tools/terminal_progress.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "tools/event_text.h"
#include "tools/human_format.h"
#include "tools/terminal_row.h"

namespace walferry {
namespace {

// Lines that the block leaves to the log above it.
constexpr size_t kRowsForLog = 4;

double AsDouble(int64_t number) { return static_cast<double>(number); }

// "1.2 GiB of 3.4 GiB", and "35%", as far as they are known.
void AppendBytes(int64_t bytes, int64_t total, int importance,
                 std::vector<Cell>& cells) {
  if (total > 0) {
    cells.push_back({absl::StrCat(HumanBytes(AsDouble(bytes)), " of ",
                                  HumanBytes(AsDouble(total))),
                     0, importance});
    cells.push_back({HumanPercent(AsDouble(bytes), AsDouble(total)), 4, 0});
  } else if (bytes > 0) {
    cells.push_back({HumanBytes(AsDouble(bytes)), 0, 0});
  }
}

void AppendRate(double per_second, int64_t bytes, int64_t total,
                std::vector<Cell>& cells) {
  if (per_second <= 0) return;
  cells.push_back({HumanRate(per_second), 0, 3});
  const absl::Duration left = TimeLeft(bytes, total, per_second);
  if (left == absl::InfiniteDuration()) return;
  cells.push_back({absl::StrCat("ETA ", HumanDuration(left)), 0, 4});
}

std::vector<Cell> CellsOf(const ActiveItem& item) {
  std::vector<Cell> cells;
  if (item.bytes == 0 && item.bytes_total == 0) {
    cells.push_back({HumanDuration(item.elapsed), 0, 1});
    return cells;
  }
  AppendBytes(item.bytes, item.bytes_total, 2, cells);
  cells.push_back({absl::StrCat(HumanCount(item.rows), " rows"), 0, 1});
  const double seconds = absl::ToDoubleSeconds(item.elapsed);
  AppendRate(seconds > 0 ? AsDouble(item.bytes) / seconds : 0, item.bytes,
             item.bytes_total, cells);
  return cells;
}

// Cells of the same place get the same width, so that they stand in columns.
void Align(std::vector<std::vector<Cell>>& rows) {
  for (size_t column = 0;; ++column) {
    size_t width = 0;
    for (const std::vector<Cell>& row : rows) {
      if (column < row.size()) {
        width = std::max({width, row[column].width, row[column].text.size()});
      }
    }
    if (width == 0) return;
    for (std::vector<Cell>& row : rows) {
      if (column < row.size()) row[column].width = width;
    }
  }
}

std::vector<std::string> RenderItems(const std::vector<ActiveItem>& items,
                                     TerminalSize size) {
  const size_t room = size.rows > kRowsForLog ? size.rows - kRowsForLog : 1;
  const size_t shown = std::min(items.size(), room);
  std::vector<std::vector<Cell>> rows;
  size_t name_width = 0;
  for (size_t row = 0; row < shown; ++row) {
    rows.push_back(CellsOf(items[row]));
    name_width = std::max(name_width, ColumnsOf(items[row].name) + 2);
  }
  Align(rows);
  std::vector<std::string> lines;
  for (size_t row = 0; row < shown; ++row) {
    lines.push_back(FitRow(absl::StrCat("  ", items[row].name), name_width,
                           rows[row], size.columns));
  }
  if (shown < items.size()) {
    lines.push_back(FitText(
        absl::StrCat("  and ", items.size() - shown, " more"), size.columns));
  }
  return lines;
}

}  // namespace

void TerminalProgress::OnEvent(const Event& event) {
  absl::MutexLock lock(&mutex_);
  if (const auto* progress = std::get_if<Progress>(&event)) {
    progress_ = *progress;
    bytes_.Add(progress->elapsed, AsDouble(progress->bytes));
  } else if (const auto* lag = std::get_if<Lag>(&event)) {
    progress_.reset();
    lag_ = *lag;
    changes_.Add(now_() - absl::UnixEpoch(), AsDouble(lag->changes));
  } else if (std::holds_alternative<PhaseStarted>(event)) {
    progress_.reset();
    lag_.reset();
    bytes_ = RateMeter();
  }
}

std::vector<std::string> TerminalProgress::Render(
    TerminalSize size, absl::string_view note) const {
  absl::MutexLock lock(&mutex_);
  // The last column stays free: some terminals wrap when it is written.
  size.columns = size.columns > 1 ? size.columns - 1 : 1;
  std::vector<std::string> lines;
  if (progress_.has_value()) {
    lines = RenderProgress(*progress_, size);
  } else if (lag_.has_value()) {
    lines = RenderLag(*lag_, size);
  }
  if (!note.empty()) {
    lines.push_back(FitText(absl::StrCat("  ", note), size.columns));
  }
  return lines;
}

std::vector<std::string> TerminalProgress::RenderProgress(
    const Progress& progress, TerminalSize size) const {
  std::vector<Cell> cells;
  if (progress.items_total > 0) {
    cells.push_back({absl::StrCat(HumanCount(progress.items_done), "/",
                                  HumanCount(progress.items_total), " ",
                                  ItemsNoun(progress.phase)),
                     0, 5});
  }
  AppendBytes(progress.bytes, progress.bytes_total, 2, cells);
  AppendRate(bytes_.PerSecond(), progress.bytes, progress.bytes_total, cells);
  cells.push_back({HumanDuration(progress.elapsed), 0, 1});
  const absl::string_view phase = PhaseName(progress.phase);
  std::vector<std::string> lines = {
      FitRow(phase, phase.size(), std::move(cells), size.columns)};
  for (std::string& line : RenderItems(progress.active, size)) {
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> TerminalProgress::RenderLag(const Lag& lag,
                                                     TerminalSize size) const {
  std::vector<Cell> cells = {
      {absl::StrCat("lag ", HumanBytes(static_cast<double>(lag.lag_bytes))), 0,
       0},
      {HumanDuration(absl::Seconds(lag.lag_seconds)), 0, 5},
      {absl::StrCat("applied ", lag.applied_lsn.ToString()), 0, 1},
      {HumanCount(lag.transactions, "transaction", "transactions"), 0, 2},
      {HumanCount(lag.changes, "change", "changes"), 0, 3}};
  if (const double rate = changes_.PerSecond(); rate >= 0.5) {
    cells.push_back(
        {absl::StrCat(HumanCount(static_cast<int64_t>(rate + 0.5)), "/s"), 0,
         4});
  }
  const absl::string_view phase = PhaseName(lag.phase);
  std::vector<std::string> lines = {
      FitRow(phase, phase.size(), std::move(cells), size.columns)};
  if (!lag.waiting_for.empty()) {
    lines.push_back(
        FitText(absl::StrCat("  ", WaitText(lag.waiting_for)), size.columns));
  }
  return lines;
}

}  // namespace walferry
