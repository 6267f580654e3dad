#ifndef PROTOCOL_PG_PIPELINE_H_
#define PROTOCOL_PG_PIPELINE_H_

// Many statements in flight at once on one connection (libpq's pipeline mode).

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "protocol/pg_connection.h"

namespace walferry {

// One statement parameter. `data` null: SQL NULL. Text must be followed by a
// NUL byte (libpq wants C strings); binary need not.
struct PgParam {
  const char* data = nullptr;
  int size = 0;
  bool binary = false;
};

// A pipeline that is bounded in bytes and drains results while it sends:
// libpq moves its whole backlog on each partial send, and both sides can
// block each other when nobody reads.
//
//   PgPipeline pipeline(connection, limit_bytes);
//   RETURN_IF_ERROR(pipeline.Enter());
//   pipeline.Send("INSERT ...", params, on_result);   // any number
//   RETURN_IF_ERROR(pipeline.Sync());                 // all results are in
//   RETURN_IF_ERROR(pipeline.Exit());
//
// Results come in the order of the statements. The first statement that fails
// makes the server skip the rest up to the sync; its error, and no other, is
// what Send or Sync returns, and `failed_index()` tells which statement it
// was. Callbacks of skipped statements are not called. After a failure call
// Recover() before anything else.
class PgPipeline {
 public:
  // Called with a result as it arrives; an error of its own ends the pipeline
  // as if the statement had failed. Must not use the pipeline.
  using OnResult = std::function<absl::Status(const PgResult& result)>;

  // The connection outlives this. At most `limit_bytes` are sent and not
  // answered, or one statement if that is larger.
  PgPipeline(PgConnection& connection, size_t limit_bytes);

  absl::Status Enter();
  // Only with nothing in flight.
  absl::Status Exit();

  // Creates a prepared statement. Types are inferred unless given (OIDs).
  absl::Status Prepare(const std::string& name, const std::string& sql,
                       absl::Span<const uint32_t> types = {});
  absl::Status SendPrepared(const std::string& name,
                            absl::Span<const PgParam> params,
                            OnResult on_result = nullptr);
  absl::Status Send(const std::string& sql,
                    absl::Span<const PgParam> params = {},
                    OnResult on_result = nullptr);

  // Ends the implicit group and waits for every result.
  absl::Status Sync();

  // After a failure: reads to the sync point (sends one if need be), so that
  // the connection takes statements again. The transaction is still aborted.
  absl::Status Recover();

  // Everything that was sent is answered, and synced.
  bool idle() const { return count_ == 0 && !unsynced_; }

  // Statements sent so far (prepares included), and the one of them that failed
  // since the last Recover() (counted from 0; -1: none).
  int64_t sent() const { return sent_; }
  int64_t failed_index() const { return failed_index_; }

 private:
  struct InFlight {
    size_t bytes = 0;
    OnResult on_result;
    bool is_sync = false;
  };
  absl::Status CheckUsable() const;
  absl::Status SetParams(absl::Span<const PgParam> params);
  absl::Status Queued(size_t bytes, OnResult on_result);
  void Push(InFlight entry);
  InFlight& Front() { return ring_[first_]; }
  void PopFront();
  absl::Status SendBacklog();
  absl::Status AwaitInFlight(size_t bytes, size_t entries);
  absl::Status TakeAvailable();
  absl::Status TakeOne(const PgResult& result);
  void Fail(absl::Status failure);
  absl::Status NotSent();
  absl::Status Lost(absl::Status failure);

  PgConnection& connection_;
  size_t limit_bytes_;

  // What was sent and not answered, oldest first. A ring, because a deque
  // allocates all the time as it moves through memory.
  std::vector<InFlight> ring_;
  size_t first_ = 0;
  size_t count_ = 0;
  size_t in_flight_bytes_ = 0;
  bool front_answered_ = false;

  size_t unflushed_bytes_ = 0;    // Queued since libpq's buffer was empty.
  size_t unrequested_bytes_ = 0;  // Sent since results were last asked for.
  bool unsynced_ = false;         // Statements were sent after the last sync.

  int64_t sent_ = 0;
  int64_t received_ = 0;
  int64_t failed_index_ = -1;
  absl::Status failure_;

  // Kept for their memory.
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  size_t param_bytes_ = 0;
};

}  // namespace walferry

#endif  // PROTOCOL_PG_PIPELINE_H_
