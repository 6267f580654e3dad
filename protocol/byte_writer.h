#ifndef PROTOCOL_BYTE_WRITER_H_
#define PROTOCOL_BYTE_WRITER_H_

// The inverse of ByteCursor: appends big-endian integers to a string.

#include <cstdint>
#include <string>
#include <type_traits>

namespace walferry {

template <typename T>
void AppendBigEndian(T value, std::string* out) {
  static_assert(std::is_unsigned_v<T> && sizeof(T) <= 8);
  char bytes[sizeof(T)];
  for (size_t index = sizeof(T); index > 0; --index) {
    bytes[index - 1] = static_cast<char>(value & 0xff);
    value = static_cast<T>(uint64_t{value} >> 8);
  }
  out->append(bytes, sizeof(T));
}

}  // namespace walferry

#endif  // PROTOCOL_BYTE_WRITER_H_
