#ifndef ENGINE_OPTIONS_H_
#define ENGINE_OPTIONS_H_

// The settings of each thing the engine can be asked to do. tools/ has the
// table that fills them from flags, environment and file.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/batch_size.h"
#include "engine/scope.h"
#include "protocol/lsn.h"

namespace walferry {

class MigrationProof;  // engine/migration_proof.h
class Turns;

// Of one connection, until the server has answered.
constexpr absl::Duration kDefaultConnectTimeout = absl::Seconds(8);

// Both sides of a migration and its name.
struct Endpoints {
  std::string source;  // libpq connection strings.
  std::string target;
  // Names the ledger's rows, and by default slot and publication:
  // [a-z0-9_], at most 40 bytes.
  std::string name = "walferry";
  // Schema on the target that holds the ledger.
  std::string ledger_schema = "walferry";
  absl::Duration connect_timeout = kDefaultConnectTimeout;
};

enum class MigrateMode {
  // Follows the source's changes until the cutover.
  kOnline,
  // The source's state at one moment. Needs no replication, so it also takes
  // sources that offer none, and standbys.
  kOffline,
};

enum class CutoverMode { kManual, kAuto };

// How the source is kept still during the cutover.
enum class FreezeMode {
  // The operator stops the writers; walferry waits until it sees none.
  kNone,
  // walferry makes the database read-only for new sessions and ends those that
  // could still write.
  kReadOnly,
};

// In which form the source sends values.
enum class BinaryMode {
  // In binary form where that is exact for every published column.
  kAuto,
  // As text.
  kOff,
};

struct StreamOptions {
  absl::Duration poll_interval = absl::Seconds(1);
  uint64_t lag_threshold_bytes = uint64_t{64} << 10;
  // Sessions of the target that apply batches side by side.
  int apply_jobs = 1;
  // No batch is larger.
  size_t batch_bytes = BatchBytesFor(kDefaultMemory, /*apply_jobs=*/1);
  BinaryMode binary = BinaryMode::kAuto;
  // Nothing heard from the source for so long: reconnect.
  absl::Duration receive_timeout = absl::Seconds(60);
  // How long connections are retried before the run gives up.
  absl::Duration retry_for = absl::Minutes(10);
};

struct MigrateOptions {
  Endpoints endpoints;
  MigrateMode mode = MigrateMode::kOnline;
  ScopeOptions scope;       // Of an online migration, all parts.
  std::string publication;  // "": created as walferry_<name>.
  std::string slot;         // "": walferry_<name>.
  int jobs = 4;             // Tables or ranges copied at once.
  int index_jobs = 2;       // Indexes and constraints built at once.
  // Tables larger than it are copied in ranges of about this size.
  uint64_t split_bytes = uint64_t{256} << 20;
  // Rows go in by INSERT: the target does not take COPY.
  bool inserts = false;
  // Before anything else the target's database gives way to an empty one of the
  // same making, unless the ledger says that this migration has begun in it.
  bool drop_target_first = false;
  bool no_owner = false;
  bool no_acl = false;
  bool sequence_sync = true;
  bool analyze = true;
  // Ids of blocking check findings that the operator accepts, e.g.
  // "replica-identity".
  std::vector<std::string> accept;
  std::string pg_dump;  // Path of pg_dump; "": found by itself.
  CutoverMode cutover = CutoverMode::kManual;
  FreezeMode freeze = FreezeMode::kNone;
  // A cutover that finds no quiet source for so long is given up and follow
  // goes on (with --cutover auto it waits on).
  absl::Duration cutover_timeout = absl::Minutes(5);
  bool keep_slot = false;
  bool keep_publication = false;
  // Settings of the target's server that speed this up, for the time of an
  // offline migration (engine/target/fast_target.h).
  bool fast_target = false;
  // Asked when others migrate between the same servers; null: nobody does.
  // Outlives the run.
  Turns* turns = nullptr;
  // One of the databases of a server that are moved together
  // (engine/server/servers.h): whoever moves them also brings what is tied to
  // the database as a whole, such as its settings, and says once what is of
  // the servers.
  bool of_server_move = false;
  // Called, also by every later run, before clients are told that they may work
  // on a target that lacks only delayed rows (engine/catalog/delayed_tables.h).
  // May be empty.
  std::function<absl::Status()> on_usable;
  // Compares source and target at one position, before the cutover and while
  // they follow; null: nobody does. Outlives the run.
  MigrationProof* proof = nullptr;
  // A comparison that took no longer is done again while the source is still.
  absl::Duration verify_budget = absl::Seconds(5);
  // Between two comparisons while changes flow; zero: none but the one before
  // the cutover.
  absl::Duration verify_every = absl::ZeroDuration();
  // No snapshot that a comparison reads is held for longer.
  absl::Duration max_snapshot_age = absl::Minutes(30);
  StreamOptions stream;
};

// They belong to the database as a whole, not to any table or schema of it,
// and no stream tells of their changes.
inline bool CarriesLargeObjects(const MigrateOptions& options) {
  return options.mode == MigrateMode::kOffline &&
         options.scope.carries_rows() && options.scope.schemas.empty() &&
         options.scope.tables.empty();
}

struct FollowOptions {
  Endpoints endpoints;
  std::string slot;
  std::vector<std::string> publications;
  // Ends once every transaction that committed before it is applied.
  std::optional<Lsn> until_lsn;
  StreamOptions stream;
};

struct CheckOptions {
  MigrateOptions migrate;
};

struct StatusOptions {
  std::string target;
  std::string name = "walferry";
  std::string ledger_schema = "walferry";
};

struct CutoverOptions {
  std::string target;
  std::string name = "walferry";
  std::string ledger_schema = "walferry";
  // How long to wait for the running migration to report.
  absl::Duration wait = absl::Minutes(10);
  // How long the migration's process may be out of touch with the target before
  // it counts as ended: longer than it pauses between two attempts (10 s) and
  // tries to connect.
  absl::Duration process_grace = absl::Seconds(40);
};

struct CleanupOptions {
  Endpoints endpoints;
  // Also end a walsender that still holds the slot.
  bool force = false;
};

}  // namespace walferry

#endif  // ENGINE_OPTIONS_H_
