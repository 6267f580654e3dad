#ifndef ENGINE_SCHEMA_SQL_LINES_H_
#define ENGINE_SCHEMA_SQL_LINES_H_

// SQL text cut at those line ends that lie outside of quotes and comments.

#include <cstddef>

#include "absl/base/attributes.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Views its text. Knows '...', E'...', "...", $tag$...$tag$, -- and nested
// /* */ as the server does. The text's encoding must be one that a server can
// have: no byte of a longer character is below 128.
class SqlLines {
 public:
  enum class Kind {
    kEnd,
    kText,
    kComment,      // Begins with --.
    kPsqlCommand,  // Begins with a backslash.
    // The text ends inside a quote or comment, or has a backslash outside of
    // quotes that is not the line's first character.
    kMalformed,
  };

  explicit SqlLines(absl::string_view text ABSL_ATTRIBUTE_LIFETIME_BOUND)
      : text_(text) {}

  // The next line, which is several lines when a quote or comment goes on
  // beyond a line's end. A psql command and a comment always are one line.
  Kind Next();

  // Of the last Next(), without the final newline.
  absl::string_view line() const { return line_; }
  // Number of its first line, from 1.
  int number() const { return number_; }

 private:
  // Each moves past what begins at place_; false: it does not end.
  bool SkipQuoted(char quote, bool backslash_escapes);
  bool SkipBlockComment();
  bool SkipDollarQuoted();
  bool SkipTextLine();
  void SkipRestOfLine();
  char At(size_t place) const {
    return place < text_.size() ? text_[place] : '\0';
  }
  bool AtWordStart() const;

  absl::string_view text_;
  size_t place_ = 0;
  absl::string_view line_;
  int number_ = 1;
  int next_number_ = 1;
};

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SQL_LINES_H_
