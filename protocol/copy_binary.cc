#include "protocol/copy_binary.h"

#include "absl/status/status.h"
#include "protocol/byte_cursor.h"
#include "protocol/byte_writer.h"

namespace walferry {
namespace {

constexpr absl::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
constexpr absl::string_view kHeaderName = "COPY binary header";
constexpr uint16_t kTrailer = 0xffff;
constexpr uint32_t kNull = 0xffffffff;

// The low 16 flag bits may be ignored by a reader that does not know them;
// the high ones may not (COPY, "File Header").
constexpr uint32_t kCriticalFlags = 0xffff0000;

std::optional<absl::string_view> ReadField(ByteCursor& in) {
  const uint32_t size = in.ReadUint32();
  if (size == kNull) return std::nullopt;
  return in.ReadBytes(size);
}

}  // namespace

absl::StatusOr<CopyBinaryReader> CopyBinaryReader::Open(
    absl::string_view bytes) {
  ByteCursor in(bytes);
  if (in.ReadBytes(kSignature.size()) != kSignature) {
    in.Fail("no signature", kSignature.size());
  }
  if ((in.ReadUint32() & kCriticalFlags) != 0) {
    in.Fail("unknown critical flags", sizeof(uint32_t));
  }
  in.ReadBytes(in.ReadUint32());  // The extension, for readers that know it.
  if (!in.ok()) return in.Finish(kHeaderName);
  return CopyBinaryReader(in.rest(), bytes.size());
}

absl::StatusOr<bool> CopyBinaryReader::Next(
    std::vector<std::optional<absl::string_view>>* fields) {
  fields->clear();
  if (done_) return false;
  ByteCursor in(rest_, total_);
  const uint16_t count = in.ReadUint16();
  if (in.ok() && count == kTrailer) {
    if (!in.finished()) return in.Finish("COPY binary trailer");
    done_ = true;
    return false;
  }
  if (count > INT16_MAX) in.Fail("negative field count", sizeof(count));
  for (uint16_t field = 0; field < count && in.ok(); ++field) {
    fields->push_back(ReadField(in));
  }
  if (!in.ok()) {
    fields->clear();
    return in.Finish("COPY binary row");
  }
  rest_ = in.rest();
  return true;
}

void AppendCopyBinaryHeader(std::string* out) {
  out->append(kSignature.data(), kSignature.size());
  AppendBigEndian(uint32_t{0}, out);  // Flags.
  AppendBigEndian(uint32_t{0}, out);  // Extension size.
}

void AppendCopyBinaryRow(
    absl::Span<const std::optional<absl::string_view>> fields,
    std::string* out) {
  AppendBigEndian(static_cast<uint16_t>(fields.size()), out);
  for (const std::optional<absl::string_view>& field : fields) {
    if (!field.has_value()) {
      AppendBigEndian(kNull, out);
      continue;
    }
    AppendBigEndian(static_cast<uint32_t>(field->size()), out);
    out->append(field->data(), field->size());
  }
}

void AppendCopyBinaryTrailer(std::string* out) {
  AppendBigEndian(kTrailer, out);
}

}  // namespace walferry
