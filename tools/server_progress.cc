#include "tools/server_progress.h"

#include <algorithm>
#include <variant>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "tools/event_text.h"
#include "tools/human_format.h"
#include "tools/terminal_row.h"

namespace walferry {
namespace {

// Lines that the block leaves to the log above it, and its own first one.
constexpr size_t kOtherRows = 5;

double AsDouble(int64_t number) { return static_cast<double>(number); }

// Of "1.2 GiB of 3.4 GiB", as far as it is known.
std::string BytesOf(int64_t bytes, int64_t total) {
  if (total <= 0) return bytes > 0 ? HumanBytes(AsDouble(bytes)) : "";
  return absl::StrCat(HumanBytes(AsDouble(bytes)), " of ",
                      HumanBytes(AsDouble(total)));
}

// "3/12 tables", or while it follows "64 KiB behind".
std::string ItemsOf(int64_t done, int64_t total, int64_t lag, Phase phase) {
  if (lag >= 0) return absl::StrCat(HumanBytes(AsDouble(lag)), " behind");
  if (total <= 0) return "";
  return absl::StrCat(HumanCount(done), "/", HumanCount(total), " ",
                      ItemsNoun(phase));
}

// The same number of cells in each row, so that they stand in columns.
void Align(std::vector<std::vector<Cell>>& rows) {
  if (rows.empty()) return;
  for (size_t column = 0; column < rows.front().size(); ++column) {
    size_t width = 0;
    for (const std::vector<Cell>& row : rows) {
      width = std::max(width, row[column].text.size());
    }
    for (std::vector<Cell>& row : rows) row[column].width = width;
  }
}

}  // namespace

ServerProgressTable::Row& ServerProgressTable::RowOf(
    absl::string_view database) {
  const auto known = absl::c_find_if(
      rows_, [&](const Row& row) { return row.database == database; });
  if (known != rows_.end()) return *known;
  Row row;
  row.database = std::string(database);
  row.began = now_();
  rows_.push_back(std::move(row));
  return rows_.back();
}

void ServerProgressTable::OnEvent(absl::string_view database,
                                  const Event& event) {
  absl::MutexLock lock(&mutex_);
  if (database.empty()) {
    const auto* started = std::get_if<PhaseStarted>(&event);
    if (started != nullptr) phase_ = started->phase;
    if (const auto* progress = std::get_if<Progress>(&event)) {
      databases_done_ = progress->items_done;
      databases_total_ = progress->items_total;
    }
    return;
  }
  Row& row = RowOf(database);
  if (const auto* started = std::get_if<PhaseStarted>(&event)) {
    row.phase = started->phase;
    row.rate = RateMeter();
    row.items_done = row.items_total = 0;
    row.lag_bytes = -1;
  } else if (const auto* lag = std::get_if<Lag>(&event)) {
    row.lag_bytes = static_cast<int64_t>(lag->lag_bytes);
  } else if (const auto* progress = std::get_if<Progress>(&event)) {
    row.items_done = progress->items_done;
    row.items_total = progress->items_total;
    // Later phases say nothing of them.
    if (progress->phase == Phase::kCopy) {
      row.bytes = progress->bytes;
      row.bytes_total = progress->bytes_total;
    }
    row.rate.Add(progress->elapsed, AsDouble(progress->bytes));
  } else if (const auto* done = std::get_if<Done>(&event)) {
    row.state = State::kDone;
    row.bytes = row.bytes_total = done->report.bytes_copied;
    row.ended = now_();
  } else if (std::holds_alternative<Failed>(event)) {
    row.state = State::kFailed;
    row.ended = now_();
  }
}

std::vector<const ServerProgressTable::Row*>
ServerProgressTable::InOrderOfInterest() const {
  std::vector<const Row*> rows;
  for (const Row& row : rows_) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const Row* a, const Row* b) {
    return a->state < b->state;
  });
  return rows;
}

std::string ServerProgressTable::RenderWhole(size_t columns) const {
  int64_t bytes = 0;
  for (const Row& row : rows_) bytes += row.bytes;
  std::vector<Cell> cells;
  if (databases_total_ > 0) {
    cells.push_back({absl::StrCat(HumanCount(databases_done_), "/",
                                  HumanCount(databases_total_), " done"),
                     0, 3});
  }
  if (bytes > 0) cells.push_back({HumanBytes(AsDouble(bytes)), 0, 2});
  cells.push_back({HumanDuration(now_() - began_), 0, 1});
  const absl::string_view name =
      phase_ == Phase::kCopy ? "databases" : PhaseName(phase_);
  return FitRow(name, name.size(), std::move(cells), columns);
}

std::vector<std::string> ServerProgressTable::Render(
    TerminalSize size, absl::string_view note) const {
  absl::MutexLock lock(&mutex_);
  // The last column stays free: some terminals wrap when it is written.
  size.columns = size.columns > 1 ? size.columns - 1 : 1;
  const size_t room = size.rows > kOtherRows ? size.rows - kOtherRows : 1;
  std::vector<const Row*> rows = InOrderOfInterest();
  const size_t shown = std::min(rows.size(), room);
  std::vector<std::vector<Cell>> cells;
  size_t name_width = 0;
  for (size_t at = 0; at < shown; ++at) {
    const Row& row = *rows[at];
    const bool works = row.state == State::kWorking;
    const double rate = works ? row.rate.PerSecond() : 0;
    const absl::Duration left = TimeLeft(row.bytes, row.bytes_total, rate);
    const absl::string_view step =
        works ? PhaseName(row.phase)
              : (row.state == State::kDone ? "done" : "failed");
    cells.push_back(
        {{std::string(step), 0, 0},
         {works ? ItemsOf(row.items_done, row.items_total, row.lag_bytes,
                          row.phase)
                : "",
          0, 5},
         {BytesOf(row.bytes, works && row.lag_bytes < 0 ? row.bytes_total : 0),
          0, 2},
         {rate > 0 ? HumanRate(rate) : "", 0, 3},
         {rate > 0 && left != absl::InfiniteDuration()
              ? absl::StrCat("ETA ", HumanDuration(left))
              : "",
          0, 4},
         {HumanDuration((works ? now_() : row.ended) - row.began), 0, 1}});
    name_width = std::max(name_width, ColumnsOf(row.database) + 2);
  }
  Align(cells);
  std::vector<std::string> lines = {RenderWhole(size.columns)};
  for (size_t at = 0; at < shown; ++at) {
    lines.push_back(FitRow(absl::StrCat("  ", rows[at]->database), name_width,
                           cells[at], size.columns));
  }
  if (shown < rows.size()) {
    lines.push_back(FitText(
        absl::StrCat("  and ", rows.size() - shown, " more"), size.columns));
  }
  if (!note.empty()) {
    lines.push_back(FitText(absl::StrCat("  ", note), size.columns));
  }
  return lines;
}

}  // namespace walferry
