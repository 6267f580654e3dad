#include "engine/verify/definition_text.h"

#include <cstddef>
#include <initializer_list>
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
// keep their quotes, names lose theirs unless they begin with a sign.
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
    if (quote == '\'' || whole.size() < 3 || !IsNameByte(whole[1])) {
      return std::string(whole);
    }
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

using Tokens = std::vector<std::string>;

bool IsCast(absl::string_view token) { return absl::StartsWith(token, "::"); }

bool IsWord(absl::string_view token) {
  return IsNameByte(token[0]) || token[0] == '"';
}

bool IsWordOrString(absl::string_view token) {
  return IsWord(token) || token[0] == '\'';
}

bool Opens(absl::string_view token) { return token == "(" || token == "["; }
bool Closes(absl::string_view token) { return token == ")" || token == "]"; }

// Behind the parenthesis that closes the one at `open`.
size_t EndOfGroup(const Tokens& tokens, size_t open) {
  size_t depth = 0;
  for (size_t at = open; at < tokens.size(); ++at) {
    if (Opens(tokens[at])) ++depth;
    if (Closes(tokens[at]) && --depth == 0) return at + 1;
  }
  return tokens.size();
}

// What a cast behind it is of as a whole: one name with those before it, a
// string, a number or one pair of parentheses, each with its casts.
bool IsOperand(const Tokens& tokens) {
  if (tokens.empty()) return false;
  size_t at = 0;
  if (tokens[0] == "(") {
    at = EndOfGroup(tokens, 0);
  } else if (IsWordOrString(tokens[0])) {
    at = 1;
    while (at + 1 < tokens.size() && tokens[at] == "." &&
           IsWord(tokens[at + 1])) {
      at += 2;
    }
  } else {
    return false;
  }
  while (at < tokens.size() && IsCast(tokens[at])) ++at;
  return at == tokens.size();
}

// ARRAY[...] with something in it.
bool IsArray(const Tokens& tokens) {
  return tokens.size() > 3 && tokens[0] == "array" && tokens[1] == "[" &&
         EndOfGroup(tokens, 1) == tokens.size();
}

// ARRAY[a, b] with each element cast: what a server makes of
// (ARRAY[a, b])::type[] when it reads that.
Tokens ArrayOfCasts(const Tokens& array, const std::string& cast) {
  Tokens out = {"array", "["};
  Tokens element;
  size_t depth = 0;
  for (size_t at = 2; at < array.size(); ++at) {
    const bool last = at + 1 == array.size();
    if (!last && (depth > 0 || array[at] != ",")) {
      if (Opens(array[at])) ++depth;
      if (Closes(array[at])) --depth;
      element.push_back(array[at]);
      continue;
    }
    if (IsArray(element)) {
      element = ArrayOfCasts(element, cast);
    } else {
      if (!IsOperand(element)) {
        element.insert(element.begin(), "(");
        element.push_back(")");
      }
      element.push_back(cast);
    }
    out.insert(out.end(), element.begin(), element.end());
    out.push_back(array[at]);
    element.clear();
  }
  return out;
}

// A definition without needless parentheses, each cast one token.
class NormalForm {
 public:
  explicit NormalForm(absl::string_view text) : input_(Tokenizer(text).Run()) {
    while (at_ < input_.size()) {
      if (Takes("::")) {
        AddCast(TakeType());
      } else if (input_[at_] == ")") {
        ++at_;
        Close();
      } else {
        if (input_[at_] == "(") open_.push_back(tokens_.size());
        Add(std::move(input_[at_++]));
      }
    }
  }

  const Tokens& tokens() const { return tokens_; }

 private:
  bool Takes(absl::string_view text) {
    if (at_ >= input_.size() || input_[at_] != text) return false;
    ++at_;
    return true;
  }

  void Add(std::string text) {
    if (text == "procedure" && !tokens_.empty() &&
        tokens_.back() == "execute") {
      text = "function";
    }
    tokens_.push_back(std::move(text));
  }

  Tokens From(size_t first) const {
    return {tokens_.begin() + static_cast<std::ptrdiff_t>(first),
            tokens_.end()};
  }

  // Whether parentheses at `open` only keep together what is in them: behind a
  // word they may be those of a call.
  bool OnlyGroups(size_t open) const {
    if (open == 0) return true;
    const std::string& before = tokens_[open - 1];
    return !IsWordOrString(before) && !Closes(before) && !IsCast(before);
  }

