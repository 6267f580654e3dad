#include "protocol/server_message.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "protocol/byte_cursor.h"

namespace walferry {
namespace {

constexpr size_t kHeaderBytes = 5;

// In and behind a copy: its beginning (CopyOutResponse, CopyBothResponse),
// CopyData, CopyDone, CommandComplete, errors, notices, parameters,
// notifications, the end.
constexpr absl::string_view kTypes = "HWdcCENSAZ";

}  // namespace

absl::StatusOr<std::optional<size_t>> ServerMessageSize(
    absl::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const uint32_t size = LoadBigEndian<uint32_t>(bytes.data() + 1);
  if (kTypes.find(bytes.front()) == absl::string_view::npos || size < sizeof(size) ||
      size > INT32_MAX) {
    return absl::DataLossError(
        absl::StrCat("lost synchronization with server: got message type \"",
                     bytes.substr(0, 1), "\", length ", size));
  }
  return 1 + size_t{size};
}

ServerMessage FrontServerMessage(absl::string_view bytes) {
  const uint32_t size = LoadBigEndian<uint32_t>(bytes.data() + 1);
  return {.type = bytes.front(),
          .body = bytes.substr(kHeaderBytes, size - sizeof(size))};
}

absl::StatusOr<ServerNotice> DecodeServerNotice(absl::string_view body) {
  ServerNotice notice;
  ByteCursor in(body);
  while (in.ok()) {
    const char field = static_cast<char>(in.ReadUint8());
    if (!in.ok() || field == '\0') break;
    const absl::string_view value = in.ReadCString();
    switch (field) {
      case 'S':
        notice.severity = value;
        break;
      case 'C':
        notice.sqlstate = value;
        break;
      case 'M':
        notice.primary = value;
        break;
      case 'D':
        notice.detail = value;
        break;
      case 'H':
        notice.hint = value;
        break;
      case 'W':
        notice.context = value;
        break;
      default:  // Others are for programs that want them.
        break;
    }
  }
  if (!in.finished()) return in.Finish("ErrorResponse");
  return notice;
}

}  // namespace walferry
