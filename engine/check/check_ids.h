#ifndef ENGINE_CHECK_CHECK_IDS_H_
#define ENGINE_CHECK_CHECK_IDS_H_

// The ids that --accept may name.

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace walferry {

// In the order of the alphabet: those of every finding, and of what is found
// when a migration goes on.
absl::Span<const absl::string_view> AcceptIds();

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_IDS_H_