  void Close() {
    if (open_.empty()) return Add(")");
    const size_t open = open_.back();
    open_.pop_back();
    const Tokens inside = From(open + 1);
    // (a).b is not a.b.
    const bool goes_on =
        at_ < input_.size() && (input_[at_] == "." || input_[at_] == "[");
    if (OnlyGroups(open) && !goes_on && IsOperand(inside)) {
      tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(open));
      return;
    }
    Add(")");
    if (IsDoubled(open, inside)) {
      tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(open));
      tokens_.pop_back();
    }
  }

  // Parentheses around parentheses. ANY ((SELECT ...)) is of one array,
  // ANY (SELECT ...) of many rows.
  bool IsDoubled(size_t open, const Tokens& inside) const {
    if (inside.size() < 3 || inside[0] != "(" ||
        EndOfGroup(inside, 0) != inside.size() || IsCast(inside.back())) {
      return false;
    }
    const bool subquery =
        inside[1] == "select" || inside[1] == "with" || inside[1] == "values";
    return !subquery || OnlyGroups(open);
  }

  void AddCast(std::string cast) {
    constexpr absl::string_view kOfArray = "[]";
    if (!absl::EndsWith(cast, kOfArray) || !CastsArray()) {
      tokens_.push_back(std::move(cast));
      return;
    }
    cast.resize(cast.size() - kOfArray.size());
    const Tokens array = ArrayOfCasts(From(array_), cast);
    tokens_.resize(array_);
    tokens_.insert(tokens_.end(), array.begin(), array.end());
  }

  // Whether the tokens end with ARRAY[...], which then begins at array_;
  // parentheses around it are gone.
  bool CastsArray() {
    if (tokens_.empty() || !Closes(tokens_.back())) return false;
    size_t open = tokens_.size(), depth = 0;
    do {
      --open;
      if (Closes(tokens_[open])) ++depth;
      if (Opens(tokens_[open])) --depth;
    } while (depth > 0 && open > 0);
    if (tokens_[open] == "[") {
      if (open == 0 || !IsArray(From(open - 1))) return false;
      array_ = open - 1;
      return true;
    }
    Tokens inside = From(open + 1);
    inside.pop_back();
    if (!OnlyGroups(open) || !IsArray(inside)) return false;
    tokens_.pop_back();
    tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(open));
    array_ = open;
    return true;
  }

  // As format_type() writes it.
  std::string TakeType() {
    std::string type = absl::StrCat("::", TakeWord());
    while (Takes(".")) absl::StrAppend(&type, ".", TakeWord());
    if (type == "::character" || type == "::bit") TakeAny({"varying"}, type);
    if (type == "::double") TakeAny({"precision"}, type);
    if (type == "::interval") {
      TakeAny({"year", "month", "day", "hour", "minute", "second", "to"}, type);
    }
    TakeModifier(type);
    if (absl::StartsWith(type, "::time")) {
      TakeAny({"with", "without", "time", "zone"}, type);
    }
    while (at_ + 1 < input_.size() && input_[at_] == "[" &&
           input_[at_ + 1] == "]") {
      at_ += 2;
      absl::StrAppend(&type, "[]");
    }
    return type;
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

  Tokens input_;
  size_t at_ = 0;
  Tokens tokens_;
  std::vector<size_t> open_;  // Places in tokens_ of open parentheses.
  size_t array_ = 0;
};

// `older` may name a column's table where `newer` does not.
bool SameTokens(const Tokens& older, const Tokens& newer,
                bool fewer_qualifiers) {
  const auto is_qualified = [](const Tokens& tokens, size_t at) {
    return at + 2 < tokens.size() && tokens[at + 1] == "." &&
           IsWord(tokens[at]);
  };
  size_t there = 0;
  for (size_t here = 0; here < newer.size(); ++here) {
    if (fewer_qualifiers && is_qualified(older, there) &&
        !is_qualified(newer, here) && older[there + 2] == newer[here]) {
      there += 2;
    }
    if (there >= older.size() || older[there] != newer[here]) {
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
  return SameTokens(older_form.tokens(), newer_form.tokens(),
                    older.server_version < kFewerQualifiers &&
                        newer.server_version >= kFewerQualifiers);
}

}  // namespace walferry
