#include "engine/archive/manifest.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/archive/disk_files.h"
#include "engine/archive/sha256.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kDigits = 64;

bool IsDigest(absl::string_view text) {
  return text.size() == kDigits &&
         std::all_of(text.begin(), text.end(), [](char byte) {
           return absl::ascii_isdigit(static_cast<unsigned char>(byte)) ||
                  (byte >= 'a' && byte <= 'f');
         });
}

bool StaysInside(absl::string_view file) {
  if (file.empty() || file.front() == '/') return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(file, '/');
  return std::find(parts.begin(), parts.end(), "..") == parts.end();
}

absl::StatusOr<std::set<std::string>> FilesOf(const std::string& folder) {
  std::set<std::string> files;
  std::error_code error;
  std::filesystem::recursive_directory_iterator place(folder, error);
  while (!error && place != std::filesystem::recursive_directory_iterator()) {
    if (!place->is_directory(error) && !error) {
      files.insert(place->path().lexically_relative(folder).string());
    }
    if (!error) place.increment(error);
  }
  if (error) return absl::ErrnoToStatus(error.value(), folder);
  files.erase(kManifestName);
  return files;
}

// The digests of files of one folder, with progress over all of them.
class Digester {
 public:
  Digester(const std::string& folder, const DigestOptions& options)
      : folder_(folder), options_(options) {}

  absl::StatusOr<std::string> Of(const std::string& file) {
    return Sha256OfFile(absl::StrCat(folder_, "/", file), options_.interrupt,
                        [this](int64_t bytes) {
                          bytes_ += bytes;
                          if (options_.on_bytes) options_.on_bytes(bytes_);
                        });
  }

 private:
  const std::string& folder_;
  const DigestOptions& options_;
  int64_t bytes_ = 0;
};

// What is wrong with the folder, a clause for each file.
absl::StatusOr<std::vector<std::string>> Faults(
    const std::vector<ManifestEntry>& entries, std::set<std::string> files,
    Digester& digester) {
  std::vector<std::string> faults;
  for (const ManifestEntry& entry : entries) {
    if (files.erase(entry.file) == 0) {
      faults.push_back(absl::StrCat(entry.file, " is missing"));
      continue;
    }
    ASSIGN_OR_RETURN(const std::string sha256, digester.Of(entry.file));
    if (sha256 != entry.sha256) {
      faults.push_back(absl::StrCat(entry.file, " was changed"));
    }
  }
  for (const std::string& file : files) {
    faults.push_back(absl::StrCat(file, " is not in the manifest"));
  }
  return faults;
}

}  // namespace

std::string FormatManifest(const std::vector<ManifestEntry>& entries) {
  std::string text;
  for (const ManifestEntry& entry : entries) {
    absl::StrAppend(&text, entry.sha256, "  ", entry.file, "\n");
  }
  return text;
}

absl::StatusOr<std::vector<ManifestEntry>> ParseManifest(
    absl::string_view text) {
  std::vector<ManifestEntry> entries;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const absl::string_view digest = line.substr(0, kDigits);
    const absl::string_view rest = line.substr(digest.size());
    // A * instead of the second space: read in binary mode, which is the same.
    const bool divided =
        absl::StartsWith(rest, "  ") || absl::StartsWith(rest, " *");
    if (!IsDigest(digest) || !divided || !StaysInside(rest.substr(2))) {
      return absl::DataLossError(
          absl::StrCat(kManifestName, ", line ", number, ": malformed"));
    }
    entries.push_back({std::string(rest.substr(2)), std::string(digest)});
  }
  return entries;
}

absl::StatusOr<std::vector<ManifestEntry>> DigestFolder(
    const std::string& folder, const DigestOptions& options) {
  ASSIGN_OR_RETURN(const std::set<std::string> files, FilesOf(folder));
  Digester digester(folder, options);
  std::vector<ManifestEntry> entries;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(std::string sha256, digester.Of(file));
    entries.push_back({file, std::move(sha256)});
  }
  return entries;
}

absl::Status CheckManifest(const std::string& folder,
                           const DigestOptions& options) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadWholeFile(absl::StrCat(folder, "/", kManifestName)));
  ASSIGN_OR_RETURN(const std::vector<ManifestEntry> entries,
                   ParseManifest(text));
  ASSIGN_OR_RETURN(std::set<std::string> files, FilesOf(folder));
  Digester digester(folder, options);
  ASSIGN_OR_RETURN(const std::vector<std::string> faults,
                   Faults(entries, std::move(files), digester));
  if (faults.empty()) return absl::OkStatus();
  return WithHint(absl::DataLossError(absl::StrCat(
                      "archive ", folder,
                      " is not what its manifest says: ", NameSome(faults))),
                  "nothing was restored: take another archive");
}

}  // namespace walferry
