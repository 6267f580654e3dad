// Input: messages, each behind its length in 16 bits.

#include "protocol/transaction_state.h"

#include "protocol/byte_cursor.h"
#include "tests/fuzz/invariant.h"

namespace walferry {
namespace {

void Check(absl::string_view bytes) {
  ByteCursor in(bytes);
  TransactionState state;
  while (!in.rest().empty()) {
    const absl::string_view payload = in.ReadBytes(in.ReadUint16());
    if (!in.ok()) return;
    const absl::StatusOr<Message> message =
        DecodeMessage(payload, {.in_stream_block = state.in_stream_block()});
    if (!message.ok()) return;
    const bool was_inside = state.in_transaction();
    const size_t streams = state.open_streams();
    const absl::Status status = state.Accept(*message);
    if (!status.ok()) {
      Require(status.code() == absl::StatusCode::kDataLoss,
              "an impossible order is data loss");
      return;
    }
    const char type = payload[0];
    Require(!state.in_stream_block() || state.in_transaction(),
            "a stream block is a transaction's");
    Require(absl::string_view("BbS").find(type) == absl::string_view::npos ||
                (!was_inside && state.in_transaction()),
            "B b S open");
    Require(absl::string_view("CPE").find(type) == absl::string_view::npos ||
                (was_inside && !state.in_transaction()),
            "C P E close");
    Require(state.open_streams() <= streams + (type == 'S' ? 1 : 0),
            "only S makes a stream known");
  }
}

}  // namespace
}  // namespace walferry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  walferry::Check(walferry::BytesOf(data, size));
  return 0;
}
