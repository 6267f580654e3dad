#include "tools/text_wrap.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace walferry {
namespace {

void AppendParagraph(absl::string_view paragraph, absl::string_view prefix,
                     size_t width, std::string& lines) {
  std::string line;
  for (absl::string_view word :
       absl::StrSplit(paragraph, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      absl::StrAppend(&lines, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? prefix : " ", word);
  }
  absl::StrAppend(&lines, line, "\n");
}

}  // namespace

std::string WrapText(absl::string_view text, absl::string_view prefix,
                     size_t width) {
  std::string lines;
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n")) {
    if (!lines.empty()) lines += "\n";
    AppendParagraph(paragraph, prefix, width, lines);
  }
  return lines;
}

}  // namespace walferry
