#include "protocol/copy_text.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

// Where the first byte stands, at `begin` or behind it, that may need a second
// look: a backslash, or one below 0x0e, such as tab and newline. Without one,
// the size of `text`.
size_t FindSpecial(absl::string_view text, size_t begin) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x80 * kOnes;
  size_t at = begin;
  for (uint64_t word; at + sizeof(word) <= text.size(); at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    const uint64_t slashes = word ^ '\\' * kOnes;  // Now zero bytes.
    if ((((word - 0x0e * kOnes) & ~word) | ((slashes - kOnes) & ~slashes)) &
        kHighBits) {
      break;
    }
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x0e || byte == '\\') break;
  }
  return at;
}

// The letter that stands behind a backslash for `byte`, or 0.
char EscapeLetter(char byte) {
  switch (byte) {
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    default:
      return 0;
  }
}

char UnescapeLetter(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return letter;
  }
}

bool IsOctal(char byte) { return byte >= '0' && byte <= '7'; }

bool IsHex(char byte) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(byte));
}

int HexValue(char digit) { return (digit & 0xf) + (digit > '9' ? 9 : 0); }

// Removes what stands behind a backslash from the front of `rest`, which is
// not empty, and returns the byte it means (CopyReadAttributesText).
char TakeEscape(absl::string_view* rest) {
  const char first = rest->front();
  rest->remove_prefix(1);
  if (IsOctal(first)) {
    int value = first - '0';
    for (int digits = 1; digits < 3 && !rest->empty() && IsOctal((*rest)[0]);
         ++digits) {
      value = value << 3 | (rest->front() - '0');
      rest->remove_prefix(1);
    }
    return static_cast<char>(value & 0xff);
  }
  if (first == 'x' && !rest->empty() && IsHex(rest->front())) {
    int value = 0;
    for (int digits = 0; digits < 2 && !rest->empty() && IsHex((*rest)[0]);
         ++digits) {
      value = value << 4 | HexValue(rest->front());
      rest->remove_prefix(1);
    }
    return static_cast<char>(value);
  }
  return UnescapeLetter(first);
}

absl::Status FieldError(absl::string_view what, size_t offset, size_t size) {
  return absl::DataLossError(absl::StrCat("COPY text field: ", what,
                                          " at offset ", offset, " of ", size));
}

}  // namespace

CopyTextRow::CopyTextRow(absl::string_view line) : rest_(line) {
  if (!rest_.empty() && rest_.back() == '\n') rest_.remove_suffix(1);
}

std::optional<absl::string_view> CopyTextRow::Next() {
  const size_t tab = rest_.find('\t');
  const absl::string_view field = rest_.substr(0, tab);
  if (tab == absl::string_view::npos) {
    rest_ = {};
    done_ = true;
  } else {
    rest_.remove_prefix(tab + 1);
  }
  if (field == "\\N") return std::nullopt;
  return field;
}

absl::StatusOr<absl::string_view> UnescapeCopyText(absl::string_view field,
                                                   std::string* buffer) {
  absl::string_view rest = field;  // What is not in the buffer yet.
  size_t at = 0;
  while ((at = FindSpecial(rest, at)) < rest.size()) {
    const size_t offset = field.size() - rest.size() + at;
    if (rest[at] == '\t' || rest[at] == '\n') {
      return FieldError("raw tab or newline", offset, field.size());
    }
    if (rest[at] != '\\') {
      ++at;
      continue;
    }
    if (rest.size() == field.size()) buffer->clear();
    buffer->append(rest.data(), at);
    rest.remove_prefix(at + 1);
    at = 0;
    if (rest.empty()) {
      return FieldError("backslash at the end", offset, field.size());
    }
    if (rest[0] == '\t' || rest[0] == '\n') {
      return FieldError("raw tab or newline", offset + 1, field.size());
    }
    buffer->push_back(TakeEscape(&rest));
  }
  if (rest.size() == field.size()) return field;
  buffer->append(rest.data(), rest.size());
  return absl::string_view(*buffer);
}

void AppendCopyText(std::optional<absl::string_view> value, std::string* out) {
  if (!value.has_value()) {
    out->append("\\N");
    return;
  }
  size_t begin = 0;
  for (size_t end = 0; (end = FindSpecial(*value, end)) < value->size();
       ++end) {
    const char letter = EscapeLetter((*value)[end]);
    if (letter == 0) continue;
    out->append(value->data() + begin, end - begin);
    out->push_back('\\');
    out->push_back(letter);
    begin = end + 1;
  }
  out->append(value->data() + begin, value->size() - begin);
}

}  // namespace walferry
