#include "engine/archive/archive_contents.h"

#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/archive/archive_list.h"
#include "engine/archive/disk_files.h"
#include "engine/schema/pg_program.h"
#include "engine/schema/subprocess.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of a plain script, where extensions and settings stand. Functions may be
// long, but extensions come before them.
constexpr size_t kBeginning = size_t{16} << 20;

SubprocessOptions PgRestore(const ArchiveInput& input, const PgTools& tools,
                            const Interrupt& interrupt,
                            std::vector<std::string> arguments) {
  SubprocessOptions run = {.argv = {tools.pg_restore}, .interrupt = &interrupt};
  for (std::string& argument : arguments) {
    run.argv.push_back(std::move(argument));
  }
  run.argv.push_back(input.path);
  return run;
}

absl::Status ReadPieces(const std::string& path, ScriptRowCounter& counter,
                        const Interrupt& interrupt) {
  return ForEachPiece(path, [&](absl::string_view piece) -> absl::Status {
    if (interrupt.raised()) return absl::CancelledError("interrupted");
    counter.Add(piece);
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<PgTools> FindToolsFor(const ArchiveInput& input,
                                     int target_version,
                                     const std::string& pg_dump,
                                     const Interrupt& interrupt) {
  const int written_by = input.client_major * 10000;
  const absl::StatusOr<PgTools> tools =
      FindPgTools({.pg_dump = pg_dump,
                   .source_version = written_by,
                   .target_version = target_version,
                   .interrupt = &interrupt},
                  PgToolDirectories());
  if (tools.ok() || written_by <= target_version) return tools;
  return Annotate(tools.status(),
                  absl::StrCat(input.path, " was written by pg_dump ",
                               input.client_major, " or later"));
}

absl::Status RefuseSubscriptions(const ArchiveInput& script) {
  std::ifstream lines(script.path, std::ios::binary);
  for (std::string line; std::getline(lines, line);) {
    if (!absl::StartsWith(line, "CREATE SUBSCRIPTION ")) continue;
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat(script.path,
                                     " creates a subscription, which would "
                                     "reach for another server")),
                    "dump in the format custom or directory");
  }
  if (lines.eof()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(script.path, ": cannot be read to its end"));
}

std::vector<std::string> ExtensionsOfScript(absl::string_view text) {
  constexpr absl::string_view kCreate = "CREATE EXTENSION IF NOT EXISTS ";
  constexpr absl::string_view kWith = " WITH SCHEMA ";
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, "COPY ")) break;
    if (!absl::ConsumePrefix(&line, kCreate)) continue;
    line = line.substr(0, line.rfind(kWith));
    absl::ConsumeSuffix(&line, ";");
    if (absl::ConsumePrefix(&line, "\"")) absl::ConsumeSuffix(&line, "\"");
    names.emplace_back(line);
  }
  return names;
}

std::string EncodingOfScript(absl::string_view text) {
  constexpr absl::string_view kSet = "SET client_encoding = '";
  const size_t at = text.find(kSet);
  if (at == absl::string_view::npos) return "";
  text.remove_prefix(at + kSet.size());
  return std::string(text.substr(0, text.find('\'')));
}

absl::StatusOr<std::string> ArchiveContents::Print(
    std::vector<std::string> arguments) const {
  return OutputOf("pg_restore",
                  PgRestore(input_, tools_, interrupt_, std::move(arguments)));
}

absl::StatusOr<std::vector<std::string>> ArchiveContents::Extensions() const {
  if (input_.format == ArchiveFormat::kPlain) {
    ASSIGN_OR_RETURN(const std::string text,
                     ReadBeginning(input_.path, kBeginning));
    return ExtensionsOfScript(text);
  }
  ASSIGN_OR_RETURN(const std::string text, Print({"--list"}));
  ASSIGN_OR_RETURN(const ArchiveList list, ParseArchiveList(text));
  return list.Extensions();
}

absl::StatusOr<DumpScript> ArchiveContents::Schema() const {
  if (input_.format == ArchiveFormat::kPlain) {
    return absl::FailedPreconditionError(
        "a plain script has no list of its objects");
  }
  ASSIGN_OR_RETURN(const std::string text,
                   Print({"--schema-only", "--verbose", "--file=-"}));
  return ParseDumpScript(text);
}

absl::StatusOr<ScriptRows> ArchiveContents::Rows() const {
  ScriptRowCounter counter;
  if (input_.format == ArchiveFormat::kPlain) {
    RETURN_IF_ERROR(ReadPieces(input_.path, counter, interrupt_));
    return counter.Finish();
  }
  SubprocessOptions run =
      PgRestore(input_, tools_, interrupt_, {"--data-only", "--file=-"});
  run.on_output = [&](absl::string_view piece) { counter.Add(piece); };
  RETURN_IF_ERROR(OutputOf("pg_restore", std::move(run)).status());
  return counter.Finish();
}

absl::StatusOr<std::string> ArchiveContents::Encoding() const {
  if (input_.facts.has_value()) return input_.facts->encoding;
  if (input_.format == ArchiveFormat::kPlain) {
    ASSIGN_OR_RETURN(const std::string text,
                     ReadBeginning(input_.path, kBeginning));
    return EncodingOfScript(text);
  }
  ASSIGN_OR_RETURN(const std::string text,
                   Print({"--schema-only", "--file=-"}));
  return EncodingOfScript(text);
}

}  // namespace walferry
