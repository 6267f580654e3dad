#include "engine/verify/definition_text.h"

#include <cstddef>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

// From then on a column's table is named only where there is more than one.
constexpr int kFewerQualifiers = 160000;

bool IsNameByte(char byte) {
  return absl::ascii_isalnum(byte) || byte == '_' || byte == '$' ||
         (byte & 0x80) != 0;
}

// Words, numbers, strings and single signs; a cast's :: is one token. Strings
// keep their quotes, names lose theirs.
class Tokenizer {
 public:
  explicit Tokenizer(absl::string_view text) : text_(text) {}

  std::vector<std::string> Run() {
    std::vector<std::string> tokens;
    while (true) {
      while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
      if (at_ >= text_.size()) return tokens;
      tokens.push_back(Next());
    }
  }

 private:
  std::string Next() {
    const char byte = text_[at_];
    if (byte == '"') return Quoted('"', false);
    if (byte == '\'') return Quoted('\'', false);
    if (byte == 'E' && at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
      ++at_;
      return absl::StrCat("E", Quoted('\'', true));
    }
    if (byte == '$') {
      if (std::string body = DollarQuoted(); !body.empty()) return body;
    }
    if (IsNameByte(byte)) {
      const size_t start = at_;
      // A number's point belongs to it.
      const bool number = absl::ascii_isdigit(byte);
      while (at_ < text_.size() &&
             (IsNameByte(text_[at_]) || (number && text_[at_] == '.'))) {
        ++at_;
      }
      return absl::AsciiStrToLower(text_.substr(start, at_ - start));
    }
    const size_t length = absl::StartsWith(text_.substr(at_), "::") ? 2 : 1;
    at_ += length;
    return std::string(text_.substr(at_ - length, length));
  }

  std::string Quoted(char quote, bool escapes) {
    const size_t start = at_++;
    while (at_ < text_.size()) {
      if (escapes && text_[at_] == '\\') {
        at_ += 2;
      } else if (text_[at_] != quote) {
        ++at_;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        at_ += 2;
      } else {
        break;
      }
    }
    at_ = at_ < text_.size() ? at_ + 1 : text_.size();
    const absl::string_view whole = text_.substr(start, at_ - start);
    if (quote == '\'' || whole.size() < 2) return std::string(whole);
    return std::string(whole.substr(1, whole.size() - 2));
  }

  // "" if none begins here.
  std::string DollarQuoted() {
    const size_t tag_end = text_.find('$', at_ + 1);
    if (tag_end == absl::string_view::npos) return "";
    const absl::string_view tag = text_.substr(at_, tag_end - at_ + 1);
    for (const char byte : tag) {
      if (!IsNameByte(byte)) return "";
    }
    const size_t end = text_.find(tag, tag_end + 1);
    if (end == absl::string_view::npos) return "";
    const size_t start = at_;
    at_ = end + tag.size();
    return std::string(text_.substr(start, at_ - start));
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

struct Token {
  std::string text;
  size_t closed_at = 0;  // Of an opening parenthesis.
};

// A definition without casts and needless parentheses.
class NormalForm {
 public:
  explicit NormalForm(absl::string_view text) : input_(Tokenizer(text).Run()) {
    while (at_ < input_.size()) {
      if (Takes("::")) {
        TakeType();
      } else if (input_[at_] == ")") {
        ++at_;
        Close();
      } else {
        if (input_[at_] == "(") open_.push_back(tokens_.size());
        Add(std::move(input_[at_++]));
      }
    }
  }

  const std::vector<Token>& tokens() const { return tokens_; }
  const std::set<std::string>& casts() const { return casts_; }

 private:
  bool Takes(absl::string_view text) {
    if (at_ >= input_.size() || input_[at_] != text) return false;
    ++at_;
    return true;
  }

  void Add(std::string text) {
    if (text == "procedure" && !tokens_.empty() &&
        tokens_.back().text == "execute") {
      text = "function";
    }
    tokens_.push_back({std::move(text)});
  }

  void Close() {
    if (open_.empty()) return Add(")");
    const size_t open = open_.back();
    open_.pop_back();
    if (IsOneName(open + 1)) {
      tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(open));
      return;
    }
    if (tokens_.size() > open + 2 && tokens_[open + 1].text == "(" &&
        tokens_[open + 1].closed_at + 1 == tokens_.size()) {
      tokens_.pop_back();
      tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(open) + 1);
    }
    tokens_[open].closed_at = tokens_.size();
    Add(")");
  }

