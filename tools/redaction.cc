#include "tools/redaction.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace walferry {
namespace {

constexpr absl::string_view kMask = "***";
// libpq's keywords whose values nobody may see.
constexpr absl::string_view kSecretKeywords[] = {
    "password", "sslpassword", "oauth_client_secret", "scram_client_key",
    "scram_server_key"};

bool IsSecretKeyword(absl::string_view keyword) {
  return std::find(std::begin(kSecretKeywords), std::end(kSecretKeywords),
                   keyword) != std::end(kSecretKeywords);
}

// Length of the scheme that `text` begins with, or 0. Any: a mistyped one may
// have a password behind it, too.
size_t SchemeSize(absl::string_view text) {
  size_t size = 0;
  while (size < text.size() &&
         (absl::ascii_isalnum(text[size]) ||
          absl::StrContains("+-._", text.substr(size, 1)))) {
    ++size;
  }
  constexpr absl::string_view kEnd = "://";
  return size > 0 && absl::StartsWith(text.substr(size), kEnd)
             ? size + kEnd.size()
             : 0;
}

size_t Find(absl::string_view text, absl::string_view any_of, size_t from) {
  return std::min(text.find_first_of(any_of, from), text.size());
}

// Whether `text` is "host:1234/...".
bool HasPort(absl::string_view text) {
  const size_t colon = Find(text, ":", 0);
  const size_t slash = Find(text, "/", 0);
  if (colon + 1 >= slash) return false;
  const absl::string_view port = text.substr(colon + 1, slash - colon - 1);
  return std::all_of(port.begin(), port.end(), absl::ascii_isdigit);
}

// Where the user part's '@' is, or npos. libpq takes the first one before a
// slash; one that stands raw in the password, or after a raw slash, makes the
// URI wrong but the password no less secret.
size_t UserPartEnd(absl::string_view uri, size_t begin) {
  const size_t first_at = Find(uri, "@", begin);
  if (first_at == uri.size()) return absl::string_view::npos;
  if (first_at < Find(uri, "/", begin)) {
    return uri.rfind('@', Find(uri, "/?", first_at));
  }
  const bool in_query = Find(uri, "?", begin) < first_at;
  if (in_query && HasPort(uri.substr(begin))) return absl::string_view::npos;
  return uri.rfind('@', Find(uri, "?", first_at));
}

void AppendQuerySpans(absl::string_view uri, size_t query,
                      std::vector<TextSpan>& spans) {
  for (size_t begin = query; begin < uri.size();) {
    const size_t end = Find(uri, "&", begin);
    const size_t equals = Find(uri, "=", begin);
    if (equals < end && IsSecretKeyword(uri.substr(begin, equals - begin))) {
      spans.push_back({equals + 1, end - equals - 1});
    }
    begin = end + 1;
  }
}

std::vector<TextSpan> SpansOfUri(absl::string_view uri, size_t begin) {
  std::vector<TextSpan> spans;
  size_t user_end = UserPartEnd(uri, begin);
  if (user_end == absl::string_view::npos) {
    user_end = begin;
  } else if (const size_t colon = Find(uri, ":", begin); colon < user_end) {
    spans.push_back({colon + 1, user_end - colon - 1});
  }
  AppendQuerySpans(uri, Find(uri, "?", user_end) + 1, spans);
  return spans;
}

// The value that begins at `begin`, quoted or not, without its quotes; and
// where to read on.
std::pair<TextSpan, size_t> ReadValue(absl::string_view text, size_t begin) {
  const bool quoted = begin < text.size() && text[begin] == '\'';
  if (quoted) ++begin;
  size_t end = begin;
  while (end < text.size() &&
         (quoted ? text[end] != '\'' : !absl::ascii_isspace(text[end]))) {
    end += text[end] == '\\' ? 2 : 1;
  }
  end = std::min(end, text.size());
  return {{begin, end - begin}, quoted ? end + 1 : end};
}

std::vector<TextSpan> SpansOfKeywords(absl::string_view text) {
  std::vector<TextSpan> spans;
  size_t position = 0;
  while (position < text.size()) {
    const size_t equals = Find(text, "=", position);
    if (equals == text.size()) break;
    const absl::string_view before = absl::StripTrailingAsciiWhitespace(
        text.substr(position, equals - position));
    const size_t space = before.find_last_of(" \t\n\r\f\v");
    const absl::string_view keyword =
        space == absl::string_view::npos ? before : before.substr(space + 1);
    const size_t begin = std::min(
        text.find_first_not_of(" \t\n\r\f\v", equals + 1), text.size());
    const auto [value, next] = ReadValue(text, begin);
    if (IsSecretKeyword(keyword)) spans.push_back(value);
    position = next;
  }
  return spans;
}

std::string MaskSpans(absl::string_view text,
                      const std::vector<TextSpan>& spans) {
  std::string masked;
  size_t copied = 0;
  for (const TextSpan& span : spans) {
    if (span.size == 0) continue;
    absl::StrAppend(&masked, text.substr(copied, span.begin - copied), kMask);
    copied = span.begin + span.size;
  }
  absl::StrAppend(&masked, text.substr(copied));
  return masked;
}

// Each %XX as the byte it stands for; what is no such escape stays.
std::string DecodePercent(absl::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size() &&
                        absl::ascii_isxdigit(text[at + 1]) &&
                        absl::ascii_isxdigit(text[at + 2]);
    if (!escape) {
      decoded.push_back(text[at]);
      continue;
    }
    decoded += absl::HexStringToBytes(text.substr(at + 1, 2));
    at += 2;
  }
  return decoded;
}

