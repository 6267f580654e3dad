#ifndef TESTS_TESTING_WIRE_H_
#define TESTS_TESTING_WIRE_H_

// Writes the bytes of a message field by field. Shares no code with
// protocol/, so that one bug cannot hide in both.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

//   Wire('I').Int32(16524).Byte('N').Int16(2).Text("1").Null()
class Wire {
 public:
  Wire() = default;
  explicit Wire(char tag) : bytes_(1, tag) {}

  Wire& Byte(char byte) {
    bytes_.push_back(byte);
    return *this;
  }
  Wire& Int16(uint16_t value) { return Number(value, 2); }
  Wire& Int32(uint32_t value) { return Number(value, 4); }
  Wire& Int64(uint64_t value) { return Number(value, 8); }

  Wire& Bytes(absl::string_view bytes) {
    bytes_.append(bytes.data(), bytes.size());
    return *this;
  }
  // With a NUL behind it.
  Wire& String(absl::string_view text) { return Bytes(text).Byte('\0'); }

  // The columns of a TupleData.
  Wire& Null() { return Byte('n'); }
  Wire& Unchanged() { return Byte('u'); }
  Wire& Text(absl::string_view value) { return Byte('t').Counted(value); }
  Wire& Binary(absl::string_view value) { return Byte('b').Counted(value); }

  // A length of 32 bits and that many bytes.
  Wire& Counted(absl::string_view value) {
    return Int32(static_cast<uint32_t>(value.size())).Bytes(value);
  }

  const std::string& str() const { return bytes_; }
  operator std::string() const { return bytes_; }  // NOLINT(*-explicit-*)

 private:
  Wire& Number(uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>(value >> shift & 0xff));
    }
    return *this;
  }

  std::string bytes_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_WIRE_H_
