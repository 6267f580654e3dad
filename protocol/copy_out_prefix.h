#ifndef PROTOCOL_COPY_OUT_PREFIX_H_
#define PROTOCOL_COPY_OUT_PREFIX_H_

// Where a COPY ... TO STDOUT ends among the bytes of a server's messages.

#include <cstddef>

#include "absl/strings/string_view.h"

namespace walferry {

// How many of `bytes`, which begin with a header, belong to a copy out: all of
// its rows and CopyDone, but nothing behind that, and no error. A message that
// has only begun, or is malformed, is one of those that its type says.
size_t CopyOutPrefix(absl::string_view bytes);

}  // namespace walferry

#endif  // PROTOCOL_COPY_OUT_PREFIX_H_
