#ifndef TOOLS_VALUE_TEXT_H_
#define TOOLS_VALUE_TEXT_H_

// Values of rows as a person reads them: whatever is in them steers no
// terminal, and two that differ do not look alike.

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// Control characters, backslashes, characters that cannot be seen and bytes
// that are not UTF-8 as \n, \\, \u{200b} and \xff. Of more than `most` bytes
// the first, with "... (5,003 bytes)" behind them.
std::string VisibleText(absl::string_view text, size_t most = 200);

// Of one column on both sides.
struct ValuePair {
  std::string source;
  std::string target;
};

// NULL, or 'text', as VisibleText has it. If one of them is longer than `most`
// bytes, that much of each from shortly before where they first differ:
// ...'xyz'... (5,003 bytes).
ValuePair VisibleValues(const std::optional<std::string>& source,
                        const std::optional<std::string>& target,
                        size_t most = 60);

}  // namespace walferry

#endif  // TOOLS_VALUE_TEXT_H_
