#ifndef TOOLS_RESULT_TEXT_H_
#define TOOLS_RESULT_TEXT_H_

// What the texts of all results are made of.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// "  size               3.1 GiB": the values stand below each other.
void AddLine(std::string& text, absl::string_view name,
             absl::string_view value);

// "3.1 GiB".
std::string BytesText(int64_t bytes);

}  // namespace walferry

#endif  // TOOLS_RESULT_TEXT_H_
