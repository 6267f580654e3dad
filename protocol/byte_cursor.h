#ifndef PROTOCOL_BYTE_CURSOR_H_
#define PROTOCOL_BYTE_CURSOR_H_

// Checked big-endian reads from bytes it does not own: all bounds checks of
// the decoders are here.

#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace walferry {

// A forward-only reader over one message.
//
// A read past the end returns zero (or an empty view) and marks the cursor
// failed for good, so a decoder reads all fields in order and asks once:
//
//   ByteCursor in(payload);
//   Begin begin{.final_lsn = Lsn(in.ReadUint64()), ...};
//   RETURN_IF_ERROR(in.Finish("Begin"));
//
// Check ok() before a value that was read steers a loop or an allocation.
class ByteCursor {
 public:
  // `bytes` must outlive the cursor and every view read through it.
  explicit ByteCursor(absl::string_view bytes ABSL_ATTRIBUTE_LIFETIME_BOUND)
      : rest_(bytes), total_(bytes.size()) {}

  uint8_t ReadUint8() { return ReadBigEndian<uint8_t>(); }
  uint16_t ReadUint16() { return ReadBigEndian<uint16_t>(); }
  uint32_t ReadUint32() { return ReadBigEndian<uint32_t>(); }
  uint64_t ReadUint64() { return ReadBigEndian<uint64_t>(); }
  int64_t ReadInt64() { return static_cast<int64_t>(ReadUint64()); }
  int32_t ReadInt32() { return static_cast<int32_t>(ReadUint32()); }

  absl::string_view ReadBytes(size_t size) {
    if (!Require(size)) return {};
    absl::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  // The bytes before the next NUL, which is consumed too.
  absl::string_view ReadCString() {
    const size_t size = rest_.find('\0');
    if (size == absl::string_view::npos) {
      Fail();
      return {};
    }
    absl::string_view text = ReadBytes(size);
    ReadBytes(1);
    return text;
  }

  // Rejects the message, e.g. on a tag that it cannot carry here.
  void Fail() { ok_ = false; }

  bool ok() const { return ok_; }
  absl::string_view rest() const { return rest_; }

  // OK if every read was in range and nothing is left over.
  absl::Status Finish(absl::string_view message) const {
    if (ok_ && rest_.empty()) return absl::OkStatus();
    return FinishError(message);
  }

 private:
  bool Require(size_t size) { return ok_ = ok_ && size <= rest_.size(); }

  template <typename T>
  T ReadBigEndian() {
    uint64_t value = 0;
    for (char byte : ReadBytes(sizeof(T))) {
      value = value << 8 | static_cast<uint8_t>(byte);
    }
    return static_cast<T>(value);
  }

  absl::Status FinishError(absl::string_view message) const {
    return absl::DataLossError(
        absl::StrCat(message, ok_ ? ": trailing bytes" : ": malformed",
                     " at offset ", total_ - rest_.size(), " of ", total_));
  }

  absl::string_view rest_;
  size_t total_;
  bool ok_ = true;
};

}  // namespace walferry

#endif  // PROTOCOL_BYTE_CURSOR_H_
