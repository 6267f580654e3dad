#ifndef ENGINE_ARCHIVE_MANIFEST_H_
#define ENGINE_ARCHIVE_MANIFEST_H_

// MANIFEST.sha256: the digest of every file of a folder, in the format of
// sha256sum, so that `sha256sum -c` checks it too.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

inline constexpr char kManifestName[] = "MANIFEST.sha256";

struct ManifestEntry {
  std::string file;    // Relative to the folder.
  std::string sha256;  // 64 digits in lower case.

  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

struct DigestOptions {
  const Interrupt* interrupt = nullptr;  // May be null.
  // Bytes read so far, of all files together; may be empty.
  std::function<void(int64_t)> on_bytes;
};

std::string FormatManifest(const std::vector<ManifestEntry>& entries);

// kDataLoss, with the line's number: not the format of sha256sum, or a name
// that leads out of the folder.
absl::StatusOr<std::vector<ManifestEntry>> ParseManifest(
    absl::string_view text);

// Of every file below `folder` but the manifest itself, by name.
absl::StatusOr<std::vector<ManifestEntry>> DigestFolder(
    const std::string& folder, const DigestOptions& options);

// Compares the folder with its manifest. kNotFound: it has none. kDataLoss:
// which files were changed, are missing, or are not in it.
absl::Status CheckManifest(const std::string& folder,
                           const DigestOptions& options);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_MANIFEST_H_
