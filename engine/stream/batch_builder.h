#ifndef ENGINE_STREAM_BATCH_BUILDER_H_
#define ENGINE_STREAM_BATCH_BUILDER_H_

// Turns decoded messages into batches: which changes belong to the stream,
// which transactions the target already has, where a batch ends.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apply/change_batch.h"
#include "apply/source_relation.h"
#include "protocol/lsn.h"
#include "protocol/pgoutput.h"
#include "protocol/transaction_state.h"

namespace walferry {

// What to do with the changes of a relation.
struct RelationPolicy {
  // False: the relation is not part of the stream; its changes are left out.
  bool apply = true;
  // Changes of transactions whose commit record starts before it are on the
  // target already: the table was copied at that position.
  Lsn copied_at;
};

// Asked once for each relation, and again whenever its description changes. An
// error stops the stream: the relation is not as it must be.
using RelationGate =
    std::function<absl::StatusOr<RelationPolicy>(const SourceRelation&)>;

struct BatchBuilderOptions {
  // Transactions that committed before it are on the target already.
  Lsn position;
  // Transactions that commit at or behind it are left for another run.
  std::optional<Lsn> until;
  // A batch holds no more, but for its last change.
  size_t batch_bytes = size_t{16} << 20;
  RelationGate gate;
  // Told of every transaction that is taken, before any of it is: the batch may
  // be taken then. May be empty.
  std::function<void(const Begin&)> on_begin = nullptr;
};

// Fed with every message of a protocol version 1 stream, in order. Used by one
// thread.
class BatchBuilder {
 public:
  explicit BatchBuilder(BatchBuilderOptions options);

  // Takes one payload. kDataLoss: malformed, or out of order. kUnimplemented:
  // a message that this stream did not ask for.
  absl::Status Take(absl::string_view payload);

  // The batch must be handed on before the next Take(). From three quarters of
  // its size on it ends with the transaction; one that goes on beyond the size
  // is cut. What is cut keeps the target's transaction open, so its end is
  // handed on at once.
  bool full() const {
    if (in_transaction_) return batch_->bytes() >= batch_bytes_;
    return batch_->bytes() >= batch_bytes_ - batch_bytes_ / 4 ||
           (!batch_->empty() && batch_->transactions().front().continued);
  }

  // Whether TakeBatch() would give whole transactions only, at least one.
  bool HasWholeTransactions() const {
    return !in_transaction_ && !batch_->empty();
  }

  // The batch so far (not null, maybe empty); a new one is begun, which goes
  // on with the transaction that is open.
  std::unique_ptr<ChangeBatch> TakeBatch();

  // A transaction is half received.
  bool in_transaction() const { return in_transaction_; }

  // No transaction is half received, and no batch is begun.
  bool Empty() const { return !in_transaction_ && batch_->empty(); }

  // The end of the last transaction received, also of those left out.
  Lsn received() const { return received_; }

  // The first transaction that `until` leaves out has begun: nothing more is
  // taken.
  bool reached_until() const { return reached_until_; }

 private:
  struct KnownRelation {
    std::shared_ptr<const SourceRelation> relation;
    RelationPolicy policy;
    // Its place among the decoded tables of the batch of that number.
    uint64_t batch = 0;
    size_t decoded = 0;
  };

  absl::Status Visit(const Message& message);
  absl::Status OnBegin(const Begin& begin);
  void OnCommit(const Commit& commit);
  absl::Status OnRelation(const Relation& relation);
  absl::Status OnInsert(const Insert& insert);
  absl::Status OnUpdate(const Update& update);
  absl::Status OnDelete(const Delete& message);
  absl::Status OnTruncate(const Truncate& truncate);
  absl::StatusOr<KnownRelation*> Find(uint32_t relation_id);
  // kDataLoss: the row does not have the relation's columns.
  absl::Status CheckWidth(const KnownRelation& known,
                          const TupleView& row) const;
  // Whether the open transaction's changes of this relation are to be applied.
  bool IsApplied(const KnownRelation& known) const {
    return !left_out_ && known.policy.apply &&
           begin_.final_lsn >= known.policy.copied_at;
  }

  // A change that is to be applied was decoded.
  void CountDecoded(KnownRelation& known, ChangeKind kind);

  const Lsn position_;
  const std::optional<Lsn> until_;
  const size_t batch_bytes_;
  const RelationGate gate_;
  const std::function<void(const Begin&)> on_begin_;

  TransactionState order_;
  absl::flat_hash_map<uint32_t, KnownRelation> relations_;
  std::unique_ptr<ChangeBatch> batch_;
  uint64_t batch_number_ = 1;
  Lsn received_;
  Begin begin_;  // Of the open transaction.
  bool in_transaction_ = false;
  bool left_out_ = false;  // The open transaction is on the target already.
  bool reached_until_ = false;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_BATCH_BUILDER_H_
