#ifndef PROTOCOL_LSN_H_
#define PROTOCOL_LSN_H_

// A position in a server's write-ahead log: a byte count since initdb.

#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Printed "X/Y": high and low 32 bits in upper-case hexadecimal (pg_lsn.c).
// The default value, 0/0, is PostgreSQL's InvalidXLogRecPtr: "no position".
class Lsn {
 public:
  constexpr Lsn() = default;
  constexpr explicit Lsn(uint64_t value) : value_(value) {}

  // Accepts what pg_lsn's input function accepts: 1 to 8 hexadecimal digits on
  // both sides of one slash, nothing else.
  static absl::StatusOr<Lsn> Parse(absl::string_view text);

  constexpr uint64_t value() const { return value_; }
  constexpr bool valid() const { return value_ != 0; }
  std::string ToString() const;

  friend constexpr auto operator<=>(Lsn, Lsn) = default;

 private:
  uint64_t value_ = 0;
};

// Bytes from `from` to `to`; 0 if `to` is not beyond `from`.
constexpr uint64_t BytesBetween(Lsn from, Lsn to) {
  return to > from ? to.value() - from.value() : 0;
}

}  // namespace walferry

#endif  // PROTOCOL_LSN_H_
