#ifndef PROTOCOL_COPY_BINARY_H_
#define PROTOCOL_COPY_BINARY_H_

// COPY's binary format: a signature, then tuples of length-prefixed fields,
// then a trailer (COPY, "Binary Format", in the PostgreSQL manual).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace walferry {

// Reads a whole binary COPY file that lies in memory.
class CopyBinaryReader {
 public:
  // Checks signature, flags and header extension. `bytes` outlives the reader
  // and the fields it gives.
  static absl::StatusOr<CopyBinaryReader> Open(
      absl::string_view bytes ABSL_ATTRIBUTE_LIFETIME_BOUND);

  // Reads the next row into `*fields` (nullopt: NULL). False at the trailer,
  // behind which nothing may follow, and at every call after that.
  absl::StatusOr<bool> Next(
      std::vector<std::optional<absl::string_view>>* fields);

 private:
  explicit CopyBinaryReader(absl::string_view bytes, size_t total)
      : rest_(bytes), total_(total) {}

  absl::string_view rest_;
  size_t total_;
  bool done_ = false;
};

// At most 32767 fields of less than 2 GiB each, as PostgreSQL can send.
void AppendCopyBinaryHeader(std::string* out);
void AppendCopyBinaryRow(
    absl::Span<const std::optional<absl::string_view>> fields,
    std::string* out);
void AppendCopyBinaryTrailer(std::string* out);

}  // namespace walferry

#endif  // PROTOCOL_COPY_BINARY_H_
