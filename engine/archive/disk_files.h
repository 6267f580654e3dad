#ifndef ENGINE_ARCHIVE_DISK_FILES_H_
#define ENGINE_ARCHIVE_DISK_FILES_H_

// Files and folders on a disk: read and written whole, made durable, measured.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// kNotFound and the like name the file.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// Up to `size` bytes of the file's beginning.
absl::StatusOr<std::string> ReadBeginning(const std::string& path, size_t size);

// Hands the file on in pieces, until all is read or an error is returned.
absl::Status ForEachPiece(
    const std::string& path,
    absl::FunctionRef<absl::Status(absl::string_view)> take);

// Not durable: SyncFolder() is.
absl::Status WriteWholeFile(const std::string& path, absl::string_view text);

// Makes every file of the folder, and the folder, outlive a crash.
absl::Status SyncFolder(const std::string& folder);

// Gives the folder its final name, durably. An error: something that is not an
// empty folder has that name, among others.
absl::Status RenameFolder(const std::string& from, const std::string& to);

// Bytes of all files below it. Files that come and go meanwhile do not matter.
int64_t BytesOfFolder(const std::string& folder);

// Bytes that may be written where `path` is, without a superuser's reserve.
absl::StatusOr<int64_t> FreeBytes(const std::string& path);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DISK_FILES_H_
