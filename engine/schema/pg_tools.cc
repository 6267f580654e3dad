#include "engine/schema/pg_tools.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "engine/schema/subprocess.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kVersionTimeout = absl::Seconds(5);

bool IsExecutable(const std::string& path) {
  return access(path.c_str(), X_OK) == 0;
}

std::filesystem::path Resolved(const std::string& path) {
  std::error_code error;
  return std::filesystem::canonical(path, error);
}

// "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or "... 19devel".
bool ReadVersion(absl::string_view text, PgTools& tools) {
  for (absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    const auto end = std::find_if_not(word.begin(), word.end(), [](char byte) {
      return absl::ascii_isdigit(static_cast<unsigned char>(byte));
    });
    const auto digits = static_cast<size_t>(end - word.begin());
    if (!absl::SimpleAtoi(word.substr(0, digits), &tools.major)) continue;
    tools.version = std::string(word);
    return true;
  }
  return false;
}

// The client with this pg_dump.
absl::StatusOr<PgTools> Probe(const std::string& pg_dump,
                              const Interrupt* interrupt) {
  PgTools tools{.pg_dump = pg_dump};
  tools.pg_restore =
      (std::filesystem::path(pg_dump).parent_path() / "pg_restore").string();
  const absl::StatusOr<SubprocessResult> ran =
      RunSubprocess({.argv = {pg_dump, "--version"},
                     .timeout = kVersionTimeout,
                     .interrupt = interrupt});
  if (absl::IsNotFound(ran.status()) ||
      absl::IsPermissionDenied(ran.status())) {
    return WithHint(ran.status(),
                    "name the program itself with --pg-dump, or leave the "
                    "option out: it is looked for on PATH and in the "
                    "distribution's folders");
  }
  RETURN_IF_ERROR(ran.status());
  const SubprocessResult& result = *ran;
  if (!result.ok() || !ReadVersion(result.output, tools)) {
    return absl::FailedPreconditionError(
        absl::StrCat(pg_dump, " --version: exit code ", result.exit_code,
                     ", \"", absl::StripAsciiWhitespace(result.output), "\""));
  }
  if (!IsExecutable(tools.pg_restore)) {
    return absl::FailedPreconditionError(
        absl::StrCat(pg_dump, ": no pg_restore beside it"));
  }
  return tools;
}

// What the search came upon.
struct Found {
  std::vector<PgTools> tools;
  std::vector<std::string> broken;  // Why they are no choice.

  std::string Text() const {
    std::vector<std::string> texts;
    for (const PgTools& each : tools) {
      texts.push_back(absl::StrCat(each.version, " (", each.pg_dump, ")"));
    }
    texts.insert(texts.end(), broken.begin(), broken.end());
    if (texts.empty()) return "none was found";
    return absl::StrCat("found ", absl::StrJoin(texts, ", "));
  }
};

absl::Status NoneNewEnough(const PgToolsOptions& options, int needed,
                           const Found& found) {
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      "no pg_dump is new enough: the source is PostgreSQL ",
                      options.source_version / 10000, " and the target ",
                      options.target_version / 10000, ", ", found.Text())),
                  absl::StrCat("install the package postgresql-client-", needed,
                               ", or name a newer pg_dump with --pg-dump"));
}

absl::StatusOr<Found> Search(const PgToolsOptions& options,
                             const std::vector<std::string>& directories) {
  Found found;
  std::set<std::filesystem::path> seen;
  for (const std::string& directory : directories) {
    const std::string path = absl::StrCat(directory, "/pg_dump");
    const std::filesystem::path resolved = Resolved(path);
    if (!IsExecutable(path) || resolved.filename() == "pg_wrapper") continue;
    if (!seen.insert(resolved).second) continue;
    absl::StatusOr<PgTools> tools = Probe(path, options.interrupt);
    if (absl::IsCancelled(tools.status())) return tools.status();
    if (tools.ok()) {
      found.tools.push_back(*std::move(tools));
    } else {
      found.broken.emplace_back(tools.status().message());
    }
  }
  return found;
}

// A name without a slash is meant as a shell would: on PATH.
absl::StatusOr<std::string> PathOf(
    const std::string& program, const std::vector<std::string>& directories) {
  if (program.find('/') != std::string::npos) return program;
  for (const std::string& directory : directories) {
    const std::string path = absl::StrCat(directory, "/", program);
    if (IsExecutable(path)) return path;
  }
  return WithHint(absl::NotFoundError(absl::StrCat(program, ": not on PATH")),
                  "give its path with --pg-dump");
}

std::vector<std::string> Glob(const char* pattern) {
  std::vector<std::string> paths;
  glob_t found = {};
  if (glob(pattern, 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

// The number in "/usr/lib/postgresql/15/bin" or "/usr/pgsql-15/bin".
int VersionInPath(absl::string_view path) {
  int version = 0;
  for (absl::string_view word : absl::StrSplit(path, absl::ByAnyChar("/-"))) {
    if (absl::SimpleAtoi(word, &version)) return version;
  }
  return 0;
}

}  // namespace

std::vector<std::string> PgToolDirectories() {
  std::vector<std::string> directories;
  if (const char* path = std::getenv("PATH"); path != nullptr) {
    directories = absl::StrSplit(path, ':', absl::SkipEmpty());
  }
  std::vector<std::string> versioned = Glob("/usr/lib/postgresql/*/bin");
  for (std::string& path : Glob("/usr/pgsql-*/bin")) {
    versioned.push_back(std::move(path));
  }
  std::stable_sort(versioned.begin(), versioned.end(),
                   [](const std::string& a, const std::string& b) {
                     return VersionInPath(a) > VersionInPath(b);
                   });
  directories.insert(directories.end(), versioned.begin(), versioned.end());
  return directories;
}

absl::StatusOr<PgTools> FindPgTools(
    const PgToolsOptions& options,
    const std::vector<std::string>& directories) {
  const int needed =
      std::max(options.source_version, options.target_version) / 10000;
  if (!options.pg_dump.empty()) {
    ASSIGN_OR_RETURN(const std::string path,
                     PathOf(options.pg_dump, directories));
    ASSIGN_OR_RETURN(PgTools tools, Probe(path, options.interrupt));
    if (tools.major < needed)
      return NoneNewEnough(options, needed, {{tools}, {}});
    return tools;
  }
  ASSIGN_OR_RETURN(const Found found, Search(options, directories));
  const PgTools* best = nullptr;
  for (const PgTools& tools : found.tools) {
    if (tools.major < needed) continue;
    if (best == nullptr || tools.major < best->major) best = &tools;
  }
  if (best == nullptr) return NoneNewEnough(options, needed, found);
  return *best;
}

}  // namespace walferry
