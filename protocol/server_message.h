#ifndef PROTOCOL_SERVER_MESSAGE_H_
#define PROTOCOL_SERVER_MESSAGE_H_

// Messages of a server as they lie on the wire ("Message Formats" in the
// PostgreSQL manual): type, length with itself, body.

#include <cstddef>
#include <optional>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

struct ServerMessage {
  char type = 0;
  absl::string_view body;
};

// How many bytes the message at the front of `bytes` takes; nullopt: its header
// is not there yet. kDataLoss: no server sends such a message while it streams.
absl::StatusOr<std::optional<size_t>> ServerMessageSize(
    absl::string_view bytes);

// The message at the front of `bytes`, which hold all of it.
ServerMessage FrontServerMessage(
    absl::string_view bytes ABSL_ATTRIBUTE_LIFETIME_BOUND);

// What ErrorResponse and NoticeResponse say ("Error and Notice Message
// Fields"). Fields that were not sent are empty.
struct ServerNotice {
  absl::string_view severity;
  absl::string_view sqlstate;
  absl::string_view primary;
  absl::string_view detail;
  absl::string_view hint;
  absl::string_view context;
};

// kDataLoss: malformed.
absl::StatusOr<ServerNotice> DecodeServerNotice(
    absl::string_view body ABSL_ATTRIBUTE_LIFETIME_BOUND);

}  // namespace walferry

#endif  // PROTOCOL_SERVER_MESSAGE_H_
