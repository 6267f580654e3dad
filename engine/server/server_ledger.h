#ifndef ENGINE_SERVER_SERVER_LEDGER_H_
#define ENGINE_SERVER_SERVER_LEDGER_H_

// What a move of all databases keeps on the target: a row of its own in the
// ledger (engine/ledger/ledger.h) of the database that the connection string
// names. Each database has its own ledger besides, which alone says what it
// holds: so nothing here is believed of a database that was made anew
// meanwhile.
//
//   object "database"            belongs to the move; detail: its bytes on the
//                                source when it was noted
//   object "tablespace"          the move makes it, or has made it
//   object "globals"             detail: the options that they were made with
//   step "create database NAME"  it is the move's own (create_database.h)
//   step "properties OID NAME"   it has its owner's settings, privileges, ...;
//                                of another OID it is another database
//   objects "freeze"             databases of the source that are read-only
//   step "usable"                clients work on a database while others are
//                                moved, or its delayed rows
//   objects "comparison", "comparison before clients"
//                                engine/server/database_comparison.h
//   step "globals"               roles and tablespaces are there
//   objects "setting", "unsynced"  engine/target/fast_target.h

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/connect/connect.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

inline constexpr absl::string_view kServerKind = "server";
inline constexpr absl::string_view kGlobalsStep = "globals";
inline constexpr absl::string_view kGlobalsKind = "globals";
inline constexpr absl::string_view kTablespaceKind = "tablespace";
inline constexpr absl::string_view kFreezeKind = "freeze";

// "shop (all databases)": no database's migration has such a name.
std::string ServerLedgerName(absl::string_view migration);

// The whole's own endpoints: those given, with that name.
Endpoints ServerEndpoints(Endpoints endpoints);
// Those of one of its databases, with the name given.
absl::StatusOr<Endpoints> DatabaseEndpoints(const Endpoints& endpoints,
                                            const std::string& database);

// `oid`: see DatabaseOid.
std::string PropertiesStep(absl::string_view oid, absl::string_view database);
// Of a database of the session's server; "": there is none of that name.
absl::StatusOr<std::string> DatabaseOid(PgConnection& session,
                                        absl::string_view database);

struct NotedDatabase {
  std::string name;
  int64_t bytes = -1;  // -1: not known.
};
LedgerObject NoteOf(const NotedDatabase& database);
// That a database of the source is read-only for its cutover, which is not done
// yet. `earlier`: see UnfreezeDatabase.
LedgerObject FreezeNoteOf(const std::string& database, std::string earlier);
// Smallest first.
absl::StatusOr<std::vector<NotedDatabase>> NotedDatabases(Ledger& ledger);

// The session on the target that the move's threads share; it holds the move's
// lock. Thread-safe.
class ServerSession {
 public:
  // `connector` has ServerEndpoints. kFailedPrecondition: another process has
  // the lock, also after a while of which `on_wait` is told.
  static absl::StatusOr<std::unique_ptr<ServerSession>> Open(
      const Connector& connector,
      const std::function<void(std::string)>& on_wait);

  // Calls `use`, nobody else meanwhile. A session that was lost is opened anew
  // before. The session speaks `client_encoding` if that was set.
  absl::Status Use(
      absl::FunctionRef<absl::Status(PgConnection& target, Ledger& ledger)>
          use);

  void SetClientEncoding(std::string encoding);

 private:
  explicit ServerSession(const Connector& connector) : connector_(connector) {}
  absl::Status Connect(Contact contact,
                       const std::function<void(std::string)>& on_wait)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Connector connector_;
  absl::Mutex mutex_;
  std::string client_encoding_ ABSL_GUARDED_BY(mutex_);
  std::optional<PgConnection> target_ ABSL_GUARDED_BY(mutex_);
  std::optional<Ledger> ledger_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_LEDGER_H_
