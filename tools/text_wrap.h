#ifndef TOOLS_TEXT_WRAP_H_
#define TOOLS_TEXT_WRAP_H_

// Breaks running text into lines.

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// `text`'s words in lines of at most `width` bytes, each line after `prefix`
// and ended by a newline. Empty lines divide paragraphs and stay empty. A word
// that is too long has a line of its own.
std::string WrapText(absl::string_view text, absl::string_view prefix,
                     size_t width = 80);

}  // namespace walferry

#endif  // TOOLS_TEXT_WRAP_H_
