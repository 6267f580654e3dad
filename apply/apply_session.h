#ifndef APPLY_APPLY_SESSION_H_
#define APPLY_APPLY_SESSION_H_

// The sessions that write a stream's changes to the target, and the position
// that they keep there.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "apply/stream_row.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

// How triggers and foreign keys of the target are kept from acting on applied
// changes (design: "what the target allows decides how").
enum class TriggerGuard {
  kReplicaRole,  // SET session_replication_role = replica.
  kNone,         // None is needed: the caller has seen to it.
};

struct ApplySessionOptions {
  // Its client_encoding must be the one the walsender sends. Settings that
  // values depend on are pinned by the session itself.
  PgConnectOptions target;
  std::string ledger_schema = "walferry";
  StreamIdentity identity;
  TriggerGuard trigger_guard = TriggerGuard::kReplicaRole;
  // Where the stream begins if the target has no position for it yet.
  Lsn start;
  // How long to wait for another process that still writes this stream.
  absl::Duration lock_wait = absl::Seconds(30);
  // Called with "waiting for ..." when it has to wait; may be empty.
  std::function<void(absl::string_view)> on_wait;
};

// Of the migration `name` in the target's database: origins belong to the
// cluster, and other databases of it may have migrations of the same name.
absl::StatusOr<std::string> OriginName(PgConnection& target,
                                       absl::string_view name);

// The first of a stream holds an advisory lock for as long as it lives and has
// raised the stream's epoch: any other writer's next commit fails. The others
// have joined it and write under its epoch.
class ApplySession {
 public:
  // kAborted after lock_wait: another process writes this stream (its pid and
  // address are told). kFailedPrecondition: the stored stream is another one
  // (what differs is told), or a session setting is refused.
  static absl::StatusOr<std::unique_ptr<ApplySession>> Open(
      const ApplySessionOptions& options);

  // Another session for the same stream, to write beside `first` and under its
  // epoch; the caller keeps the commits of both in order. If `first` has an
  // origin, this one has its own (OriginName() with "/2" and so on behind it),
  // or it is an error. `number`: 2 for the second session, and so on.
  static absl::StatusOr<std::unique_ptr<ApplySession>> Join(
      const ApplySessionOptions& options, const ApplySession& first,
      int number);

  PgConnection& connection() { return connection_; }
  // Everything up to it is on the target. Moves with each commit.
  Lsn position() const { return position_; }
  int64_t epoch() const { return epoch_; }
  // The process of the target that does the work. A pooler announces another.
  int server_pid() const { return server_pid_; }
  // The shortest time in which the target has answered a query when the session
  // began.
  absl::Duration round_trip() const { return round_trip_; }
  const std::string& ledger_schema() const { return ledger_schema_; }
  const std::string& name() const { return name_; }
  // The session carries a replication origin: its commits are marked with it.
  bool has_origin() const { return has_origin_; }

  // A name for a prepared statement that this session has not used yet.
  std::string NextStatementName();

  // What was prepared in another era exists no more.
  int64_t statement_era() const { return statement_era_; }

 private:
  // Commits positions, drops prepared statements.
  friend class TargetTransaction;

  explicit ApplySession(PgConnection connection);
  // Set up, but without lock, position and origin.
  static absl::StatusOr<std::unique_ptr<ApplySession>> Connect(
      const ApplySessionOptions& options);
  // Sets server_pid_ and round_trip_.
  absl::Status AskServer();

  PgConnection connection_;
  Lsn position_;
  int64_t epoch_ = 0;
  int server_pid_ = 0;
  absl::Duration round_trip_;
  std::string ledger_schema_;
  std::string name_;
  bool has_origin_ = false;
  int64_t statements_ = 0;
  int64_t statement_era_ = 0;
};

}  // namespace walferry

#endif  // APPLY_APPLY_SESSION_H_
