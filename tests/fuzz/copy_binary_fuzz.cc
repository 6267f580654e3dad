#include "protocol/copy_binary.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/invariant.h"

namespace walferry {
namespace {

using Fields = std::vector<std::optional<absl::string_view>>;

// The rows up to the trailer; nullopt if anything is malformed.
std::optional<std::vector<Fields>> ReadAll(absl::string_view bytes) {
  absl::StatusOr<CopyBinaryReader> reader = CopyBinaryReader::Open(bytes);
  if (!reader.ok()) return std::nullopt;
  std::vector<Fields> rows;
  Fields fields;
  while (true) {
    const absl::StatusOr<bool> more = reader->Next(&fields);
    if (!more.ok()) return std::nullopt;
    if (!*more) return rows;
    for (const std::optional<absl::string_view>& field : fields) {
      RequireInside(field.value_or(absl::string_view()), bytes);
    }
    rows.push_back(fields);
  }
}

}  // namespace
}  // namespace walferry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walferry;  // NOLINT: one file, one entry point.
  const auto rows = ReadAll(BytesOf(data, size));
  if (!rows.has_value()) return 0;
  std::string out;
  AppendCopyBinaryHeader(&out);
  for (const Fields& row : *rows) AppendCopyBinaryRow(row, &out);
  AppendCopyBinaryTrailer(&out);
  Require(out.size() <= size, "only a header's extension can be lost");
  Require(ReadAll(out) == rows, "reading inverts writing");
  return 0;
}