// The byte behind each backslash in place of both.
std::string DecodeBackslashes(absl::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    decoded.push_back(text[at]);
  }
  return decoded;
}

// Begins `text` with a secret keyword and "="? Then where its value begins,
// else 0.
size_t SecretValueBegin(absl::string_view text) {
  for (absl::string_view keyword : kSecretKeywords) {
    absl::string_view rest = text;
    if (!absl::ConsumePrefix(&rest, keyword)) continue;
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (!absl::ConsumePrefix(&rest, "=")) continue;
    rest = absl::StripLeadingAsciiWhitespace(rest);
    return text.size() - rest.size();
  }
  return 0;
}

// Of URIs and of keywords with their values inside other text.
std::vector<TextSpan> SpansInText(absl::string_view text) {
  constexpr absl::string_view kUriEnd = " \t\n\r\"'<>";
  std::vector<TextSpan> spans;
  size_t at = 0;
  while (at < text.size()) {
    const absl::string_view rest = text.substr(at);
    if (const size_t scheme = SchemeSize(rest); scheme > 0) {
      const size_t end = Find(text, kUriEnd, at);
      for (TextSpan span : SpansOfUri(text.substr(at, end - at), scheme)) {
        spans.push_back({at + span.begin, span.size});
      }
      at = end;
    } else if (const size_t value = SecretValueBegin(rest); value > 0) {
      const auto [span, next] = ReadValue(text, at + value);
      spans.push_back(span);
      at = next;
    } else {
      ++at;
    }
  }
  return spans;
}

}  // namespace

std::vector<TextSpan> PasswordSpans(absl::string_view conninfo) {
  const size_t scheme = SchemeSize(conninfo);
  // No keyword has an "@": it was meant as a URI.
  const bool is_uri =
      scheme > 0 ||
      absl::StrContains(conninfo.substr(0, conninfo.find('=')), "@");
  return is_uri ? SpansOfUri(conninfo, scheme) : SpansOfKeywords(conninfo);
}

std::string RedactConnInfo(absl::string_view conninfo) {
  return MaskSpans(conninfo, PasswordSpans(conninfo));
}

void WipePasswords(int argc, char** argv) {
  for (int argument = 0; argument < argc; ++argument) {
    const absl::string_view text = argv[argument];
    const size_t equals = text.find('=');
    const bool is_flag =
        absl::StartsWith(text, "--") && equals != absl::string_view::npos;
    const size_t offset = is_flag ? equals + 1 : 0;
    for (TextSpan span : PasswordSpans(text.substr(offset))) {
      std::fill_n(argv[argument] + offset + span.begin, span.size, '*');
    }
  }
}

void Redactor::AddConnInfo(absl::string_view conninfo) {
  for (TextSpan span : PasswordSpans(conninfo)) {
    const absl::string_view secret = conninfo.substr(span.begin, span.size);
    AddSecret(secret, conninfo);
    AddSecret(SchemeSize(conninfo) > 0 ? DecodePercent(secret)
                                       : DecodeBackslashes(secret),
              conninfo);
    // Of a password that libpq reads as something else, an error may quote a
    // part: a port, a host.
    for (absl::string_view part :
         absl::StrSplit(secret, absl::ByAnyChar("@/:"))) {
      AddSecret(part, conninfo);
    }
  }
  std::sort(secrets_.begin(), secrets_.end(),
            [](const std::string& a, const std::string& b) {
              return std::pair(b.size(), a) < std::pair(a.size(), b);
            });
  secrets_.erase(std::unique(secrets_.begin(), secrets_.end()), secrets_.end());
}

void Redactor::AddSecret(absl::string_view secret, absl::string_view conninfo) {
  constexpr size_t kShortest = 4;
  if (secret.size() < kShortest) return;
  if (absl::StrContains(RedactConnInfo(conninfo), secret)) return;
  secrets_.emplace_back(secret);
}

std::string Redactor::Redact(absl::string_view text) const {
  std::string redacted(text);
  for (const std::string& secret : secrets_) {
    absl::StrReplaceAll({{secret, kMask}}, &redacted);
  }
  return MaskSpans(redacted, SpansInText(redacted));
}

}  // namespace walferry
