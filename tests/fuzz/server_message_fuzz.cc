#include "protocol/server_message.h"

#include "tests/fuzz/invariant.h"

// Messages one behind the other, as they are taken from a socket.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walferry;  // NOLINT: one file, one entry point.
  absl::string_view rest = BytesOf(data, size);
  while (true) {
    const auto length = ServerMessageSize(rest);
    if (!length.ok() || !length->has_value()) return 0;
    Require(**length >= 5, "a message has a header");
    if (**length > rest.size()) return 0;
    const ServerMessage message = FrontServerMessage(rest);
    RequireInside(message.body, rest);
    Require(message.body.size() + 5 == **length, "the body is all the rest");
    const auto notice = DecodeServerNotice(message.body);
    if (notice.ok()) {
      RequireInside(notice->primary, message.body);
      RequireInside(notice->context, message.body);
    }
    rest.remove_prefix(**length);
  }
}
