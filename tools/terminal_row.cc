#include "tools/terminal_row.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// East Asian characters, which may be two columns wide, have at least three
// bytes; so have some narrow ones, which then count too much.
size_t ColumnsOfCharacter(char first_byte) {
  return static_cast<unsigned char>(first_byte) >= 0xe0 ? 2 : 1;
}

size_t RowWidth(size_t name_width, const std::vector<Cell>& cells) {
  size_t width = name_width;
  for (const Cell& cell : cells) {
    width += 2 + std::max(cell.width, cell.text.size());
  }
  return width;
}

// Drops the least important cell; false if all that are left must stay.
bool DropCell(std::vector<Cell>& cells) {
  auto least = cells.end();
  for (auto cell = cells.begin(); cell != cells.end(); ++cell) {
    if (cell->importance == 0) continue;
    if (least == cells.end() || cell->importance <= least->importance) {
      least = cell;
    }
  }
  if (least == cells.end()) return false;
  cells.erase(least);
  return true;
}

}  // namespace

size_t ColumnsOf(absl::string_view text) {
  size_t columns = 0;
  for (const char c : text) {
    if (!IsContinuation(c)) columns += ColumnsOfCharacter(c);
  }
  return columns;
}

std::string FitText(absl::string_view text, size_t width) {
  const bool cut = ColumnsOf(text) > width;
  const absl::string_view mark =
      absl::string_view("...").substr(0, cut ? width : 0);
  size_t columns = mark.size();
  std::string fitted;
  for (const char c : text) {
    if (!IsContinuation(c)) columns += ColumnsOfCharacter(c);
    if (columns > width) break;
    fitted.push_back(absl::ascii_iscntrl(static_cast<unsigned char>(c)) ? '?'
                                                                        : c);
  }
  return absl::StrCat(fitted, mark);
}

std::string FitRow(absl::string_view name, size_t name_width,
                   std::vector<Cell> cells, size_t width) {
  while (RowWidth(name_width, cells) > width && DropCell(cells)) {
  }
  const size_t cells_width = RowWidth(0, cells);
  const size_t room = width > cells_width ? width - cells_width : 0;
  std::string row = FitText(name, std::min(name_width, room));
  const size_t columns = ColumnsOf(row);
  row.append(std::min(name_width, room) - std::min(columns, room), ' ');
  for (const Cell& cell : cells) {
    const size_t padding = cell.width - std::min(cell.width, cell.text.size());
    absl::StrAppend(&row, "  ", std::string(padding, ' '), cell.text);
  }
  return FitText(row, width);
}

}  // namespace walferry
