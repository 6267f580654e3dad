#include "engine/copy/snapshot.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/connect/old_servers.h"
#include "engine/connect/source_position.h"
#include "engine/connect/xid_snapshot.h"
#include "engine/copy/copy_session.h"
#include "protocol/quoting.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Tables that one LOCK or one look at the catalog names.
constexpr size_t kTablesPerStatement = 200;
// A transaction that has run for so long may run on.
constexpr absl::Duration kLong = absl::Seconds(1);

std::string TemporarySlotName() {
  std::random_device random;
  return absl::StrCat("walferry_tmp_", absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8));
}

std::string OidArray(absl::Span<const CatalogTable> tables) {
  return absl::StrCat(
      "'{",
      absl::StrJoin(tables, ",",
                    [](std::string* out, const CatalogTable& table) {
                      absl::StrAppend(out, table.oid);
                    }),
      "}'::oid[]");
}

// What a slot's creation waits for, longest first: all that has run for longer
// than `age`. NULL: nothing.
std::string RunningTransactionsSql(absl::Duration age) {
  return absl::StrCat(
      "SELECT string_agg(what, ', ') FROM (SELECT * FROM ("
      "SELECT format('session %s of user %s, running for %s', pid, usename, "
      "date_trunc('second', clock_timestamp() - xact_start)) AS what, "
      "xact_start AS since FROM pg_stat_activity WHERE backend_xid IS NOT NULL "
      "UNION ALL SELECT format('prepared transaction %s of user %s', "
      "quote_literal(gid), owner), prepared FROM pg_prepared_xacts WHERE "
      "database = current_database()) AS transactions WHERE clock_timestamp() "
      "- since > make_interval(secs => ",
      absl::ToDoubleSeconds(age), ") ORDER BY since LIMIT 5) AS longest");
}

absl::Status ExplainSlotTimeout(const SourceSnapshotOptions& options,
                                const CopySessionOptions& session) {
  std::string waited = absl::StrCat(
      "source: no slot within ", absl::FormatDuration(options.slot_wait),
      ": it waits for every transaction that runs when it is created");
  absl::StatusOr<PgConnection> connection = OpenCopySource(session);
  if (connection.ok()) {
    absl::StatusOr<std::string> running =
        connection->QueryValue(RunningTransactionsSql(absl::ZeroDuration()));
    if (running.ok()) absl::StrAppend(&waited, ": ", *running);
  }
  return WithHint(absl::DeadlineExceededError(waited),
                  "end these transactions, or try again when they have ended");
}

absl::Status TellOfSlotWait(const SourceSnapshotOptions& options,
                            PgConnection& source) {
  if (!options.on_wait) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::string running,
      source.QueryValue(absl::StrCat("SELECT coalesce((",
                                     RunningTransactionsSql(kLong), "), '')")));
  if (running.empty()) return absl::OkStatus();
  options.on_wait(absl::StrCat(
      "the slot's creation waits for transactions that run on the source, for "
      "at most ",
      absl::FormatDuration(options.slot_wait), ": ", running));
  return absl::OkStatus();
}

absl::Status Pause(const PgConnection& connection, absl::Duration pause) {
  if (connection.interrupt() != nullptr) {
    return connection.interrupt()->Sleep(pause);
  }
  absl::SleepFor(pause);
  return absl::OkStatus();
}

std::string ImportSql(absl::string_view name) {
  return absl::StrCat(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
      "SET TRANSACTION SNAPSHOT ",
      QuoteLiteral(name));
}

// One row per table: OID, relfilenode, and all else that a copy relies on.
std::string TableFactsSql(absl::Span<const CatalogTable> tables, int version) {
  return absl::StrCat(
      "SELECT c.oid, c.relfilenode, format('%s %s %s %s %s', "
      "quote_ident(n.nspname), quote_ident(c.relname), c.relkind, "
      "c.relreplident, (SELECT string_agg(format('%s %s %s %s %s %s', "
      "quote_ident(a.attname), a.atttypid, a.atttypmod, a.attnotnull, "
      "a.attidentity, ",
      GeneratedSql(version),
      "), ',' ORDER BY a.attnum) FROM "
      "pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT "
      "a.attisdropped)) FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE c.oid = ANY(",
      OidArray(tables), ")");
}

