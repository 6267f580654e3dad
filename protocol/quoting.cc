#include "protocol/quoting.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace walferry {
namespace {

// `text` between two `quote`s, with each one inside doubled.
std::string Enclose(absl::string_view text, char quote) {
  std::string out;
  out.reserve(text.size() + 2);
  out.push_back(quote);
  for (const char byte : text) {
    if (byte == quote) out.push_back(quote);
    out.push_back(byte);
  }
  out.push_back(quote);
  return out;
}

bool NeedsNoQuotes(absl::string_view name) {
  const auto starts_word = [](char byte) {
    return absl::ascii_islower(static_cast<unsigned char>(byte)) || byte == '_';
  };
  const auto continues_word = [&](char byte) {
    return starts_word(byte) || byte == '$' ||
           absl::ascii_isdigit(static_cast<unsigned char>(byte));
  };
  return !name.empty() && starts_word(name.front()) &&
         std::all_of(name.begin(), name.end(), continues_word);
}

std::string DisplayOne(absl::string_view name) {
  return NeedsNoQuotes(name) ? std::string(name) : QuoteIdentifier(name);
}

}  // namespace

std::string QuoteIdentifier(absl::string_view name) {
  return Enclose(name, '"');
}

std::string Quote(const QualifiedName& name) {
  return absl::StrCat(QuoteIdentifier(name.schema), ".",
                      QuoteIdentifier(name.name));
}

std::string ToDisplay(const QualifiedName& name) {
  return absl::StrCat(DisplayOne(name.schema), ".", DisplayOne(name.name));
}

std::string QuoteLiteral(absl::string_view text) {
  const std::string quoted = Enclose(text, '\'');
  if (text.find('\\') == absl::string_view::npos) return quoted;
  std::string out = "E";
  for (const char byte : quoted) {
    if (byte == '\\') out.push_back('\\');
    out.push_back(byte);
  }
  return out;
}

std::string QuoteTextArray(absl::Span<const std::string> texts) {
  return absl::StrCat(
      "ARRAY[",
      absl::StrJoin(texts, ", ",
                    [](std::string* out, const std::string& text) {
                      absl::StrAppend(out, QuoteLiteral(text));
                    }),
      "]::pg_catalog.text[]");
}

std::string QuoteReplicationLiteral(absl::string_view text) {
  return Enclose(text, '\'');
}

std::string QuotePublicationNames(absl::Span<const std::string> names) {
  return QuoteReplicationLiteral(
      absl::StrJoin(names, ",", [](std::string* out, const std::string& name) {
        absl::StrAppend(out, QuoteIdentifier(name));
      }));
}

}  // namespace walferry
