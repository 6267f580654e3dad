#ifndef APPLY_TARGET_TRANSACTION_H_
#define APPLY_TARGET_TRANSACTION_H_

// The target transaction that changes are applied in, and the position that is
// committed with them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "apply/applied_counts.h"
#include "apply/applier.h"
#include "apply/apply_session.h"
#include "protocol/lsn.h"
#include "protocol/pg_pipeline.h"

namespace walferry {

// What is stored with a commit.
struct CommitFacts {
  Lsn position;
  // Of the last source transaction (pg_time.h). None: the position moves over
  // WAL without transactions.
  std::optional<int64_t> commit_time;
  ApplyCounts counts;
};

// Statements go through pipeline() between Begin() and Suspend() or Commit():
//
//   Begin, Store, statements, Commit              one batch, one transaction
//   Begin, ..., Suspend, Begin, Store, ..., Commit       one of two batches
//   Begin, ..., Suspend, COPY, Begin, ...         what a pipeline cannot do
//
// After any error: RollBackTo() a savepoint, or Abandon(). The session outlives
// this.
class TargetTransaction {
 public:
  TargetTransaction(ApplySession& session, size_t pipeline_bytes);
  TargetTransaction(const TargetTransaction&) = delete;
  TargetTransaction& operator=(const TargetTransaction&) = delete;

  PgPipeline& pipeline() { return pipeline_; }
  const PgPipeline& pipeline() const { return pipeline_; }
  // For what is done while suspended.
  PgConnection& connection() const { return session_.connection(); }
  bool connection_broken() const { return session_.connection().broken(); }

  // A target transaction is there that is not committed.
  bool open() const { return open_; }

  // Starts one unless it is open. Does nothing between Begin and Suspend.
  absl::Status Begin();

  // Waits for all results; the transaction stays open. Does nothing while
  // suspended.
  absl::Status Suspend();

  // Once in a transaction, at any time that no savepoint is set: the sooner it
  // is known that another process has taken the stream over, the better.
  absl::Status Store(const CommitFacts& facts);

  // Waits for all results and commits: COMMIT is sent only after every result
  // was seen, because a result may be an error to us that is none to the
  // server. OK means that the commit is durable. Unless the counts agree it is
  // not sent: kInternal; they are stored with the position.
  absl::Status Commit(const AppliedCounts& counts);

  // Names need no quotes; the last savepoint of a name is the one meant.
  absl::Status Savepoint(absl::string_view name);
  // After an error; the connection is not broken. All prepared statements of
  // the session are dropped: nobody knows which of the last ones exist.
  absl::Status RollBackTo(absl::string_view savepoint);
  // What came behind the savepoint is well.
  absl::Status Release(absl::string_view savepoint);

  // Rolls back and leaves the connection usable if it is not broken; also drops
  // all prepared statements.
  void Abandon();

 private:
  absl::Status SendFacts(const CommitFacts& facts);
  absl::Status SendCounts(const CountsByTable& counts);

  ApplySession& session_;
  PgPipeline pipeline_;
  bool open_ = false;
  bool in_pipeline_ = false;
  Lsn position_;  // What the open transaction stores.
  // The prepared statements that write the position and the tables' counts; ""
  // before they are there.
  std::string position_statement_;
  std::string counts_statement_;
};

}  // namespace walferry

#endif  // APPLY_TARGET_TRANSACTION_H_
