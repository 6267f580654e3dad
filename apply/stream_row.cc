#include "apply/stream_row.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "apply/stream_lock.h"
#include "apply/table_counts.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Parameters = std::vector<std::optional<std::string>>;

std::string StreamTable(absl::string_view ledger_schema) {
  return absl::StrCat(QuoteIdentifier(ledger_schema), ".stream");
}

// Unless it is there. An INSERT with ON CONFLICT would wait for whoever still
// writes it; the lock of the stream is held, so nobody else creates it.
absl::Status CreateRow(PgConnection& connection,
                       const StreamRowOptions& options) {
  const StreamIdentity& identity = options.identity;
  const std::string table = StreamTable(options.ledger_schema);
  return connection
      .ExecParams(
          absl::StrCat("INSERT INTO ", table,
                       " (name, system_identifier, slot, dbname, applied_lsn,"
                       " epoch) SELECT $1, $2, $3, $4, $5, 0 WHERE NOT EXISTS"
                       " (SELECT FROM ",
                       table, " WHERE name = $1)"),
          Parameters{identity.name, identity.system_identifier, identity.slot,
                     identity.dbname, options.start.ToString()})
      .status();
}

absl::Status VerifyRow(PgConnection& connection,
                       const StreamRowOptions& options) {
  const StreamIdentity& identity = options.identity;
  ASSIGN_OR_RETURN(
      const PgResult result,
      connection.ExecParams(
          absl::StrCat("SELECT system_identifier, slot, dbname FROM ",
                       StreamTable(options.ledger_schema), " WHERE name = $1"),
          Parameters{identity.name}));
  if (result.rows() != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("stream \"", identity.name, "\" has vanished from ",
                     StreamTable(options.ledger_schema)));
  }
  const std::array<std::pair<absl::string_view, absl::string_view>, 3> facts = {
      {{"system identifier", identity.system_identifier},
       {"slot", identity.slot},
       {"database", identity.dbname}}};
  std::vector<std::string> differences;
  for (size_t index = 0; index < facts.size(); ++index) {
    const absl::string_view stored = result.Text(0, static_cast<int>(index));
    if (stored == facts[index].second) continue;
    differences.push_back(absl::StrCat(facts[index].first, " \"", stored,
                                       "\" there, \"", facts[index].second,
                                       "\" here"));
  }
  if (differences.empty()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the target's stream \"", identity.name,
          "\" comes from another source: ", absl::StrJoin(differences, "; "))),
      "its position means nothing here: choose another name, or clean up the "
      "old migration first");
}

absl::StatusOr<StreamRow> UpdateEpoch(PgConnection& connection,
                                      const StreamRowOptions& options) {
  const std::string table = StreamTable(options.ledger_schema);
  const Parameters name = {options.identity.name};
  RETURN_IF_ERROR(connection.Exec("BEGIN").status());
  RETURN_IF_ERROR(
      connection
          .ExecParams(absl::StrCat("SELECT FROM ", table,
                                   " WHERE name = $1 FOR UPDATE NOWAIT"),
                      name)
          .status());
  ASSIGN_OR_RETURN(const PgResult result,
                   connection.ExecParams(
                       absl::StrCat("UPDATE ", table,
                                    " SET epoch = epoch + 1, counted_since ="
                                    " coalesce(counted_since, applied_lsn)"
                                    " WHERE name = $1"
                                    " RETURNING applied_lsn, epoch"),
                       name));
  RETURN_IF_ERROR(connection.Exec("COMMIT").status());
  if (result.rows() != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("stream \"", options.identity.name, "\" has vanished"));
  }
  StreamRow row;
  ASSIGN_OR_RETURN(row.position, result.LsnAt(0, 0));
  ASSIGN_OR_RETURN(row.epoch, result.Int64(0, 1));
  return row;
}

// Whose transaction has locked the stream's row; 0: nobody's any more.
absl::StatusOr<int64_t> FindRowHolder(PgConnection& connection,
                                      const StreamRowOptions& options) {
  ASSIGN_OR_RETURN(
      const PgResult result,
      connection.ExecParams(
          absl::StrCat("SELECT l.pid FROM ", StreamTable(options.ledger_schema),
                       " s JOIN pg_catalog.pg_locks l ON l.granted"
                       " AND l.locktype = 'transactionid'"
                       " AND l.transactionid = s.xmax WHERE s.name = $1"),
          Parameters{options.identity.name}));
  return result.rows() == 0 ? 0 : result.Int64(0, 0);
}

// A process that is gone may have left a session that still works: of several
// only one holds the stream's lock.
absl::StatusOr<StreamRow> RaiseEpoch(PgConnection& connection,
                                     const StreamRowOptions& options) {
  bool told = false;
  while (true) {
    absl::StatusOr<StreamRow> row = UpdateEpoch(connection, options);
    constexpr absl::string_view kLocked = "55P03";
    if (row.ok() || SqlStateOf(row.status()) != kLocked) return row;
    RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
    ASSIGN_OR_RETURN(const int64_t pid, FindRowHolder(connection, options));
    if (pid != 0 && absl::Now() >= options.deadline) {
      return WithHint(
          absl::AbortedError(
              absl::StrCat("another session still writes this stream: process ",
                           pid, " of the target")),
          absl::StrCat("stop what it belongs to; if only the session is left, "
                       "SELECT pg_terminate_backend(",
                       pid, ") on the target ends it"));
    }
    if (pid != 0 && !told && options.on_wait) {
      options.on_wait(absl::StrCat("waiting for process ", pid,
                                   " of the target, which still writes this "
                                   "stream"));
      told = true;
    }
    RETURN_IF_ERROR(PauseBeforeRetry(connection.interrupt()));
  }
}

}  // namespace

std::string StreamTableSql(absl::string_view ledger_schema) {
  return absl::StrCat("CREATE TABLE IF NOT EXISTS ", StreamTable(ledger_schema),
                      " (\n"
                      "  name pg_catalog.text PRIMARY KEY,\n"
                      "  system_identifier pg_catalog.text NOT NULL,\n"
                      "  slot pg_catalog.text NOT NULL,\n"
                      "  dbname pg_catalog.text NOT NULL,\n"
                      "  applied_lsn pg_catalog.pg_lsn NOT NULL,\n"
                      "  commit_time pg_catalog.timestamptz,\n"
                      "  epoch pg_catalog.int8 NOT NULL,\n"
                      "  transactions pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  inserts pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  updates pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  deletes pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  truncates pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  updated_at pg_catalog.timestamptz NOT NULL"
                      " DEFAULT pg_catalog.clock_timestamp(),\n"
                      "  counted_since pg_catalog.pg_lsn\n"
                      ");\n",
                      TableCountsTableSql(ledger_schema));
}

absl::StatusOr<StreamRow> TakeStreamRow(PgConnection& connection,
                                        const StreamRowOptions& options) {
  RETURN_IF_ERROR(CreateRow(connection, options));
  RETURN_IF_ERROR(VerifyRow(connection, options));
  return RaiseEpoch(connection, options);
}

}  // namespace walferry
