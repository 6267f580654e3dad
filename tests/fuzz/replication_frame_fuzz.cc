#include "protocol/replication_frame.h"

#include <variant>

#include "tests/fuzz/invariant.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walferry;  // NOLINT: one file, one entry point.
  const absl::string_view bytes = BytesOf(data, size);
  const absl::StatusOr<Frame> frame = DecodeFrame(bytes);
  if (!frame.ok()) return 0;
  if (const auto* wal = std::get_if<XLogData>(&*frame)) {
    Require(bytes[0] == 'w', "w is XLogData");
    RequireInside(wal->payload, bytes);
    Require(wal->payload.size() + 25 == size, "the payload is all the rest");
  } else {
    Require(bytes[0] == 'k' && size == 18, "k is a Keepalive");
  }
  return 0;
}
