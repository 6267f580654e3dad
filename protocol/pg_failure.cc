#include "protocol/pg_failure.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protocol/pg_result.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kProtocolBroken[] = {
    "lost synchronization with server",
    "message contents do not agree",
    "message type 0x",
    "insufficient data in",
    "extraneous data in",
    "unexpected field count in",
    "unexpected response from server",
    "server sent data (\"D\" message)",
    "protocol error",
};

struct TextCode {
  absl::string_view text;
  absl::StatusCode code;
  absl::string_view hint;
};

constexpr absl::string_view kPasswordHint =
    "check the password: in the connection string, PGPASSWORD or ~/.pgpass";

// What libpq finds out by itself.
constexpr TextCode kOwnRefusals[] = {
    {"no password supplied", absl::StatusCode::kPermissionDenied,
     kPasswordHint},
    {"server does not support SSL", absl::StatusCode::kFailedPrecondition,
     "switch TLS on at the server, or choose another sslmode"},
    {"certificate", absl::StatusCode::kFailedPrecondition,
     "check sslrootcert, sslcert and the server's certificate"},
    {"private key file", absl::StatusCode::kFailedPrecondition,
     "check sslkey and the file's permissions"},
    {"expected authentication request from server",
     absl::StatusCode::kFailedPrecondition,
     "is this the port of a PostgreSQL server?"},
    {"received invalid response to", absl::StatusCode::kFailedPrecondition,
     "is this the port of a PostgreSQL server?"},
    {"invalid target_session_attrs value", absl::StatusCode::kInvalidArgument,
     "see libpq's manual for its values"},
    {"could not translate host name", absl::StatusCode::kUnavailable,
     "check the host name"},
};

constexpr TextCode kSqlStateHints[] = {
    {"28P01", absl::StatusCode::kPermissionDenied, kPasswordHint},
    {"28000", absl::StatusCode::kPermissionDenied,
     "check the role and the server's pg_hba.conf"},
    {"3D000", absl::StatusCode::kNotFound,
     "create the database, or name one that exists"},
    {"53300", absl::StatusCode::kUnavailable,
     "close sessions, or raise the limit: the server's, or the one of the "
     "database or role that is named"},
};

bool IsSqlState(absl::string_view text) {
  if (text.size() != 5) return false;
  for (char c : text) {
    if (!absl::ascii_isdigit(c) && !absl::ascii_isupper(c)) return false;
  }
  return true;
}

// Verbose messages read `FATAL:  28P01: password authentication ...`. Takes
// the SQLSTATE out of the line and returns it.
std::string TakeSqlState(std::string& line) {
  for (size_t at = line.find(":  "); at != std::string::npos;
       at = line.find(":  ", at + 1)) {
    const size_t state = at + 3;
    if (line.size() < state + 7 || line.compare(state + 5, 2, ": ") != 0) {
      continue;
    }
    std::string sqlstate = line.substr(state, 5);
    if (!IsSqlState(sqlstate)) continue;
    line.erase(at + 1, 2 + 5 + 1);
    absl::StrAppend(&line, " (SQLSTATE ", sqlstate, ")");
    return sqlstate;
  }
  return "";
}

struct ConnectMessage {
  std::string text;
  std::string sqlstate;
  std::string hint;
};

ConnectMessage ReadConnectMessage(absl::string_view verbose_message) {
  ConnectMessage message;
  for (absl::string_view part : absl::StrSplit(verbose_message, '\n')) {
    absl::string_view line = absl::StripAsciiWhitespace(part);
    if (line.empty() || absl::StartsWith(line, "LOCATION:")) continue;
    // libpq's own advice stands below the message, behind a tab. With
    // several hosts it would come several times.
    if (absl::StartsWith(part, "\t")) continue;
    if (absl::ConsumePrefix(&line, "HINT:")) {
      message.hint = std::string(absl::StripAsciiWhitespace(line));
      continue;
    }
    const bool detail = absl::ConsumePrefix(&line, "DETAIL:");
    std::string owned(absl::StripLeadingAsciiWhitespace(line));
    if (std::string state = TakeSqlState(owned); !state.empty()) {
      message.sqlstate = state;
    }
    const absl::string_view between =
        message.text.empty() ? "" : (detail ? ": " : "; ");
    absl::StrAppend(&message.text, between, owned);
  }
  return message;
}

std::string OneLine(absl::string_view message) {
  std::string line;
  for (absl::string_view part : absl::StrSplit(message, '\n')) {
    part = absl::StripAsciiWhitespace(part);
    if (!part.empty()) absl::StrAppend(&line, line.empty() ? "" : " ", part);
  }
  return line.empty() ? "connection failure without a message" : line;
}

}  // namespace

absl::Status LinkFailure(absl::string_view libpq_message) {
  const std::string text = OneLine(libpq_message);
  for (absl::string_view broken : kProtocolBroken) {
    if (absl::StrContains(text, broken)) return absl::DataLossError(text);
  }
  return absl::UnavailableError(text);
}

absl::Status ConnectFailure(absl::string_view verbose_message) {
  const ConnectMessage message = ReadConnectMessage(verbose_message);
  if (!message.sqlstate.empty()) {
    absl::Status status = WithSqlState(
        absl::Status(StatusCodeForSqlState(message.sqlstate), message.text),
        message.sqlstate);
    if (!message.hint.empty()) return WithHint(status, message.hint);
    for (const TextCode& known : kSqlStateHints) {
      if (message.sqlstate == known.text) return WithHint(status, known.hint);
    }
    return status;
  }
  for (const TextCode& own : kOwnRefusals) {
    if (absl::StrContains(message.text, own.text)) {
      return WithHint(absl::Status(own.code, message.text), own.hint);
    }
  }
  return WithHint(LinkFailure(message.text),
                  "check that the server runs and can be reached there");
}

}  // namespace walferry
