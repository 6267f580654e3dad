#ifndef TOOLS_LOG_FORMAT_H_
#define TOOLS_LOG_FORMAT_H_

// Lets log lines take absl::string_view: Debian's Abseil keeps it apart from
// the standard's, and fmt knows only that one.

#include <fmt/format.h>

#include "absl/strings/string_view.h"

template <>
struct fmt::formatter<absl::string_view> : fmt::formatter<fmt::string_view> {
  template <typename Context>
  auto format(absl::string_view text, Context& context) const {
    return fmt::formatter<fmt::string_view>::format(
        fmt::string_view(text.data(), text.size()), context);
  }
};

#endif  // TOOLS_LOG_FORMAT_H_
