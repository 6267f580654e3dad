#include "engine/ledger/ledger.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "engine/ledger/ledger_schema.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::string_view SideName(Side side) {
  return side == Side::kSource ? "source" : "target";
}

// Both keys of the advisory lock that a running migration holds.
std::string LockKeys(const LedgerKey& key) {
  return absl::Substitute(
      "hashtext($0), hashtext($1)",
      QuoteLiteral(absl::StrCat("walferry migration ", key.schema)),
      QuoteLiteral(key.migration));
}

absl::Status ExpectOneRow(const absl::StatusOr<PgResult>& result,
                          absl::string_view what) {
  RETURN_IF_ERROR(result.status());
  if (result->affected_rows() == 1) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("ledger: ", what, ": ",
                                          result->affected_rows(),
                                          " rows touched instead of 1"));
}

}  // namespace

Ledger::Ledger(PgConnection& connection, LedgerKey key)
    : connection_(connection), sql_(std::move(key)) {}

std::string Ledger::Table(absl::string_view name) const {
  return absl::StrCat(QuoteIdentifier(sql_.key().schema), ".", name);
}

std::string Ledger::Name() const { return QuoteLiteral(sql_.key().migration); }

absl::Status Ledger::ChangeSchema(absl::string_view sql) {
  const absl::Status changed =
      connection_.Exec(absl::StrCat("BEGIN;", sql, "COMMIT")).status();
  if (changed.ok()) return changed;
  if (connection_.in_transaction()) {
    RETURN_IF_ERROR(connection_.Exec("ROLLBACK").status());
  }
  return Annotate(changed, absl::StrCat("target: ledger schema ",
                                        QuoteIdentifier(sql_.key().schema)));
}

absl::Status Ledger::Create() {
  const std::string& schema = sql_.key().schema;
  ASSIGN_OR_RETURN(const std::string found,
                   connection_.QueryValue(absl::StrCat(
                       "SELECT to_regclass(", QuoteLiteral(Table("version")),
                       ") IS NOT NULL")));
  if (found != "t") {
    // Also made when the version table alone is missing: IF NOT EXISTS.
    const absl::Status created = ChangeSchema(LedgerSchemaSql(schema));
    if (!created.ok()) {
      return WithHint(
          created,
          "grant CREATE on the target database, or name a schema that the "
          "role may create tables in with --ledger-schema");
    }
  }
  ASSIGN_OR_RETURN(const std::string version,
                   connection_.QueryValue(absl::StrCat(
                       "SELECT max(version) FROM ", Table("version"))));
  if (version == absl::StrCat(kLedgerVersion)) return absl::OkStatus();
  const std::string upgrade = LedgerUpgradeSql(schema, version);
  if (!upgrade.empty()) {
    const absl::Status upgraded = ChangeSchema(upgrade);
    if (upgraded.ok()) return upgraded;
    return WithHint(upgraded,
                    absl::StrCat("the ledger is of version ", version,
                                 ": connect as the role that began the "
                                 "migration, which owns its tables"));
  }
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      "target: the ledger in schema ", QuoteIdentifier(schema),
                      " is of version ", version, ", this walferry needs ",
                      kLedgerVersion)),
                  "finish with the walferry that began, or name another "
                  "schema with --ledger-schema");
}

absl::StatusOr<bool> Ledger::Exists() {
  const auto ask = [this]() -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const std::string found,
                     connection_.QueryValue(absl::StrCat(
                         "SELECT to_regclass(",
                         QuoteLiteral(Table("migration")), ") IS NOT NULL")));
    if (found != "t") return false;
    ASSIGN_OR_RETURN(const std::string row,
                     connection_.QueryValue(absl::StrCat(
                         "SELECT EXISTS (SELECT FROM ", Table("migration"),
                         " WHERE name = ", Name(), ")")));
    return row == "t";
  };
  absl::StatusOr<bool> exists = ask();
  if (!absl::IsPermissionDenied(exists.status())) return exists;
  return WithHint(Annotate(exists.status(), "target: the ledger"),
                  "connect as the role that began the migration, which owns "
                  "its ledger");
}

