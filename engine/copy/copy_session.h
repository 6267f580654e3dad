#ifndef ENGINE_COPY_COPY_SESSION_H_
#define ENGINE_COPY_COPY_SESSION_H_

// Sessions that carry rows as text from the source to the target, set up so
// that every value arrives as it left.
//
// Both sides speak the source's server_encoding: the source converts nothing,
// the target checks and converts. Bytes of SQL_ASCII must be valid in the
// target's encoding. What steers the text of a
// value (dates, intervals, floats, money, bytea, xml, search_path) is pinned
// to the same on both sides; money travels under lc_monetary C, so that its
// integer is kept whatever the two servers' locales are. row_security is off:
// a policy that would hide rows is an error, not a gap. Names of tables and
// columns must be in the source's encoding too.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/options.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct CopySessionOptions {
  Endpoints endpoints;
  // lock_timeout of both sides.
  absl::Duration lock_wait = absl::Seconds(30);
  // May be null; outlives the sessions.
  const Interrupt* interrupt = nullptr;
};

// What the text of a value depends on, pinned, and what would end a long
// transaction: SETs for a session of a server of that version.
std::string ValueSettingsSql(int server_version, absl::Duration lock_wait);

// A session that reads rows.
absl::StatusOr<PgConnection> OpenCopySource(const CopySessionOptions& options);

// The same settings for a session that is open already.
absl::Status ConfigureCopySource(PgConnection& source,
                                 const CopySessionOptions& options);

// A session that writes rows, that is open already. `encoding` is the source's
// server_encoding. Whatever the role's and the database's own settings are,
// values arrive as they left, and commits are durable when they return.
absl::Status ConfigureCopyTarget(PgConnection& target,
                                 const CopySessionOptions& options,
                                 const std::string& encoding);

// A walsender session that reads changes, with the same text of values.
// `statement_timeout` bounds the creation of a slot.
absl::StatusOr<PgConnection> OpenCopyWalsender(
    const CopySessionOptions& options,
    absl::Duration statement_timeout = absl::InfiniteDuration());

// A session that writes rows, configured as above. Triggers are kept quiet by
// session_replication_role where the role may set it (before the post-data
// schema there are none).
//
// It holds the migration's copy lock in shared mode for as long as it lives,
// see EndEarlierCopies.
absl::StatusOr<PgConnection> OpenCopyTarget(const CopySessionOptions& options,
                                            const std::string& encoding);

// Ends target sessions that an earlier run of the same migration has left: one
// of them could still commit a range after the ledger was read. Only for who
// holds the migration's lock (Ledger::Lock). Returns how many there were.
absl::StatusOr<int> EndEarlierCopies(PgConnection& target,
                                     const Endpoints& endpoints);

}  // namespace walferry

#endif  // ENGINE_COPY_COPY_SESSION_H_
