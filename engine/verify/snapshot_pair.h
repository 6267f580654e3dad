#ifndef ENGINE_VERIFY_SNAPSHOT_PAIR_H_
#define ENGINE_VERIFY_SNAPSHOT_PAIR_H_

// One state of the source and one of the target, which many sessions read.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/connect/connect.h"
#include "engine/options.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// A session on either side. Used by one thread.
struct SessionPair {
  PgConnection source;
  PgConnection target;
};

// When the states are those of a stream that goes on meanwhile.
struct PairMoment {
  // Transactions whose commit record starts before it are in both.
  Lsn position;
  // How long changes were not applied for it, at most.
  absl::Duration pause;
  int taken = 1;  // So many states one after another.
};

// Whoever knows two states that must be equal implements it: two servers that
// stand still, or a source's snapshot and a target that has applied all before.
class SnapshotPair {
 public:
  virtual ~SnapshotPair() = default;

  // Sessions inside the two snapshots, in a transaction that is REPEATABLE READ
  // and READ ONLY, with the settings of PrepareToCompare. Thread-safe.
  virtual absl::StatusOr<SessionPair> Open(const Interrupt* interrupt) = 0;

  // Thread-safe. Ends sessions. A server that serves one session would keep
  // what was set in it.
  virtual void Close(SessionPair sessions) = 0;

  // Thread-safe. Whether the states are still held: if they are now, they have
  // been all along. kUnavailable otherwise.
  virtual absl::Status Check() = 0;

  // How many pairs may be open at once.
  virtual int most_sessions() const = 0;

  // What makes the comparison less than one of two states.
  virtual const std::vector<std::string>& remarks() const = 0;

  // ---- Of states that changes go on behind ----

  // Newer ones may take their place. What has been compared stays true.
  virtual bool renewable() const { return false; }
  // They should do so soon.
  virtual bool expired() { return false; }
  // No session is open. An error leaves no states.
  virtual absl::Status Renew() {
    return absl::UnimplementedError("these states have no newer ones");
  }
  // Of the last states; the pause is the longest of all.
  virtual std::optional<PairMoment> moment() { return std::nullopt; }
};

// Before 12, a float has no shortest text, and its 17 digits are not those of
// a later server. The bytes that it is sent as are the same everywhere.
inline constexpr int kShortestFloats = 120000;
// Sessions with the settings of PrepareToCompare, in no transaction.
absl::StatusOr<SessionPair> ConnectToCompare(const Endpoints& endpoints,
                                             const Interrupt* interrupt,
                                             Contact contact);

// Begins a transaction inside the snapshot; nullopt: in one of its own.
absl::Status EnterSnapshot(PgConnection& session,
                           const std::optional<std::string>& snapshot);

// Settings under which equal values have equal text on both sides, and names
// and values one encoding. Neither is in a transaction yet.
absl::Status PrepareToCompare(SessionPair& sessions);

// The states of now: each side's is exported by a session that stays inside it.
// Where that cannot be (a server that serves one session) each session has a
// state of its own, and a remark says so.
absl::StatusOr<std::unique_ptr<SnapshotPair>> TakeSnapshotPair(
    const Endpoints& endpoints, const Interrupt* interrupt);

}  // namespace walferry

#endif  // ENGINE_VERIFY_SNAPSHOT_PAIR_H_
