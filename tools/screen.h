#ifndef TOOLS_SCREEN_H_
#define TOOLS_SCREEN_H_

// Standard error as a person sees it: lines that stay, and on a terminal a
// block of live lines below them.

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace walferry {

// Thread-safe. Each call is one write of the whole change, without erasing
// first, so that nothing flickers.
class Screen {
 public:
  // `out` outlives the screen. `live`: it is a terminal that knows ANSI
  // sequences; otherwise there is never a block.
  Screen(std::ostream& out, bool live) : out_(out), live_(live) {}

  bool live() const { return live_; }

  // Text of one or more lines, without the last newline, above the block.
  void Print(absl::string_view text);

  // Replaces the block. Its lines must be narrower than the terminal and fewer
  // than its rows.
  void ShowBlock(std::vector<std::string> lines);

 private:
  void Draw(absl::string_view above) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::ostream& out_;
  const bool live_;
  absl::Mutex mutex_;
  std::vector<std::string> block_ ABSL_GUARDED_BY(mutex_);
  size_t shown_lines_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace walferry

#endif  // TOOLS_SCREEN_H_
