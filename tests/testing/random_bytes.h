#ifndef TESTS_TESTING_RANDOM_BYTES_H_
#define TESTS_TESTING_RANDOM_BYTES_H_

// Values for round trips, from a seed that a failing test prints.

#include <optional>
#include <random>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// Up to `max_size` bytes; about every other one is out of `often`.
inline std::string RandomBytes(std::mt19937_64& random, size_t max_size,
                               absl::string_view often) {
  std::string bytes(random() % (max_size + 1), '\0');
  for (char& byte : bytes) {
    const uint64_t draw = random();
    byte = draw % 2 == 0 ? static_cast<char>(draw >> 8 & 0xff)
                         : often[(draw >> 8) % often.size()];
  }
  return bytes;
}

// The same, or NULL one time out of four.
inline std::optional<std::string> RandomField(std::mt19937_64& random,
                                              size_t max_size,
                                              absl::string_view often) {
  if (random() % 4 == 0) return std::nullopt;
  return RandomBytes(random, max_size, often);
}

}  // namespace walferry

#endif  // TESTS_TESTING_RANDOM_BYTES_H_
