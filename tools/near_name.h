#ifndef TOOLS_NEAR_NAME_H_
#define TOOLS_NEAR_NAME_H_

// What a person may have meant by a name that does not exist.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace walferry {

// The candidate that needs the fewest changed characters to become `name`, or
// that begins with it; "" if none is near.
std::string NearestName(absl::string_view name,
                        absl::Span<const absl::string_view> candidates);

}  // namespace walferry

#endif  // TOOLS_NEAR_NAME_H_
