#ifndef ENGINE_ARCHIVE_SHA256_H_
#define ENGINE_ARCHIVE_SHA256_H_

// The SHA-256 of a file, as sha256sum prints it.

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// 64 digits in lower case. `on_bytes` is told of every piece that was read.
// kCancelled: `interrupt`, which may be null, was raised. Otherwise the file
// cannot be read, and the error names it.
absl::StatusOr<std::string> Sha256OfFile(
    const std::string& path, const Interrupt* interrupt,
    absl::FunctionRef<void(int64_t)> on_bytes);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_SHA256_H_