// In the order of `tables`; "" for one that is gone or not the catalog's.
absl::StatusOr<std::vector<std::string>> TableFacts(
    PgConnection& connection, absl::Span<const CatalogTable> tables) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(TableFactsSql(tables, connection.server_version())));
  absl::flat_hash_map<std::string, std::string> by_table;
  for (int row = 0; row < rows.rows(); ++row) {
    by_table[absl::StrCat(rows.Text(row, 0), " ", rows.Text(row, 1))] =
        std::string(rows.Text(row, 2));
  }
  std::vector<std::string> facts;
  for (const CatalogTable& table : tables) {
    facts.push_back(by_table[absl::StrCat(table.oid, " ", table.relfilenode)]);
  }
  return facts;
}

}  // namespace

SourceSnapshot::SourceSnapshot(PgConnection present, PgConnection guard,
                               Lsn consistent_point)
    : present_(std::move(present)),
      guard_(std::move(guard)),
      consistent_point_(consistent_point) {}

SourceSnapshot::~SourceSnapshot() = default;

absl::StatusOr<std::unique_ptr<SourceSnapshot>> SourceSnapshot::Take(
    const SourceSnapshotOptions& options) {
  const CopySessionOptions session{.endpoints = options.endpoints,
                                   .lock_wait = options.lock_wait,
                                   .interrupt = options.interrupt};
  ASSIGN_OR_RETURN(PgConnection guard, OpenCopySource(session));
  ASSIGN_OR_RETURN(PgConnection walsender,
                   OpenCopyWalsender(session, options.slot_wait));
  RETURN_IF_ERROR(Annotate(TellOfSlotWait(options, guard), "source"));
  const bool temporary = options.slot.empty();
  const std::string slot = temporary ? TemporarySlotName() : options.slot;
  const absl::StatusOr<CreatedSlot> created =
      CreateSlot(walsender, {.slot = slot,
                             .temporary = temporary,
                             .export_snapshot = true,
                             .failover = options.failover && !temporary});
  if (absl::IsDeadlineExceeded(created.status())) {
    return ExplainSlotTimeout(options, session);
  }
  if (!created.ok()) {
    return Annotate(created.status(),
                    absl::StrCat("source: creating slot ", slot));
  }
  std::unique_ptr<SourceSnapshot> snapshot(new SourceSnapshot(
      std::move(walsender), std::move(guard), created->consistent_point));
  if (absl::Status adopted = snapshot->Adopt(created->snapshot_name);
      !adopted.ok()) {
    return Annotate(adopted, "source: taking over the slot's snapshot");
  }
  if (temporary) {
    // The guard holds the snapshot by now, the permanent slot the WAL.
    RETURN_IF_ERROR(DropSlot(snapshot->present_, slot));
  }
  return snapshot;
}

// The first statement takes the snapshot. (txid_... are the names that all
// versions have.)
absl::StatusOr<std::unique_ptr<SourceSnapshot>> SourceSnapshot::TakeWithoutSlot(
    const SourceSnapshotOptions& options) {
  const CopySessionOptions session{.endpoints = options.endpoints,
                                   .lock_wait = options.lock_wait,
                                   .interrupt = options.interrupt};
  ASSIGN_OR_RETURN(PgConnection guard, OpenCopySource(session));
  ASSIGN_OR_RETURN(PgConnection present, OpenCopySource(session));
  const absl::StatusOr<PgResult> taken = guard.Exec(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT CASE WHEN "
      "pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
      "pg_current_wal_insert_lsn() END, CASE WHEN NOT pg_is_in_recovery() THEN "
      "txid_current_snapshot() || '@' || "
      "left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END, "
      "pg_export_snapshot()");
  if (!taken.ok()) return Annotate(taken.status(), "source: the snapshot");
  ASSIGN_OR_RETURN(const Lsn position, taken->LsnAt(0, 0));
  std::unique_ptr<SourceSnapshot> snapshot(
      new SourceSnapshot(std::move(present), std::move(guard), position));
  snapshot->text_ = std::string(taken->Text(0, 1));
  snapshot->name_ = std::string(taken->Text(0, 2));
  {
    absl::MutexLock lock(&snapshot->mutex_);
    snapshot->encoding_ = snapshot->guard_.parameter("server_encoding");
  }
  if (!snapshot->text_.empty()) RETURN_IF_ERROR(snapshot->WaitUntilFlushed());
  return snapshot;
}

