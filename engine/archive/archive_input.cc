#include "engine/archive/archive_input.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/archive/archive_phase.h"
#include "engine/archive/disk_files.h"
#include "engine/archive/manifest.h"
#include "protocol/status.h"

namespace walferry {
namespace {

namespace fs = std::filesystem;

constexpr char kDirectoryToc[] = "toc.dat";
// Of a tar's first block.
constexpr size_t kTarMagicAt = 257;
constexpr size_t kBeginning = 512;

constexpr absl::string_view kMagic = "PGDMP";

// The archive's own version follows: 1.15 is that of PostgreSQL 16, 1.16 of 17
// and 18.
int ClientMajor(absl::string_view bytes) {
  if (!absl::StartsWith(bytes, kMagic) || bytes.size() < kMagic.size() + 2) {
    return 0;
  }
  const int version = bytes[kMagic.size()] * 100 + bytes[kMagic.size() + 1];
  return version >= 116 ? 17 : version >= 115 ? 16 : 0;
}

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// As RunDump names the one file that an archive is.
bool IsNamedAsOurs(const fs::path& file) {
  return file.filename() == kCustomName || file.filename() == kPlainName;
}

absl::Status NoArchive(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": no archive of pg_dump"));
}

// By its first bytes, as names tell nothing.
absl::Status ReadFile(ArchiveInput& input) {
  ASSIGN_OR_RETURN(const std::string beginning,
                   ReadBeginning(input.path, kBeginning));
  const absl::string_view bytes = beginning;
  if (absl::StartsWith(bytes, kMagic)) {
    input.format = ArchiveFormat::kCustom;
    input.client_major = ClientMajor(bytes);
  } else if (absl::StrContains(bytes, "-- PostgreSQL database dump")) {
    input.format = ArchiveFormat::kPlain;
    input.parallel = false;
  } else if (bytes.size() == kBeginning &&
             bytes.substr(kTarMagicAt, 5) == "ustar") {
    input.format = ArchiveFormat::kCustom;
    input.parallel = false;
  } else {
    return NoArchive(input.path);
  }
  return absl::OkStatus();
}

absl::Status ReadFolder(ArchiveInput& input) {
  if (const fs::path toc = fs::path(input.path) / kDirectoryToc; Exists(toc)) {
    ASSIGN_OR_RETURN(const std::string beginning,
                     ReadBeginning(toc.string(), kBeginning));
    input.client_major = ClientMajor(beginning);
    return absl::OkStatus();
  }
  for (const char* name : {kCustomName, kPlainName}) {
    const fs::path file = fs::path(input.path) / name;
    if (!Exists(file)) continue;
    input.path = file.string();
    return ReadFile(input);
  }
  // The manifest, if there is one, says what is missing.
  return input.folder.empty() ? NoArchive(input.path) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<ArchiveInput> FindArchive(const std::string& path) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  if (!Exists(path)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such archive"));
  }
  ArchiveInput input{.path = path, .folder = {}, .facts = {}};
  fs::path folder = is_folder ? fs::path(path) : fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (Exists(folder / kManifestName)) input.folder = folder.string();
  ASSIGN_OR_RETURN(
      input.marks,
      FileMarks::Of(input.folder.empty() ? input.path : input.folder));
  const bool has_facts = Exists(folder / kFactsName);
  if (is_folder && has_facts && input.folder.empty()) {
    return WithHint(
        absl::DataLossError(
            absl::StrCat(path, ": its ", kManifestName, " is missing")),
        absl::StrCat("nobody can tell any more whether it is what was written: "
                     "fetch that file from another copy, or remove ",
                     kFactsName, ", too, and it is taken without proof"));
  }
  const absl::Status recognised =
      is_folder ? ReadFolder(input) : ReadFile(input);
  const bool damaged = absl::IsInvalidArgument(recognised) &&
                       !input.folder.empty() && IsNamedAsOurs(input.path);
  // The manifest says what is wrong with it.
  if (!damaged) RETURN_IF_ERROR(recognised);
  if (input.folder.empty() || !has_facts) {
    // psql runs whatever is in it: DROP DATABASE, a change of the connection,
    // commands of the machine.
    if (input.format != ArchiveFormat::kPlain) return input;
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat(path, ": a plain script that walferry has not made")),
        "read it, and run it with psql; walferry restores the formats custom "
        "and directory of any pg_dump");
  }
  ASSIGN_OR_RETURN(const std::string json,
                   ReadWholeFile((folder / kFactsName).string()));
  absl::StatusOr<ArchiveFacts> facts = FactsFromJson(json);
  if (!facts.ok()) return Annotate(facts.status(), path);
  input.facts = *std::move(facts);
  if (damaged) input.format = input.facts->format;
  return input;
}

absl::Status CheckArchive(const ArchiveInput& input, const Interrupt& interrupt,
                          EventSink& events) {
  if (input.folder.empty()) {
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning,
               .text = absl::StrCat(input.path, " has no ", kManifestName,
                                    ": whether it is as it was written was not "
                                    "checked")});
    return absl::OkStatus();
  }
  ByteProgress progress(Phase::kCheck, events, BytesOfFolder(input.folder));
  return CheckManifest(
      input.folder, {.interrupt = &interrupt, .on_bytes = [&](int64_t bytes) {
                       progress.Tell([bytes] { return bytes; });
                     }});
}

}  // namespace walferry
