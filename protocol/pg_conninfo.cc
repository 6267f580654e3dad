#include "protocol/pg_conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protocol/conninfo_secrets.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"

namespace walferry {
namespace {

struct Finish {
  void operator()(PGconn* conn) const { PQfinish(conn); }
};
struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// The rest of a URI behind its scheme, or nothing.
bool ConsumeUriScheme(absl::string_view& text) {
  return absl::ConsumePrefix(&text, "postgresql://") ||
         absl::ConsumePrefix(&text, "postgres://");
}

absl::Status BadConnInfo(absl::string_view what, absl::string_view hint) {
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat("connection string: ", what)),
      hint);
}

// libpq quotes the piece it stumbled over, which may be a piece of a password
// that was not escaped. Keeps quoted punctuation, which is libpq's own.
std::string WithoutQuotedText(absl::string_view message) {
  std::string text;
  bool quoted = false;
  for (absl::string_view part : absl::StrSplit(message, '"')) {
    const bool own = part.size() == 1 && absl::ascii_ispunct(part[0]);
    if (quoted) {
      absl::StrAppend(&text, "\"", own ? part : "...", "\"");
    } else {
      absl::StrAppend(&text, part);
    }
    quoted = !quoted;
  }
  return text;
}

bool MayHoldPassword(absl::string_view conninfo) {
  return absl::StrContains(absl::AsciiStrToLower(conninfo), "pass") ||
         absl::StrContains(conninfo, "@");
}

std::string Shown(absl::string_view conninfo, absl::string_view message) {
  message = absl::StripAsciiWhitespace(message);
  return MayHoldPassword(conninfo) ? WithoutQuotedText(message)
                                   : std::string(message);
}

// With an unescaped '/' or '@' in its password a URI reads as another URI,
// which shows a part of the password as host, port or database.
absl::Status CheckUri(absl::string_view conninfo) {
  absl::string_view rest = conninfo;
  if (!ConsumeUriScheme(rest)) return absl::OkStatus();
  const absl::string_view authority = rest.substr(0, rest.find('/'));
  rest.remove_prefix(authority.size());
  const auto ats = std::count(authority.begin(), authority.end(), '@');
  const bool has_path = ats > 0 || !absl::StrContains(authority, '?');
  if (ats < 2 &&
      !(has_path && absl::StrContains(rest.substr(0, rest.find('?')), '@'))) {
    return absl::OkStatus();
  }
  return BadConnInfo("the URI has an @ where none may stand",
                     "in a user name, a password or a database name write %40 "
                     "for @, %2F for /, %3A for :");
}

absl::Status CheckPorts(const std::string& ports) {
  for (absl::string_view text : absl::StrSplit(ports, ',')) {
    int port = 0;
    if (text.empty()) continue;
    if (!absl::SimpleAtoi(text, &port) || port < 1 || port > 65535) {
      return BadConnInfo("the port is not a number from 1 to 65535",
                         "in a URI's password write %2F for /, %3A for :");
    }
  }
  return absl::OkStatus();
}

// What libpq itself hides, and what it does not and should.
bool IsSecret(const PQconninfoOption& option) {
  const absl::string_view keyword = option.keyword;
  return absl::string_view(option.dispchar) == "*" ||
         keyword == "oauth_client_secret" || keyword == "scram_client_key" ||
         keyword == "scram_server_key";
}

constexpr char kRefused[] = "?";

// Everything libpq knows about the string before it touches the network: the
// setting `spoiled` gets a value that libpq refuses, after it has resolved
// all others.
absl::StatusOr<Options> ResolveButOne(const std::string& conninfo,
                                      const char* spoiled) {
  const char* keywords[] = {"dbname", spoiled, nullptr};
  const char* values[] = {conninfo.c_str(), kRefused, nullptr};
  std::unique_ptr<PGconn, Finish> conn(
      PQconnectStartParams(keywords, values, /*expand_dbname=*/1));
  if (conn == nullptr) return absl::ResourceExhaustedError("out of memory");
  const absl::string_view message = PQerrorMessage(conn.get());
  if (!absl::StrContains(message, spoiled) ||
      !absl::StrContains(message, absl::StrCat("\"", kRefused, "\""))) {
    return absl::InvalidArgumentError(
        absl::StrCat("connection string: ", Shown(conninfo, message)));
  }
  Options options(PQconninfo(conn.get()));
  if (options == nullptr) return absl::ResourceExhaustedError("out of memory");
  return options;
}

// libpq takes whatever is no URI to it and has no "=" for a database's name,
// and shows that name: with a mistyped scheme it is a URI, password and all.
// No keyword has an "@" or "://".
absl::Status CheckScheme(absl::string_view conninfo) {
  absl::string_view rest = conninfo;
  if (ConsumeUriScheme(rest)) return absl::OkStatus();
  const absl::string_view head = conninfo.substr(0, conninfo.find('='));
  if (!absl::StrContains(head, "://") && !absl::StrContains(head, "@")) {
    return absl::OkStatus();
  }
  return BadConnInfo("it is neither a URI nor keywords with values",
                     "a URI begins with postgresql:// or postgres://; the "
                     "name of a database with such characters is written "
                     "dbname='...'");
}

