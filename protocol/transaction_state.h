#ifndef PROTOCOL_TRANSACTION_STATE_H_
#define PROTOCOL_TRANSACTION_STATE_H_

// The order in which pgoutput's messages can follow each other, so that a
// stream in which a message is missing or misplaced is noticed.

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "protocol/lsn.h"
#include "protocol/pgoutput.h"

namespace walferry {

// Follows the messages of one START_REPLICATION from its first one on; a new
// one starts with a new state, because the server then sends open streamed
// transactions again from their beginning.
//
//   TransactionState state;
//   DecodeMessage(payload, {.in_stream_block = state.in_stream_block()}) ...
//   RETURN_IF_ERROR(state.Accept(message));
//
// The rules are those of PostgreSQL's own apply worker (worker.c), and those
// that its publisher keeps (reorderbuffer.c):
//   Begin ... Commit and BeginPrepare ... Prepare do not nest and agree in
//   their LSN; StreamStart ... StreamStop blocks stand between them;
//   row changes, Relation and Type stand inside any of the three;
//   Origin stands right behind the message that opens one;
//   the end of a streamed or prepared transaction stands outside of all;
//   a streamed transaction is known from its first segment to its end.
class TransactionState {
 public:
  // Takes the next message. kDataLoss if it cannot come here: "Commit: out of
  // order outside a transaction". Nothing may follow an error.
  absl::Status Accept(const Message& message);

  // Between Begin and Commit, BeginPrepare and Prepare, or StreamStart and
  // StreamStop.
  bool in_transaction() const { return block_ != Block::kNone; }

  // Between StreamStart and StreamStop: for DecodeContext.
  bool in_stream_block() const { return block_ == Block::kStream; }

  // Streamed transactions that have neither ended nor been aborted.
  size_t open_streams() const { return streams_.size(); }

 private:
  enum class Block { kNone, kPlain, kPrepare, kStream };
  class Step;

  Block block_ = Block::kNone;
  bool origin_may_follow_ = false;
  uint32_t xid_ = 0;  // Of the open block.
  Lsn lsn_;           // Of its Begin or BeginPrepare.
  absl::flat_hash_set<uint32_t> streams_;
};

}  // namespace walferry

#endif  // PROTOCOL_TRANSACTION_STATE_H_
