#include "engine/schema/sql_lines.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace walferry {
namespace {

bool IsWordStart(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return absl::ascii_isalpha(code) || byte == '_' || code >= 128;
}

bool IsWord(char byte) {
  return IsWordStart(byte) || byte == '$' ||
         absl::ascii_isdigit(static_cast<unsigned char>(byte));
}

}  // namespace

SqlLines::Kind SqlLines::Next() {
  number_ = next_number_;
  const size_t begin = place_;
  Kind kind = Kind::kText;
  if (begin >= text_.size()) {
    kind = Kind::kEnd;
  } else if (absl::StartsWith(text_.substr(begin), "--")) {
    kind = Kind::kComment;
    SkipRestOfLine();
  } else if (text_[begin] == '\\') {
    kind = Kind::kPsqlCommand;
    SkipRestOfLine();
  } else if (!SkipTextLine()) {
    kind = Kind::kMalformed;
    place_ = text_.size();
  }
  line_ = text_.substr(begin, place_ - begin);
  if (place_ < text_.size()) ++place_;  // The newline.
  const absl::string_view passed = text_.substr(begin, place_ - begin);
  next_number_ +=
      static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
  return kind;
}

bool SqlLines::AtWordStart() const {
  return place_ == 0 || !IsWord(text_[place_ - 1]);
}

void SqlLines::SkipRestOfLine() {
  place_ = std::min(text_.find('\n', place_), text_.size());
}

bool SqlLines::SkipTextLine() {
  while (place_ < text_.size()) {
    const char byte = text_[place_];
    bool closed = true;
    if (byte == '\n') return true;
    if (byte == '\\') return false;
    if (byte == '\'') {
      closed = SkipQuoted('\'', /*backslash_escapes=*/false);
    } else if (byte == '"') {
      closed = SkipQuoted('"', /*backslash_escapes=*/false);
    } else if ((byte == 'e' || byte == 'E') && At(place_ + 1) == '\'' &&
               AtWordStart()) {
      ++place_;
      closed = SkipQuoted('\'', /*backslash_escapes=*/true);
    } else if (byte == '$' && AtWordStart()) {
      closed = SkipDollarQuoted();
    } else if (byte == '/' && At(place_ + 1) == '*') {
      closed = SkipBlockComment();
    } else if (byte == '-' && At(place_ + 1) == '-') {
      SkipRestOfLine();
    } else {
      ++place_;
    }
    if (!closed) return false;
  }
  return true;
}

bool SqlLines::SkipQuoted(char quote, bool backslash_escapes) {
  for (++place_; place_ < text_.size(); ++place_) {
    if (backslash_escapes && text_[place_] == '\\') {
      ++place_;
    } else if (text_[place_] == quote) {
      // A doubled quote ends here and begins again at once: the same to us.
      ++place_;
      if (At(place_) != quote) return true;
    }
  }
  return false;
}

bool SqlLines::SkipBlockComment() {
  int depth = 0;
  while (place_ + 1 < text_.size()) {
    const absl::string_view two = text_.substr(place_, 2);
    if (two == "/*") {
      ++depth;
    } else if (two == "*/") {
      --depth;
    } else {
      ++place_;
      continue;
    }
    place_ += 2;
    if (depth == 0) return true;
  }
  return false;
}

bool SqlLines::SkipDollarQuoted() {
  size_t end = place_ + 1;
  if (IsWordStart(At(end))) {
    while (At(end) != '$' && IsWord(At(end))) ++end;
  }
  if (At(end) != '$') {  // $1, a parameter.
    ++place_;
    return true;
  }
  const absl::string_view delimiter = text_.substr(place_, end + 1 - place_);
  const size_t close = text_.find(delimiter, end + 1);
  if (close == absl::string_view::npos) return false;
  place_ = close + delimiter.size();
  return true;
}

}  // namespace walferry
