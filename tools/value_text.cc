#include "tools/value_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/human_format.h"

namespace walferry {
namespace {

// Shown before the first difference, so that its place can be recognized.
constexpr size_t kLead = 16;

uint8_t ByteAt(absl::string_view text, size_t place) {
  return static_cast<uint8_t>(text[place]);
}

bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The character that `text` begins with and its bytes; 0 bytes: none does.
struct Character {
  uint32_t code = 0;
  size_t size = 0;
};

Character FirstCharacter(absl::string_view text) {
  const uint8_t lead = ByteAt(text, 0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xf5   ? 0
                      : lead >= 0xf0 ? 4
                      : lead >= 0xe0 ? 3
                      : lead >= 0xc2 ? 2
                                     : 0;
  if (size == 0 || text.size() < size) return {};
  uint32_t code = lead & (0xffu >> (size + 1));
  for (size_t place = 1; place < size; ++place) {
    const uint8_t byte = ByteAt(text, place);
    if (!IsContinuation(byte)) return {};
    code = code << 6 | (byte & 0x3fu);
  }
  return {code, size};
}

// Marks of direction, joiners and blanks without width.
bool CannotBeSeen(uint32_t code) {
  return (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0xad;
}

void AppendVisible(absl::string_view text, std::string& visible) {
  while (!text.empty()) {
    const Character first = FirstCharacter(text);
    const size_t size = std::max<size_t>(first.size, 1);
    if (first.size == 0) {
      absl::StrAppendFormat(&visible, "\\x%02x", ByteAt(text, 0));
    } else if (first.code == '\n') {
      visible += "\\n";
    } else if (first.code == '\r') {
      visible += "\\r";
    } else if (first.code == '\t') {
      visible += "\\t";
    } else if (first.code == '\\') {
      visible += "\\\\";
    } else if (first.code < 0x20 || first.code == 0x7f) {
      absl::StrAppendFormat(&visible, "\\x%02x", first.code);
    } else if ((first.code >= 0x80 && first.code < 0xa0) ||
               CannotBeSeen(first.code)) {
      absl::StrAppendFormat(&visible, "\\u{%x}", first.code);
    } else {
      visible.append(text.data(), size);
    }
    text.remove_prefix(size);
  }
}

// At most three bytes before `place`, where a character begins.
size_t CharacterBegin(absl::string_view text, size_t place) {
  size_t begin = place;
  while (begin > 0 && begin < text.size() && place - begin < 3 &&
         IsContinuation(ByteAt(text, begin))) {
    --begin;
  }
  return begin;
}

std::string SizeText(absl::string_view text) {
  return absl::StrCat(
      " (", HumanCount(static_cast<int64_t>(text.size()), "byte", "bytes"),
      ")");
}

// `most` bytes from `begin` on.
std::string Excerpt(const std::optional<std::string>& value, size_t begin,
                    size_t most) {
  if (!value.has_value()) return "NULL";
  const absl::string_view text = *value;
  begin = CharacterBegin(text, std::min(begin, text.size()));
  const size_t end = CharacterBegin(text, std::min(text.size(), begin + most));
  std::string shown = begin > 0 ? "...'" : "'";
  AppendVisible(text.substr(begin, end - begin), shown);
  shown += "'";
  if (end < text.size()) shown += "...";
  if (begin > 0 || end < text.size()) shown += SizeText(text);
  return shown;
}

}  // namespace

std::string VisibleText(absl::string_view text, size_t most) {
  const size_t end = CharacterBegin(text, std::min(text.size(), most));
  std::string visible;
  AppendVisible(text.substr(0, end), visible);
  if (end < text.size()) absl::StrAppend(&visible, "...", SizeText(text));
  return visible;
}

ValuePair VisibleValues(const std::optional<std::string>& source,
                        const std::optional<std::string>& target, size_t most) {
  const size_t longest =
      std::max(source ? source->size() : 0, target ? target->size() : 0);
  size_t begin = 0;
  if (longest > most && source.has_value() && target.has_value()) {
    const auto differs = std::mismatch(source->begin(), source->end(),
                                       target->begin(), target->end());
    const auto same = static_cast<size_t>(differs.first - source->begin());
    begin = same > kLead ? same - kLead : 0;
  }
  return {Excerpt(source, begin, most), Excerpt(target, begin, most)};
}

}  // namespace walferry
