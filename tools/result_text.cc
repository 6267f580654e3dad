#include "tools/result_text.h"

#include "absl/strings/str_format.h"
#include "tools/human_format.h"

namespace walferry {

void AddLine(std::string& text, absl::string_view name,
             absl::string_view value) {
  absl::StrAppendFormat(&text, "  %-19s%s\n", name, value);
}

std::string BytesText(int64_t bytes) {
  return HumanBytes(static_cast<double>(bytes));
}

}  // namespace walferry