// With synchronous_commit = off that takes a moment. What a transaction that
// was rolled back, or that goes on, has written nobody need ever flush, not
// even pages that a reader has tidied up: then a commit of ours does it.
absl::Status SourceSnapshot::WaitUntilFlushed() {
  ASSIGN_OR_RETURN(const Lsn end, InsertPosition(present_));
  const absl::Time begun = absl::Now();
  bool pushed = false;
  while (true) {
    ASSIGN_OR_RETURN(const Lsn flushed, SendableLsn(present_));
    if (flushed >= end) return absl::OkStatus();
    const absl::Duration waited = absl::Now() - begun;
    if (!pushed && waited > absl::Seconds(1)) {
      pushed = true;
      RETURN_IF_ERROR(LastRecordEnd(present_).status());
      continue;
    }
    if (waited > absl::Seconds(30)) {
      return absl::AbortedError(
          absl::StrCat("source: its log is on disk up to ", flushed.ToString(),
                       " only, and not up to ", end.ToString(), ", for 30 s"));
    }
    RETURN_IF_ERROR(Pause(present_, absl::Milliseconds(20)));
  }
}

absl::Status SourceSnapshot::Adopt(const std::string& exported_name) {
  {
    absl::MutexLock lock(&mutex_);
    RETURN_IF_ERROR(guard_.Exec(ImportSql(exported_name)).status());
    ASSIGN_OR_RETURN(const std::string text,
                     guard_.QueryValue("SELECT pg_current_snapshot()"));
    ASSIGN_OR_RETURN(const XidSnapshot seen, XidSnapshot::Parse(text));
    text_ = seen.ToString();
    ASSIGN_OR_RETURN(name_, guard_.QueryValue("SELECT pg_export_snapshot()"));
    encoding_ = guard_.parameter("server_encoding");
  }
  return WaitUntilCommitsShow();
}

// The slot's snapshot knows transactions by their commit records. Between its
// record and its entry in the commit log a transaction would be read as
// aborted, and one waits here until it is not running any more. Only a standby
// that is waited for can hold that up for long, and then the entry is made.
absl::Status SourceSnapshot::WaitUntilCommitsShow() {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (true) {
    ASSIGN_OR_RETURN(
        const std::string finishing,
        present_.QueryValue(absl::StrCat(
            "SELECT count(*) FROM pg_snapshot_xip(pg_current_snapshot()) AS x "
            "WHERE pg_visible_in_snapshot(x, ",
            QuoteLiteral(text_), "::pg_snapshot)")));
    if (finishing == "0") return absl::OkStatus();
    if (absl::Now() < deadline) {
      RETURN_IF_ERROR(Pause(present_, absl::Milliseconds(20)));
      continue;
    }
    ASSIGN_OR_RETURN(const std::string standbys,
                     present_.QueryValue("SHOW synchronous_standby_names"));
    if (!standbys.empty()) return absl::OkStatus();
    return absl::AbortedError(
        absl::StrCat(finishing,
                     " transactions have committed and do not end: their rows "
                     "might not show in the snapshot"));
  }
}

absl::Status SourceSnapshot::Guard(const std::vector<CatalogTable>& tables) {
  absl::MutexLock lock(&mutex_);
  absl::Span<const CatalogTable> left = tables;
  while (!left.empty()) {
    const auto batch = left.first(std::min(left.size(), kTablesPerStatement));
    RETURN_IF_ERROR(LockTables(batch));
    RETURN_IF_ERROR(CompareTables(batch));
    left.remove_prefix(batch.size());
  }
  return absl::OkStatus();
}

absl::Status SourceSnapshot::LockTables(absl::Span<const CatalogTable> tables) {
  const std::string sql = absl::StrCat(
      "LOCK TABLE ",
      absl::StrJoin(tables, ", ",
                    [](std::string* out, const CatalogTable& table) {
                      absl::StrAppend(out, "ONLY ", Quote(table.name));
                    }),
      " IN ACCESS SHARE MODE");
  const absl::Status locked = guard_.Exec(sql).status();
  if (locked.ok()) return locked;
  if (SqlStateOf(locked) == "55P03") return ExplainLockTimeout(locked, tables);
  if (SqlStateOf(locked) == "42P01" || SqlStateOf(locked) == "3F000") {
    return WithSqlState(
        absl::AbortedError(absl::StrCat(
            "source: a table was dropped or renamed while the snapshot was "
            "taken: ",
            locked.message())),
        SqlStateOf(locked));
  }
  return Annotate(locked, "source: locking the tables against changes of form");
}

