#ifndef ENGINE_ARCHIVE_LINE_READER_H_
#define ENGINE_ARCHIVE_LINE_READER_H_

// Text that comes in pieces of any size, line by line.

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace walferry {

class LineReader {
 public:
  // Without its newline; valid during the call.
  using TakeLine = absl::FunctionRef<void(absl::string_view line)>;

  void Add(absl::string_view piece, TakeLine take) {
    for (size_t end = piece.find('\n'); end != absl::string_view::npos;
         end = piece.find('\n')) {
      if (rest_.empty()) {
        take(piece.substr(0, end));
      } else {
        absl::StrAppend(&rest_, piece.substr(0, end));
        take(rest_);
        rest_.clear();
      }
      piece.remove_prefix(end + 1);
    }
    absl::StrAppend(&rest_, piece);
  }

  // All has been added: a last line may lack its newline.
  void Finish(TakeLine take) {
    if (!rest_.empty()) take(rest_);
    rest_.clear();
  }

 private:
  std::string rest_;  // A line that has not ended.
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_LINE_READER_H_