  // One word, with the names before it, ends the tokens.
  bool IsOneName(size_t first) const {
    if ((tokens_.size() - first) % 2 == 0) return false;
    for (size_t point = first + 1; point < tokens_.size(); point += 2) {
      if (tokens_[point].text != ".") return false;
    }
    return true;
  }

  // As format_type() writes it.
  void TakeType() {
    std::string type = TakeWord();
    while (Takes(".")) absl::StrAppend(&type, ".", TakeWord());
    if (type == "character" || type == "bit") TakeAny({"varying"}, type);
    if (type == "double") TakeAny({"precision"}, type);
    if (type == "interval") {
      TakeAny({"year", "month", "day", "hour", "minute", "second", "to"}, type);
    }
    TakeModifier(type);
    if (absl::StartsWith(type, "time")) {
      TakeAny({"with", "without", "time", "zone"}, type);
    }
    while (at_ + 1 < input_.size() && input_[at_] == "[" &&
           input_[at_ + 1] == "]") {
      at_ += 2;
    }
    casts_.insert(std::move(type));
  }

  std::string TakeWord() {
    return at_ < input_.size() ? std::move(input_[at_++]) : "";
  }

  void TakeAny(std::initializer_list<absl::string_view> words,
               std::string& type) {
    for (bool more = true; more;) {
      more = false;
      for (const absl::string_view word : words) {
        if (!Takes(word)) continue;
        absl::StrAppend(&type, " ", word);
        more = true;
      }
    }
  }

  void TakeModifier(std::string& type) {
    if (!Takes("(")) return;
    absl::StrAppend(&type, "(");
    while (at_ < input_.size() && !Takes(")")) {
      absl::StrAppend(&type, TakeWord());
    }
    absl::StrAppend(&type, ")");
  }

  std::vector<std::string> input_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  std::vector<size_t> open_;  // Places in tokens_ of open parentheses.
  std::set<std::string> casts_;
};

// `older` may name a column's table where `newer` does not.
bool SameTokens(const std::vector<Token>& older,
                const std::vector<Token>& newer, bool fewer_qualifiers) {
  const auto is_qualified = [](const std::vector<Token>& tokens, size_t at) {
    return at + 2 < tokens.size() && tokens[at + 1].text == "." &&
           IsNameByte(tokens[at].text[0]);
  };
  size_t there = 0;
  for (size_t here = 0; here < newer.size(); ++here) {
    if (fewer_qualifiers && is_qualified(older, there) &&
        !is_qualified(newer, here) &&
        older[there + 2].text == newer[here].text) {
      there += 2;
    }
    if (there >= older.size() || older[there].text != newer[here].text) {
      return false;
    }
    ++there;
  }
  return there == older.size();
}

}  // namespace

bool SameDefinition(const Definition& one, const Definition& other) {
  if (one.text == other.text) return true;
  const bool in_order = one.server_version <= other.server_version;
  const Definition& older = in_order ? one : other;
  const Definition& newer = in_order ? other : one;
  const NormalForm older_form(older.text);
  const NormalForm newer_form(newer.text);
  return older_form.casts() == newer_form.casts() &&
         SameTokens(older_form.tokens(), newer_form.tokens(),
                    older.server_version < kFewerQualifiers &&
                        newer.server_version >= kFewerQualifiers);
}

}  // namespace walferry