absl::Status SourceSnapshot::ExplainLockTimeout(
    const absl::Status& failure, absl::Span<const CatalogTable> tables) {
  const absl::StatusOr<PgResult> holders = present_.Exec(absl::StrCat(
      "SELECT l.relation, l.pid FROM pg_locks l WHERE l.locktype = 'relation' "
      "AND l.database = (SELECT oid FROM pg_database WHERE datname = "
      "current_database()) AND l.mode = 'AccessExclusiveLock' AND l.relation = "
      "ANY(",
      OidArray(tables), ") ORDER BY l.granted DESC, l.pid LIMIT 1"));
  if (!holders.ok() || holders->rows() == 0) {
    return Annotate(failure, "source: locking the tables");
  }
  std::string name;
  for (const CatalogTable& table : tables) {
    if (holders->Text(0, 0) == absl::StrCat(table.oid)) {
      name = ToDisplay(table.name);
    }
  }
  return WithHint(
      WithSqlState(absl::AbortedError(absl::StrCat(
                       "source: table ", name, " stays locked by session ",
                       holders->Text(0, 1), " (AccessExclusiveLock)")),
                   "55P03"),
      "let that session end, or end it with pg_terminate_backend()");
}

absl::Status SourceSnapshot::CompareTables(
    absl::Span<const CatalogTable> tables) {
  ASSIGN_OR_RETURN(const std::vector<std::string> then,
                   TableFacts(guard_, tables));
  ASSIGN_OR_RETURN(const std::vector<std::string> now,
                   TableFacts(present_, tables));
  for (size_t i = 0; i < tables.size(); ++i) {
    if (!then[i].empty() && then[i] == now[i]) continue;
    return absl::AbortedError(
        absl::StrCat("source: table ", ToDisplay(tables[i].name),
                     " was altered or rewritten while the snapshot was taken"));
  }
  return absl::OkStatus();
}

absl::Status SourceSnapshot::Check() {
  absl::MutexLock lock(&mutex_);
  const absl::Status alive = guard_.Exec("SELECT").status();
  if (absl::IsCancelled(alive)) return alive;
  if (alive.ok() && guard_.in_transaction()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("source: the session that guards the snapshot was lost",
                   alive.ok() ? "" : ": ", alive.message()));
}

absl::StatusOr<std::vector<GuardWaiter>> SourceSnapshot::Waiters() {
  absl::MutexLock lock(&mutex_);
  // pg_locks shows the present, whatever the transaction's snapshot is.
  ASSIGN_OR_RETURN(
      const PgResult rows,
      guard_.Exec(absl::StrCat(
          "SELECT pid, relation, coalesce(extract(epoch FROM "
          "clock_timestamp() - ",
          WaitStartSql(guard_.server_version()),
          ") * 1000, 0)::bigint FROM pg_locks l "
          "WHERE NOT granted AND locktype = 'relation' AND pg_backend_pid() = "
          "ANY(pg_blocking_pids(pid)) ORDER BY 3 DESC")));
  std::vector<GuardWaiter> waiters;
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t pid, rows.Int64(row, 0));
    ASSIGN_OR_RETURN(const int64_t table, rows.Int64(row, 1));
    ASSIGN_OR_RETURN(const int64_t waited_ms, rows.Int64(row, 2));
    waiters.push_back({.pid = static_cast<int>(pid),
                       .table_oid = static_cast<uint32_t>(table),
                       .waited = absl::Milliseconds(waited_ms)});
  }
  return waiters;
}

absl::Status SourceSnapshot::Import(PgConnection& connection) const {
  const absl::Status imported = connection.Exec(ImportSql(name_)).status();
  if (imported.ok() || absl::IsCancelled(imported)) return imported;
  return absl::UnavailableError(absl::StrCat(
      "source: the snapshot cannot be imported: ", imported.message()));
}

}  // namespace walferry
