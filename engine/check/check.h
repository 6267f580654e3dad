#ifndef ENGINE_CHECK_CHECK_H_
#define ENGINE_CHECK_CHECK_H_

// The preflight: what would stop or hurt a migration, found before anything is
// created. Tests by doing where that is possible, in transactions that are
// rolled back.

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/connect/connect.h"
#include "engine/options.h"
#include "protocol/pg_connection.h"

namespace walferry {

enum class Severity {
  kOk,        // Looked at, fine.
  kInfo,      // Worth knowing.
  kWarning,   // Goes on, but read this.
  kBlocking,  // The migration refuses to start, unless accepted by its id.
};

// "ok", "info", "warning", "blocking".
absl::string_view SeverityName(Severity severity);

struct Finding {
  // Stable, for --accept and scripts: "replica-identity", "wal-level", ...
  std::string id;
  Severity severity = Severity::kOk;
  // May be accepted by the operator's explicit word.
  bool acceptable = false;
  // Where several are looked at: the one that it is of; "": of none of them, or
  // of all.
  std::string database;
  std::string subject;  // "source", "target", "public.orders", ...
  std::string text;     // One clear clause: lower case, no full stop.
  std::string hint;     // What to do: often the exact SQL. May be empty.
};

// What the target allows (design section 6): decides how the stream is applied.
struct TargetLadder {
  bool replica_role = false;        // SET session_replication_role works.
  bool replication_origin = false;  // pg_replication_origin_* work.
  bool create_schema = false;
  bool temporary_tables = false;
  bool timeouts_settable = false;
};

// Whether --accept names this finding: by its id, or for one subject by
// "id:subject".
bool Accepts(const std::vector<std::string>& accept, absl::string_view id,
             absl::string_view subject);

struct CheckReport {
  std::vector<Finding> findings;
  // Of all databases that were looked into; nullopt: there was none.
  std::optional<TargetLadder> ladder;
  int source_version = 0;  // 150004.
  int target_version = 0;

  // Any kBlocking finding that `accept` does not name. One that is not
  // acceptable always blocks.
  std::vector<const Finding*> Blocking(
      const std::vector<std::string>& accept) const;
};

// As a text for people: what blocks first, what was found to be in order last
// (`color`: ANSI colours).
std::string FormatCheckReport(const CheckReport& report,
                              const std::vector<std::string>& accept,
                              bool color);

// As one JSON object: ready (nothing blocks), blocking (how many do),
// source_version and target_version (150004), target_allows
// (session_replication_role, replication_origin, create_schema,
// temporary_tables, timeouts: booleans, or null if no database was looked
// into), and findings, an array of
// {id, severity, acceptable, accepted, database, subject, text, hint}.
std::string CheckReportToJson(const CheckReport& report,
                              const std::vector<std::string>& accept);

// Of all checks those that are made.
enum class CheckShare {
  kAll,
  // Where all databases of a server are moved: those of the two servers and of
  // this machine, which say the same of every database, ...
  kServers,
  // ... and those of one database, but for what such a move counts for all of
  // them together (engine/server/server_plan.h).
  kDatabase,
};

// Runs every check over open connections, none of them inside a transaction
// (`source_replication` is a walsender connection, or null if it could not be
// opened: `replication_error` says why). `resuming`: the migration's own
// objects are expected on both sides.
//
// A check that could not be carried out is a finding itself: blocking,
// acceptable, under the check's id. An error means that a connection is lost
// or the caller has asked to stop.
struct CheckInputs {
  PgConnection* source = nullptr;
  PgConnection* target = nullptr;
  PgConnection* source_replication = nullptr;
  absl::Status replication_error;
  bool resuming = false;
  CheckShare share = CheckShare::kAll;
  // The target's database is yet to be created, like the source's and without
  // anything in it: `target` is a session of another one of its server. What
  // only the database itself could tell is not looked at.
  bool target_to_come = false;
  // What the target's server lacks, and will have before the migration begins.
  absl::flat_hash_set<std::string> roles_to_come;
  absl::flat_hash_set<std::string> tablespaces_to_come;
};
absl::StatusOr<CheckReport> Check(const MigrateOptions& options,
                                  const Catalog& catalog,
                                  const CheckInputs& inputs);

// The same, over a walsender connection of its own where `options` need one.
absl::StatusOr<CheckReport> CheckOpeningWalsender(const MigrateOptions& options,
                                                  const Catalog& catalog,
                                                  const Connector& connector,
                                                  CheckInputs inputs);

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_H_
