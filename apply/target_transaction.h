#ifndef APPLY_TARGET_TRANSACTION_H_
#define APPLY_TARGET_TRANSACTION_H_

// The target transaction that changes are applied in, and the position that is
// committed with them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
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
//   Begin, statements, Commit                     one batch, one transaction
//   Begin, ..., Suspend, Begin, ..., Commit       one that takes two batches
//
// After any error: Abandon(). The session outlives this.
class TargetTransaction {
 public:
  TargetTransaction(ApplySession& session, size_t pipeline_bytes);
  TargetTransaction(const TargetTransaction&) = delete;
  TargetTransaction& operator=(const TargetTransaction&) = delete;

  PgPipeline& pipeline() { return pipeline_; }
  const PgPipeline& pipeline() const { return pipeline_; }

  // A target transaction is there that is not committed.
  bool open() const { return open_; }

  // Starts one unless it is open.
  absl::Status Begin();

  // Waits for all results; the transaction stays open.
  absl::Status Suspend();

  // Two round trips: COMMIT is sent only after every result was seen, because
  // a result may be an error to us that is none to the server. OK means that
  // the commit is durable. kFailedPrecondition: another process has taken the
  // stream over.
  absl::Status Commit(const CommitFacts& facts);

  // The index, as the pipeline counts, of Commit's first statement; -1 before
  // Commit.
  int64_t commit_index() const { return commit_index_; }

  // Rolls back and leaves the connection usable if it is not broken.
  void Abandon();

 private:
  absl::Status SendFacts(const CommitFacts& facts);

  ApplySession& session_;
  PgPipeline pipeline_;
  bool open_ = false;
  bool in_pipeline_ = false;
  int64_t commit_index_ = -1;
  // The prepared statement that writes the position; "" before it is there.
  std::string position_statement_;
};

}  // namespace walferry

#endif  // APPLY_TARGET_TRANSACTION_H_
