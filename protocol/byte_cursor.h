#ifndef PROTOCOL_BYTE_CURSOR_H_
#define PROTOCOL_BYTE_CURSOR_H_

// Checked big-endian reads from bytes it does not own: all bounds checks of
// the decoders are here.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace walferry {

// The unsigned integer that starts at `bytes`, most significant byte first.
// Unchecked: sizeof(T) bytes must be there.
template <typename T>
T LoadBigEndian(const char* bytes) {
  static_assert(std::is_unsigned_v<T> && sizeof(T) <= 8);
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}

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
      : ByteCursor(bytes, bytes.size()) {}

  // For `rest`, the end of something of `total` bytes: for errors' offsets.
  ByteCursor(absl::string_view rest ABSL_ATTRIBUTE_LIFETIME_BOUND, size_t total)
      : rest_(rest), total_(total) {}

  uint8_t ReadUint8() { return ReadBigEndian<uint8_t>(); }
  uint16_t ReadUint16() { return ReadBigEndian<uint16_t>(); }
  uint32_t ReadUint32() { return ReadBigEndian<uint32_t>(); }
  uint64_t ReadUint64() { return ReadBigEndian<uint64_t>(); }
  int64_t ReadInt64() { return static_cast<int64_t>(ReadUint64()); }
  int32_t ReadInt32() { return static_cast<int32_t>(ReadUint32()); }
  int16_t ReadInt16() { return static_cast<int16_t>(ReadUint16()); }

  // A byte that is 0 or 1.
  bool ReadBool() {
    const uint8_t value = ReadUint8();
    if (value > 1) Fail("boolean other than 0 or 1", 1);
    return value == 1;
  }

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

  // Rejects the message, e.g. on a tag that it cannot carry here. `fault` is a
  // literal and says what is wrong with the last `size` bytes that were read.
  // The first fault stands.
  void Fail(const char* fault = "malformed", size_t size = 0) {
    if (!ok()) return;
    fault_ = fault;
    rest_ = absl::string_view(rest_.data() - size, rest_.size() + size);
  }

  bool ok() const { return fault_ == nullptr; }
  absl::string_view rest() const { return rest_; }

  // Whether every read was in range and nothing is left over.
  bool finished() const { return ok() && rest_.empty(); }

  // OK if finished(). Otherwise kDataLoss: "Begin: malformed at offset 9 of 9".
  absl::Status Finish(absl::string_view message) const {
    if (ABSL_PREDICT_TRUE(finished())) return absl::OkStatus();
    return FinishError(message);
  }

 private:
  bool Require(size_t size) {
    if (ABSL_PREDICT_TRUE(ok() && size <= rest_.size())) return true;
    Fail();
    return false;
  }

  template <typename T>
  T ReadBigEndian() {
    if (!Require(sizeof(T))) return 0;
    const T value = LoadBigEndian<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  ABSL_ATTRIBUTE_NOINLINE absl::Status FinishError(
      absl::string_view message) const {
    return absl::DataLossError(
        absl::StrCat(message, ": ", ok() ? "trailing bytes" : fault_,
                     " at offset ", total_ - rest_.size(), " of ", total_));
  }

  absl::string_view rest_;
  size_t total_;
  const char* fault_ = nullptr;
};

}  // namespace walferry

#endif  // PROTOCOL_BYTE_CURSOR_H_
