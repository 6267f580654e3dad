#ifndef TESTS_FUZZ_INVARIANT_H_
#define TESTS_FUZZ_INVARIANT_H_

// What a fuzz target asserts: a violated invariant ends the process.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "absl/strings/string_view.h"

namespace walferry {

inline void Require(bool holds, const char* invariant) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", invariant);
  std::abort();
}

// A view that was decoded from `whole` must not leave it. Empty views may
// point nowhere.
inline void RequireInside(absl::string_view view, absl::string_view whole) {
  if (view.empty()) return;
  const std::less_equal<const char*> not_behind;
  Require(
      not_behind(whole.data(), view.data()) &&
          not_behind(view.data() + view.size(), whole.data() + whole.size()),
      "every view lies inside the payload");
}

inline absl::string_view BytesOf(const uint8_t* data, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(data), size);
}

}  // namespace walferry

// libFuzzer's entry point, which every *_fuzz.cc defines.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // TESTS_FUZZ_INVARIANT_H_
