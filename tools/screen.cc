#include "tools/screen.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace walferry {
namespace {

constexpr absl::string_view kEndOfLine = "\x1b[K\n";  // Clears the rest.
constexpr absl::string_view kClearBelow = "\x1b[J";

}  // namespace

void Screen::Print(absl::string_view text) {
  absl::MutexLock lock(&mutex_);
  if (live_) {
    Draw(text);
  } else {
    out_ << text << '\n' << std::flush;
  }
}

void Screen::ShowBlock(std::vector<std::string> lines) {
  absl::MutexLock lock(&mutex_);
  if (!live_ || (lines.empty() && block_.empty())) return;
  block_ = std::move(lines);
  Draw("");
}

void Screen::Draw(absl::string_view above) {
  std::string bytes;
  if (shown_lines_ > 0) absl::StrAppend(&bytes, "\x1b[", shown_lines_, "A");
  bytes += "\r";
  if (!above.empty()) {
    for (absl::string_view line : absl::StrSplit(above, '\n')) {
      absl::StrAppend(&bytes, line, kEndOfLine);
    }
  }
  for (const std::string& line : block_) {
    absl::StrAppend(&bytes, line, kEndOfLine);
  }
  if (shown_lines_ > 0) absl::StrAppend(&bytes, kClearBelow);
  out_ << bytes << std::flush;
  shown_lines_ = block_.size();
}

}  // namespace walferry