absl::Status Ledger::Lock(absl::Duration wait,
                          const std::function<void(std::string)>& on_wait) {
  const absl::Time deadline = absl::Now() + wait;
  const std::string keys = LockKeys(sql_.key());
  bool told = false;
  while (true) {
    ASSIGN_OR_RETURN(const std::string got,
                     connection_.QueryValue(absl::StrCat(
                         "SELECT pg_try_advisory_lock(", keys, ")")));
    if (got == "t") return absl::OkStatus();
    if (absl::Now() >= deadline) break;
    if (on_wait && !std::exchange(told, true)) {
      on_wait(absl::StrCat("another process runs this migration; waiting ",
                           absl::FormatDuration(wait), " for it to end"));
    }
    if (const Interrupt* interrupt = connection_.interrupt()) {
      RETURN_IF_ERROR(interrupt->Sleep(absl::Milliseconds(200)));
    } else {
      absl::SleepFor(absl::Milliseconds(200));
    }
  }
  ASSIGN_OR_RETURN(
      PgResult holder,
      connection_.Exec(absl::Substitute(
          "SELECT a.pid, coalesce(host(a.client_addr), 'local'), "
          "a.application_name FROM pg_locks l JOIN pg_stat_activity a USING "
          "(pid) WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = "
          "2 AND (SELECT l.classid::bigint = k[1] & 4294967295 AND "
          "l.objid::bigint = k[2] & 4294967295 FROM "
          "CAST(ARRAY[$0] AS bigint[]) AS k)",
          keys)));
  std::string who;
  if (holder.rows() > 0) {
    who = absl::StrCat(" (target session ", holder.Text(0, 0), ", from ",
                       holder.Text(0, 1), ", application ", holder.Text(0, 2),
                       ")");
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "another process runs migration ", sql_.key().migration, who)),
      "stop it first, or wait until it ends; `walferry status` shows what it "
      "does");
}

absl::StatusOr<bool> Ledger::Locked() {
  const std::string keys = LockKeys(sql_.key());
  ASSIGN_OR_RETURN(const std::string got,
                   connection_.QueryValue(absl::StrCat(
                       "SELECT pg_try_advisory_lock(", keys, ")")));
  if (got != "t") return true;
  RETURN_IF_ERROR(
      connection_
          .QueryValue(absl::StrCat("SELECT pg_advisory_unlock(", keys, ")"))
          .status());
  return false;
}

absl::StatusOr<std::optional<LedgerMigration>> Ledger::Read() {
  ASSIGN_OR_RETURN(
      PgResult row,
      connection_.Exec(absl::StrCat(
          "SELECT kind, phase, source_system_identifier, source_dbname, slot, "
          "scope, consistent_point, report, cutover_requested_at IS NOT NULL, "
          "cutover_failure, planned_steps, to_char(started_at AT TIME ZONE "
          "'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
          "coalesce(to_char(heartbeat_at AT TIME ZONE 'UTC', "
          "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), source_lsn, "
          "received_lsn, lag_bytes, lag_seconds, waiting_for, last_error, "
          "defer_triggers FROM ",
          Table("migration"), " WHERE name = ", Name())));
  if (row.rows() == 0) return std::optional<LedgerMigration>();
  LedgerMigration migration;
  migration.kind = std::string(row.Text(0, 0));
  migration.phase = std::string(row.Text(0, 1));
  migration.source_system_identifier = std::string(row.Text(0, 2));
  migration.source_dbname = std::string(row.Text(0, 3));
  migration.slot = std::string(row.Text(0, 4));
  migration.scope = std::string(row.Text(0, 5));
  ASSIGN_OR_RETURN(migration.consistent_point, row.LsnAt(0, 6));
  if (!row.IsNull(0, 7)) migration.report = std::string(row.Text(0, 7));
  migration.cutover_requested = row.Bool(0, 8);
  migration.cutover_failure = std::string(row.Text(0, 9));
  ASSIGN_OR_RETURN(migration.planned_steps, row.Int64(0, 10));
  migration.started_at = std::string(row.Text(0, 11));
  migration.heartbeat_at = std::string(row.Text(0, 12));
  LedgerHeartbeat& heartbeat = migration.heartbeat;
  ASSIGN_OR_RETURN(heartbeat.source_lsn, row.LsnAt(0, 13));
  ASSIGN_OR_RETURN(heartbeat.received_lsn, row.LsnAt(0, 14));
  ASSIGN_OR_RETURN(const int64_t lag_bytes, row.Int64(0, 15));
  heartbeat.lag_bytes = static_cast<uint64_t>(lag_bytes);
  if (!absl::SimpleAtod(row.Text(0, 16), &heartbeat.lag_seconds)) {
    return absl::InternalError("ledger: lag_seconds is not a number");
  }
  heartbeat.waiting_for = std::string(row.Text(0, 17));
  migration.last_error = std::string(row.Text(0, 18));
  migration.defer_triggers = row.Bool(0, 19);
  ASSIGN_OR_RETURN(PgResult publications,
                   connection_.Exec(absl::StrCat(
                       "SELECT unnest(publications) FROM ", Table("migration"),
                       " WHERE name = ", Name())));
  for (int i = 0; i < publications.rows(); ++i) {
    migration.publications.emplace_back(publications.Text(i, 0));
  }
  return std::optional<LedgerMigration>(std::move(migration));
}

