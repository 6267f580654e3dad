#include "protocol/copy_out_prefix.h"

#include <algorithm>
#include <cstdint>

#include "protocol/byte_cursor.h"

namespace walferry {
namespace {

constexpr size_t kHeaderBytes = 5;

bool IsOfCopyOut(char type) {
  switch (type) {
    case 'd':  // CopyData
    case 'H':  // CopyOutResponse
    case 'c':  // CopyDone
    case 'N':  // NoticeResponse
    case 'S':  // ParameterStatus
    case 'A':  // NotificationResponse
      return true;
    default:
      return false;
  }
}

}  // namespace

size_t CopyOutPrefix(absl::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size() && IsOfCopyOut(bytes[at])) {
    if (bytes.size() - at < kHeaderBytes) return bytes.size();
    const uint32_t size = LoadBigEndian<uint32_t>(bytes.data() + at + 1);
    if (size < sizeof(size)) return bytes.size();
    const bool done = bytes[at] == 'c';
    at += 1 + size_t{size};
    if (done) break;
  }
  return std::min(at, bytes.size());
}

}  // namespace walferry
