#include "protocol/transaction_state.h"

#include <string>
#include <variant>

#include "absl/base/optimization.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {

// One message's turn: checks that it may come and moves the state.
class TransactionState::Step {
 public:
  Step(TransactionState& state, char type) : state_(state), type_(type) {}

  absl::Status operator()(const Begin& begin) const {
    return Open(Block::kPlain, begin.xid, begin.final_lsn);
  }

  absl::Status operator()(const Commit& commit) const {
    if (state_.block_ != Block::kPlain) return OutOfOrder();
    if (commit.commit_lsn != state_.lsn_) {
      return Differs("commit_lsn", commit.commit_lsn, "final_lsn");
    }
    return CloseAt(commit.commit_lsn, commit.end_lsn);
  }

  absl::Status operator()(const Origin&) const {
    if (!state_.origin_may_follow_) return OutOfOrder();
    return absl::OkStatus();
  }

  absl::Status operator()(const Relation& relation) const {
    return Inside(relation.xid);
  }
  absl::Status operator()(const Type& type) const { return Inside(type.xid); }
  absl::Status operator()(const Insert& insert) const {
    return Inside(insert.xid);
  }
  absl::Status operator()(const Update& update) const {
    return Inside(update.xid);
  }
  absl::Status operator()(const Delete& deletion) const {
    return Inside(deletion.xid);
  }
  absl::Status operator()(const Truncate& truncate) const {
    return Inside(truncate.xid);
  }

  absl::Status operator()(const LogicalMessage& message) const {
    return message.transactional ? Inside(message.xid) : Outside();
  }

  absl::Status operator()(const StreamStart& start) const {
    RETURN_IF_ERROR(Open(Block::kStream, start.xid, Lsn()));
    if (start.first_segment) {
      state_.streams_.insert(start.xid);
      return absl::OkStatus();
    }
    return Known(start.xid);
  }

  absl::Status operator()(const StreamStop&) const {
    if (state_.block_ != Block::kStream) return OutOfOrder();
    return Close();
  }

  absl::Status operator()(const StreamCommit& commit) const {
    return EndStream(commit.xid, commit.commit_lsn, commit.end_lsn);
  }
  absl::Status operator()(const StreamPrepare& prepare) const {
    return EndStream(prepare.xid, prepare.prepare_lsn, prepare.end_lsn);
  }

  absl::Status operator()(const StreamAbort& abort) const {
    RETURN_IF_ERROR(Outside());
    RETURN_IF_ERROR(Known(abort.xid));
    if (abort.subxid == abort.xid) state_.streams_.erase(abort.xid);
    return absl::OkStatus();
  }

  absl::Status operator()(const BeginPrepare& begin) const {
    return Open(Block::kPrepare, begin.xid, begin.prepare_lsn);
  }

  absl::Status operator()(const Prepare& prepare) const {
    if (state_.block_ != Block::kPrepare) return OutOfOrder();
    if (prepare.prepare_lsn != state_.lsn_) {
      return Differs("prepare_lsn", prepare.prepare_lsn, "prepare_lsn");
    }
    if (prepare.xid != state_.xid_) {
      return Error(absl::StrCat("of transaction ", prepare.xid, " ", Where()));
    }
    return CloseAt(prepare.prepare_lsn, prepare.end_lsn);
  }

  absl::Status operator()(const CommitPrepared& commit) const {
    RETURN_IF_ERROR(Outside());
    return EndsBehind(commit.commit_lsn, commit.end_lsn);
  }
  absl::Status operator()(const RollbackPrepared&) const { return Outside(); }

 private:
  absl::Status Open(Block block, uint32_t xid, Lsn lsn) const {
    RETURN_IF_ERROR(Outside());
    if (xid == 0) return Error("xid 0");
    state_.block_ = block;
    state_.xid_ = xid;
    state_.lsn_ = lsn;
    return absl::OkStatus();
  }

  absl::Status Close() const {
    state_.block_ = Block::kNone;
    return absl::OkStatus();
  }

  absl::Status CloseAt(Lsn lsn, Lsn end_lsn) const {
    RETURN_IF_ERROR(EndsBehind(lsn, end_lsn));
    return Close();
  }

  absl::Status EndStream(uint32_t xid, Lsn lsn, Lsn end_lsn) const {
    RETURN_IF_ERROR(Outside());
    RETURN_IF_ERROR(Known(xid));
    state_.streams_.erase(xid);
    return EndsBehind(lsn, end_lsn);
  }

  absl::Status Outside() const {
    if (state_.in_transaction()) return OutOfOrder();
    return absl::OkStatus();
  }

  // `xid` is 0 exactly where the message carries none.
  absl::Status Inside(uint32_t xid) const {
    if (ABSL_PREDICT_FALSE(!state_.in_transaction())) return OutOfOrder();
    if (ABSL_PREDICT_FALSE(state_.in_stream_block() && xid == 0)) {
      return Error(absl::StrCat("xid 0 ", Where()));
    }
    return absl::OkStatus();
  }

  absl::Status Known(uint32_t xid) const {
    if (state_.streams_.contains(xid)) return absl::OkStatus();
    return Error(absl::StrCat("of transaction ", xid,
                              ", whose first segment is missing"));
  }

  // What is acknowledged is the end: it must cover the record itself.
  absl::Status EndsBehind(Lsn lsn, Lsn end_lsn) const {
    if (end_lsn > lsn) return absl::OkStatus();
    return Error(absl::StrCat("end_lsn ", end_lsn.ToString(), " is not behind ",
                              lsn.ToString()));
  }

  absl::Status Differs(absl::string_view field, Lsn lsn,
                       absl::string_view of) const {
    return Error(absl::StrCat(field, " ", lsn.ToString(), " differs from ", of,
                              " ", state_.lsn_.ToString(), " of transaction ",
                              state_.xid_));
  }

  absl::Status OutOfOrder() const {
    return Error(absl::StrCat("out of order ", Where()));
  }

  absl::Status Error(absl::string_view what) const {
    return absl::DataLossError(absl::StrCat(MessageName(type_), ": ", what));
  }

  std::string Where() const {
    switch (state_.block_) {
      case Block::kNone:
        return "outside a transaction";
      case Block::kPlain:
        return absl::StrCat("in transaction ", state_.xid_);
      case Block::kPrepare:
        return absl::StrCat("in prepared transaction ", state_.xid_);
      case Block::kStream:
        return absl::StrCat("in a stream block of transaction ", state_.xid_);
    }
    return "";
  }

  TransactionState& state_;
  char type_;
};

absl::Status TransactionState::Accept(const Message& message) {
  const char type = MessageType(message);
  absl::Status status = std::visit(Step(*this, type), message);
  origin_may_follow_ = type == 'B' || type == 'b' || type == 'S';
  return status;
}

}  // namespace walferry