absl::Status Ledger::Start(const LedgerMigration& migration) {
  return ExpectOneRow(
      connection_.Exec(absl::StrCat(
          "INSERT INTO ", Table("migration"),
          " (name, kind, phase, source_system_identifier, source_dbname, "
          "slot, publications, scope, defer_triggers) VALUES (",
          Name(), ", ", QuoteLiteral(migration.kind), ", ",
          QuoteLiteral(migration.phase), ", ",
          QuoteLiteral(migration.source_system_identifier), ", ",
          QuoteLiteral(migration.source_dbname), ", ",
          QuoteLiteral(migration.slot), ", ",
          QuoteTextArray(migration.publications), ", ",
          QuoteLiteral(migration.scope), ", ",
          migration.defer_triggers ? "true" : "false", ")")),
      "start");
}

absl::Status Ledger::Set(absl::string_view assignments) {
  return ExpectOneRow(
      connection_.Exec(absl::StrCat("UPDATE ", Table("migration"), " SET ",
                                    assignments, " WHERE name = ", Name())),
      "update");
}

absl::Status Ledger::SetPhase(absl::string_view phase) {
  return Set(absl::StrCat("phase = ", QuoteLiteral(phase)));
}

absl::Status Ledger::SetConsistentPoint(Lsn lsn) {
  return Set(absl::StrCat("consistent_point = ", QuoteLiteral(lsn.ToString())));
}

absl::Status Ledger::SetDeferTriggers() { return Set("defer_triggers = true"); }

absl::Status Ledger::SetHeartbeat(const LedgerHeartbeat& heartbeat) {
  return Set(absl::StrCat(
      "heartbeat_at = clock_timestamp(), source_lsn = ",
      QuoteLiteral(heartbeat.source_lsn.ToString()),
      ", received_lsn = ", QuoteLiteral(heartbeat.received_lsn.ToString()),
      ", lag_bytes = ", heartbeat.lag_bytes,
      ", lag_seconds = ", heartbeat.lag_seconds,
      ", waiting_for = ", QuoteLiteral(heartbeat.waiting_for)));
}

absl::Status Ledger::Beat() { return Set("heartbeat_at = clock_timestamp()"); }

absl::Status Ledger::SetLastError(absl::string_view text) {
  return Set(absl::StrCat("last_error = ", QuoteLiteral(text)));
}

absl::Status Ledger::SetReport(absl::string_view json,
                               const std::optional<LedgerObject>& object,
                               const ComparisonResult* comparison) {
  // Several statements in one message are one transaction.
  return ExpectOneRow(
      connection_.Exec(absl::StrCat(
          object ? absl::StrCat(RemovalOf(*object), "; ") : "", "UPDATE ",
          Table("migration"), " SET report = ", QuoteLiteral(json),
          comparison == nullptr
              ? ""
              : absl::StrCat(", ", ComparisonSql(*comparison)),
          " WHERE name = ", Name())),
      "report");
}

