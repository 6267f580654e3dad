#include "engine/archive/compression.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/schema/subprocess.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Before that, --compress takes a level of gzip and nothing else.
constexpr int kMethodsSince = 16;
constexpr absl::Duration kProbeTimeout = absl::Seconds(10);

struct MethodLevels {
  absl::string_view name;
  int lowest, highest;
};
constexpr MethodLevels kMethods[] = {
    {"zstd", -131072, 22}, {"lz4", 0, 12}, {"gzip", 1, 9}, {"none", 0, 0}};

bool IsOfLateClients(const Compression& compression) {
  return compression.method == "zstd" || compression.method == "lz4";
}

// By doing: it looks at its arguments before it connects, which here it
// cannot.
absl::StatusOr<bool> WasBuiltWith(const PgTools& tools,
                                  const Compression& compression,
                                  const Interrupt* interrupt) {
  ASSIGN_OR_RETURN(const SubprocessResult result,
                   RunSubprocess({.argv = {tools.pg_dump, "--no-password",
                                           "--file=/dev/null",
                                           compression.Argument(tools.major),
                                           "--dbname=host=/dev/null"},
                                  .environment = {{"LC_ALL", "C"}},
                                  .dropped_prefix = "PG",
                                  .timeout = kProbeTimeout,
                                  .interrupt = interrupt}));
  return !absl::StrContains(result.errors, "does not support compression");
}

absl::Status CannotDo(const Compression& compression, const PgTools& tools) {
  return absl::FailedPreconditionError(
      absl::StrCat("pg_dump ", tools.version, " (", tools.pg_dump,
                   ") cannot compress with ", compression.method));
}

}  // namespace

std::string Compression::Text() const {
  if (!level.has_value()) return method;
  return absl::StrCat(method, ":", *level);
}

std::string Compression::Argument(int client_major) const {
  if (client_major >= kMethodsSince) return absl::StrCat("--compress=", Text());
  if (method == "none") return "--compress=0";
  return absl::StrCat("--compress=", level.value_or(6));
}

absl::StatusOr<Compression> ParseCompression(absl::string_view text) {
  const size_t colon = text.find(':');
  const absl::string_view name = text.substr(0, colon);
  for (const MethodLevels& method : kMethods) {
    if (name != method.name) continue;
    Compression compression{.method = std::string(name), .level = {}};
    if (colon == absl::string_view::npos) return compression;
    int level = 0;
    if (method.name == "none" ||
        !absl::SimpleAtoi(text.substr(colon + 1), &level) ||
        level < method.lowest || level > method.highest) {
      break;
    }
    compression.level = level;
    return compression;
  }
  return WithHint(
      absl::InvalidArgumentError(
          absl::StrCat("\"", text, "\" is no way to compress")),
      "use zstd, lz4, gzip or none, the first three also with a level, such "
      "as zstd:3");
}

absl::StatusOr<Compression> ChooseCompression(const std::string& wanted,
                                              ArchiveFormat format,
                                              const PgTools& tools,
                                              const Interrupt* interrupt) {
  if (format == ArchiveFormat::kPlain) {
    if (wanted.empty() || wanted == "none") return Compression{"none", {}};
    return WithHint(
        absl::InvalidArgumentError("a plain script is not compressed"),
        "use --format directory or custom, or leave --compress out");
  }
  if (wanted.empty()) {
    Compression zstd{"zstd", 1};
    if (tools.major < kMethodsSince) return Compression{"gzip", 1};
    ASSIGN_OR_RETURN(const bool can, WasBuiltWith(tools, zstd, interrupt));
    return can ? zstd : Compression{"gzip", 1};
  }
  ASSIGN_OR_RETURN(Compression compression, ParseCompression(wanted));
  if (!IsOfLateClients(compression)) return compression;
  if (tools.major < kMethodsSince) {
    return WithHint(CannotDo(compression, tools),
                    absl::StrCat("that takes pg_dump 16 or later: install the "
                                 "package postgresql-client-16 or a newer one "
                                 "and name it with --pg-dump, or use "
                                 "--compress gzip"));
  }
  ASSIGN_OR_RETURN(const bool can, WasBuiltWith(tools, compression, interrupt));
  if (can) return compression;
  return WithHint(CannotDo(compression, tools),
                  "it was built without that library: name another with "
                  "--pg-dump, or use --compress gzip");
}

}  // namespace walferry
