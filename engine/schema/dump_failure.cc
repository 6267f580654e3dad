#include "engine/schema/dump_failure.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of libpq, and of a server that starts, stops or is full.
constexpr absl::string_view kLinkFailures[] = {
    "server closed the connection unexpectedly",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "terminating connection",
    "SSL SYSCALL error",
    "SSL connection has been closed",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "No route to host",
    "Network is unreachable",
    "timeout expired",
    "could not translate host name",
    "the database system is",
    "too many clients",
    "too many connections",
    "remaining connection slots",
};

// Both programs print a line for everything they do, and what went wrong at
// the end of it: "pg_dump: error: ..." with its details.
std::string ErrorLines(absl::string_view errors) {
  std::vector<absl::string_view> kept;
  for (absl::string_view line : absl::StrSplit(errors, '\n')) {
    if (absl::StrContains(line, ": error: ") ||
        absl::StrContains(line, ": detail: ") ||
        absl::StrContains(line, ": hint: ")) {
      kept.push_back(line);
    }
  }
  if (!kept.empty()) return absl::StrJoin(kept, "; ");
  // Not one of PostgreSQL's: a loader's or a wrapper's complaint.
  const std::vector<absl::string_view> lines =
      absl::StrSplit(errors, '\n', absl::SkipWhitespace());
  return lines.empty() ? "no message" : std::string(lines.back());
}

}  // namespace

absl::Status DumpFailure(absl::string_view program,
                         const SubprocessResult& result) {
  const std::string text = ErrorLines(result.errors);
  const std::string sentence = absl::StrCat(program, " failed with exit code ",
                                            result.exit_code, ": ", text);
  if (absl::StrContains(text, "timeout") &&
      absl::StrContains(text, "LOCK TABLE")) {
    return WithHint(absl::AbortedError(sentence),
                    "someone is changing the schema of the source, or waits "
                    "for it: try again when that is done");
  }
  if (TellsOfLostLink(result.errors)) {
    return absl::UnavailableError(sentence);
  }
  if (absl::StrContains(text, "permission denied")) {
    return WithHint(absl::FailedPreconditionError(sentence),
                    "the source's role must be able to read every table in "
                    "scope: grant SELECT, or exclude the table");
  }
  return absl::FailedPreconditionError(sentence);
}

std::vector<std::string> DumpWarnings(absl::string_view program,
                                      absl::string_view errors) {
  const std::string prefix = absl::StrCat(program, ": warning: ");
  std::vector<std::string> warnings;
  for (absl::string_view line : absl::StrSplit(errors, '\n')) {
    if (!absl::ConsumePrefix(&line, prefix)) continue;
    warnings.push_back(absl::StrCat(program, ": ", line));
  }
  return warnings;
}

bool TellsOfLostLink(absl::string_view message) {
  return std::any_of(std::begin(kLinkFailures), std::end(kLinkFailures),
                     [&](absl::string_view failure) {
                       return absl::StrContains(message, failure);
                     });
}

}  // namespace walferry