absl::Status Ledger::BeginAgain(absl::string_view phase) {
  return Set(absl::StrCat("phase = ", QuoteLiteral(phase),
                          ", report = NULL, last_error = ''"));
}

absl::Status Ledger::SetPlannedSteps(int64_t steps) {
  return Set(absl::StrCat("planned_steps = ", steps));
}

absl::Status Ledger::RequestCutover() {
  return Set("cutover_requested_at = clock_timestamp(), cutover_failure = ''");
}

absl::StatusOr<bool> Ledger::CutoverRequested() {
  ASSIGN_OR_RETURN(const std::string requested,
                   connection_.QueryValue(absl::StrCat(
                       "SELECT cutover_requested_at IS NOT NULL FROM ",
                       Table("migration"), " WHERE name = ", Name())));
  return requested == "t";
}

absl::Status Ledger::EndCutoverRequest(absl::string_view failure) {
  return Set(absl::StrCat("cutover_requested_at = NULL, cutover_failure = ",
                          QuoteLiteral(failure)));
}

absl::Status Ledger::RenewCutoverRequest() {
  return connection_
      .Exec(absl::StrCat("UPDATE ", Table("migration"),
                         " SET cutover_requested_at = clock_timestamp() WHERE "
                         "name = ",
                         Name(), " AND cutover_requested_at IS NOT NULL"))
      .status();
}

absl::StatusOr<bool> Ledger::EndOldCutoverRequest(absl::string_view failure) {
  ASSIGN_OR_RETURN(
      const PgResult ended,
      connection_.Exec(absl::StrCat(
          "UPDATE ", Table("migration"),
          " SET cutover_requested_at = NULL, cutover_failure = ",
          QuoteLiteral(failure), " WHERE name = ", Name(),
          " AND cutover_requested_at < clock_timestamp() - interval '1 "
          "minute'")));
  return ended.affected_rows() > 0;
}

absl::Status Ledger::AddObject(const LedgerObject& object) {
  return connection_
      .Exec(absl::Substitute(
          "INSERT INTO $0 (migration, side, kind, identity, detail) VALUES "
          "($1, '$2', $3, $4, $5) ON CONFLICT (migration, side, kind, "
          "identity) DO UPDATE SET detail = EXCLUDED.detail",
          Table("object"), Name(), SideName(object.side),
          QuoteLiteral(object.kind), QuoteLiteral(object.identity),
          QuoteLiteral(object.detail)))
      .status();
}

std::string Ledger::RemovalOf(const LedgerObject& object) const {
  return absl::Substitute(
      "DELETE FROM $0 WHERE migration = $1 AND side = '$2' AND kind = $3 "
      "AND identity = $4",
      Table("object"), Name(), SideName(object.side), QuoteLiteral(object.kind),
      QuoteLiteral(object.identity));
}

absl::Status Ledger::RemoveObject(const LedgerObject& object) {
  return connection_.Exec(RemovalOf(object)).status();
}

absl::StatusOr<std::vector<LedgerObject>> Ledger::Objects() {
  ASSIGN_OR_RETURN(
      PgResult rows,
      connection_.Exec(absl::StrCat(
          "SELECT side, kind, identity, detail FROM ", Table("object"),
          " WHERE migration = ", Name(), " ORDER BY recorded_at DESC")));
  std::vector<LedgerObject> objects;
  for (int row = 0; row < rows.rows(); ++row) {
    objects.push_back(
        {.side = rows.Text(row, 0) == "source" ? Side::kSource : Side::kTarget,
         .kind = std::string(rows.Text(row, 1)),
         .identity = std::string(rows.Text(row, 2)),
         .detail = std::string(rows.Text(row, 3))});
  }
  return objects;
}

absl::StatusOr<std::vector<std::string>> Ledger::StepsDone() {
  ASSIGN_OR_RETURN(PgResult rows,
                   connection_.Exec(absl::StrCat(
                       "SELECT step FROM ", Table("step"),
                       " WHERE migration = ", Name(), " ORDER BY done_at")));
  std::vector<std::string> steps;
  for (int row = 0; row < rows.rows(); ++row) {
    steps.emplace_back(rows.Text(row, 0));
  }
  return steps;
}

}  // namespace walferry
