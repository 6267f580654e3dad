#ifndef PROTOCOL_TAG_TEXT_H_
#define PROTOCOL_TAG_TEXT_H_

// How errors print the byte that tells what a message is.

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace walferry {

// "'?' (0x3f)", or just "0x01" where there is nothing to see.
inline std::string TagText(char tag) {
  const auto byte = static_cast<unsigned char>(tag);
  if (!absl::ascii_isgraph(byte)) return absl::StrFormat("0x%02x", byte);
  return absl::StrFormat("'%c' (0x%02x)", tag, byte);
}

}  // namespace walferry

#endif  // PROTOCOL_TAG_TEXT_H_
