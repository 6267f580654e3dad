#ifndef TOOLS_TERMINAL_ROW_H_
#define TOOLS_TERMINAL_ROW_H_

// One line of figures that fits the terminal.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

struct Cell {
  std::string text;
  // Padded on the left to it, so that figures of several rows stand in
  // columns.
  size_t width = 0;
  // The least important cell is left out first; 0 never.
  int importance = 0;
};

// `name`, padded to `name_width`, and the cells, two blanks apart, in at most
// `width` columns: what does not fit goes by importance, then the name is cut.
std::string FitRow(absl::string_view name, size_t name_width,
                   std::vector<Cell> cells, size_t width);

// At most `width` columns of `text`, with "..." where something was cut.
// Control characters become "?": a table's name must not steer the terminal.
std::string FitText(absl::string_view text, size_t width);

// Columns that `text` (UTF-8) takes; never fewer than it really does.
size_t ColumnsOf(absl::string_view text);

}  // namespace walferry

#endif  // TOOLS_TERMINAL_ROW_H_