// Otherwise it is a database's name and nothing else.
bool IsUriOrKeywords(absl::string_view conninfo) {
  return ConsumeUriScheme(conninfo) || absl::StrContains(conninfo, "=");
}

absl::Status CheckSyntax(const std::string& conninfo) {
  if (!IsUriOrKeywords(conninfo)) return absl::OkStatus();
  char* error = nullptr;
  const Options parsed(PQconninfoParse(conninfo.c_str(), &error));
  if (parsed != nullptr) return absl::OkStatus();
  absl::Status status = BadConnInfo(
      Shown(conninfo, error == nullptr ? "out of memory" : error),
      "in a URI write special characters as %XX; elsewhere put a value with "
      "spaces in single quotes");
  PQfreemem(error);
  return status;
}

}  // namespace

absl::StatusOr<ResolvedConnInfo> ResolvedConnInfo::Of(
    const std::string& conninfo) {
  if (absl::StrContains(conninfo, '\0')) {
    return BadConnInfo("it holds a NUL byte", "remove it");
  }
  RETURN_IF_ERROR(CheckScheme(conninfo));
  RETURN_IF_ERROR(CheckUri(conninfo));
  RETURN_IF_ERROR(CheckSyntax(conninfo));
  constexpr char kFirst[] = "target_session_attrs";
  constexpr char kSecond[] = "sslmode";
  ASSIGN_OR_RETURN(const Options all_but_first,
                   ResolveButOne(conninfo, kFirst));
  ASSIGN_OR_RETURN(const Options all_but_second,
                   ResolveButOne(conninfo, kSecond));
  ResolvedConnInfo resolved;
  const PQconninfoOption* other = all_but_second.get();
  for (const PQconninfoOption* option = all_but_first.get();
       option->keyword != nullptr; ++option, ++other) {
    const char* value =
        absl::string_view(option->keyword) == kFirst ? other->val : option->val;
    Setting setting{.keyword = option->keyword,
                    .value = value == nullptr ? "" : value,
                    .is_default = false,
                    .secret = IsSecret(*option)};
    const char* built_in = option->compiled;
    setting.is_default = setting.value == (built_in == nullptr ? "" : built_in);
    resolved.settings_.push_back(std::move(setting));
  }
  RETURN_IF_ERROR(CheckPorts(resolved.Value("port")));
  return resolved;
}

std::string ResolvedConnInfo::Value(absl::string_view keyword) const {
  for (const Setting& setting : settings_) {
    if (setting.keyword == keyword) return setting.value;
  }
  return "";
}

bool ResolvedConnInfo::IsSet(absl::string_view keyword) const {
  return !Value(keyword).empty();
}

std::string QuoteConnInfoValue(absl::string_view value) {
  std::string quoted = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

absl::StatusOr<ConnInfoParts> ParseConnInfo(const std::string& conninfo) {
  ASSIGN_OR_RETURN(const ResolvedConnInfo resolved,
                   ResolvedConnInfo::Of(conninfo));
  ConnInfoParts parts{.host = resolved.Value("host"),
                      .port = resolved.Value("port"),
                      .dbname = resolved.Value("dbname"),
                      .user = resolved.Value("user"),
                      .without_password = "",
                      .password = resolved.Value("password")};
  if (parts.host.empty()) parts.host = resolved.Value("hostaddr");
  for (const ResolvedConnInfo::Setting& setting : resolved.settings()) {
    if (setting.secret || setting.is_default || setting.value.empty() ||
        setting.keyword == "service" || setting.keyword == "servicefile") {
      continue;
    }
    absl::StrAppend(&parts.without_password,
                    parts.without_password.empty() ? "" : " ", setting.keyword,
                    "=", QuoteConnInfoValue(setting.value));
  }
  return parts;
}

absl::StatusOr<std::string> ConnInfoOfDatabase(const std::string& conninfo,
                                               absl::string_view dbname) {
  RETURN_IF_ERROR(ResolvedConnInfo::Of(conninfo).status());
  const std::string database =
      absl::StrCat("dbname=", QuoteConnInfoValue(dbname));
  if (!IsUriOrKeywords(conninfo)) return database;
  const Options parsed(PQconninfoParse(conninfo.c_str(), nullptr));
  if (parsed == nullptr) return absl::ResourceExhaustedError("out of memory");
  std::string others;
  for (const PQconninfoOption* option = parsed.get();
       option->keyword != nullptr; ++option) {
    if (option->val == nullptr ||
        absl::string_view(option->keyword) == "dbname") {
      continue;
    }
    absl::StrAppend(&others, option->keyword, "=",
                    QuoteConnInfoValue(option->val), " ");
  }
  return absl::StrCat(others, database);
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> OtherSecrets(
    const std::string& conninfo) {
  ASSIGN_OR_RETURN(const ResolvedConnInfo resolved,
                   ResolvedConnInfo::Of(conninfo));
  std::vector<std::pair<std::string, std::string>> secrets;
  for (const ResolvedConnInfo::Setting& setting : resolved.settings()) {
    if (!setting.secret || setting.keyword == "password") continue;
    if (!setting.value.empty()) {
      secrets.emplace_back(setting.keyword, setting.value);
    }
  }
  return secrets;
}

}  // namespace walferry
