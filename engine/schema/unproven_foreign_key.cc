#include "engine/schema/unproven_foreign_key.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace walferry {
namespace {

// Takes "name" or name from the front; "" if there is none.
absl::string_view TakeIdentifier(absl::string_view& text) {
  size_t end = 0;
  if (absl::StartsWith(text, "\"")) {
    for (end = 1; end < text.size(); ++end) {
      if (text[end] != '"') continue;
      if (end + 1 == text.size() || text[end + 1] != '"') break;
      ++end;
    }
    if (end >= text.size()) return "";
    ++end;
  } else {
    while (end < text.size() && text[end] != '.' && text[end] != '"' &&
           !absl::ascii_isspace(static_cast<unsigned char>(text[end]))) {
      ++end;
    }
  }
  const absl::string_view identifier = text.substr(0, end);
  text.remove_prefix(end);
  return identifier;
}

}  // namespace

std::optional<UnprovenForeignKey> WithoutProof(absl::string_view sql) {
  constexpr absl::string_view kAlter = "ALTER TABLE ONLY ";
  size_t begin = 0;
  if (!absl::StartsWith(sql, kAlter)) {
    begin = sql.find(absl::StrCat("\n", kAlter));
    if (begin == absl::string_view::npos) return std::nullopt;
    ++begin;
  }
  absl::string_view rest = sql.substr(begin + kAlter.size());
  const absl::string_view schema = TakeIdentifier(rest);
  if (schema.empty() || !absl::ConsumePrefix(&rest, ".")) return std::nullopt;
  const absl::string_view table = TakeIdentifier(rest);
  rest = absl::StripLeadingAsciiWhitespace(rest);
  if (table.empty() || !absl::ConsumePrefix(&rest, "ADD CONSTRAINT ")) {
    return std::nullopt;
  }
  const absl::string_view name = TakeIdentifier(rest);
  if (name.empty() || !absl::StartsWith(rest, " FOREIGN KEY (")) {
    return std::nullopt;
  }
  absl::string_view body = absl::StripTrailingAsciiWhitespace(sql);
  if (absl::EndsWith(body, " NOT VALID;") ||
      absl::EndsWith(body, " NOT ENFORCED;")) {
    return UnprovenForeignKey{.create = std::string(sql), .validate = ""};
  }
  if (!absl::ConsumeSuffix(&body, ";")) return std::nullopt;
  return UnprovenForeignKey{
      .create = absl::StrCat(body, " NOT VALID;"),
      .validate = absl::StrCat(kAlter, schema, ".", table,
                               " VALIDATE CONSTRAINT ", name, ";")};
}

}  // namespace walferry
