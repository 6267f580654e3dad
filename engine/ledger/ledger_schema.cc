// The ledger's tables, in one place.

#include "engine/ledger/ledger_schema.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "apply/stream_row.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

// Since version 4.
std::string MeetingTableSql(absl::string_view quoted_schema) {
  return absl::Substitute(R"sql(
CREATE TABLE IF NOT EXISTS $0.meeting (
  migration text NOT NULL REFERENCES $0.migration ON DELETE CASCADE,
  id text NOT NULL,
  holds_appliers boolean NOT NULL,
  state text NOT NULL DEFAULT 'asked',
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  waiting_for text NOT NULL DEFAULT '',
  source_snapshot text NOT NULL DEFAULT '',
  target_snapshot text NOT NULL DEFAULT '',
  position pg_lsn NOT NULL DEFAULT '0/0',
  pause_seconds double precision NOT NULL DEFAULT 0,
  failure text NOT NULL DEFAULT '',
  PRIMARY KEY (migration, id));
)sql",
                          quoted_schema);
}

}  // namespace

std::string LedgerSchemaSql(absl::string_view schema) {
  const std::string quoted = QuoteIdentifier(schema);
  return absl::StrCat(
      absl::Substitute(
          R"sql(
CREATE SCHEMA IF NOT EXISTS $0;
CREATE TABLE IF NOT EXISTS $0.version (version int NOT NULL);
CREATE TABLE IF NOT EXISTS $0.migration (
  name text PRIMARY KEY,
  kind text NOT NULL,
  phase text NOT NULL,
  source_system_identifier text NOT NULL,
  source_dbname text NOT NULL,
  slot text NOT NULL,
  publications text[] NOT NULL,
  scope text NOT NULL,
  defer_triggers boolean NOT NULL,
  consistent_point pg_lsn NOT NULL DEFAULT '0/0',
  planned_steps bigint NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz,
  source_lsn pg_lsn NOT NULL DEFAULT '0/0',
  received_lsn pg_lsn NOT NULL DEFAULT '0/0',
  lag_bytes bigint NOT NULL DEFAULT 0,
  lag_seconds double precision NOT NULL DEFAULT 0,
  waiting_for text NOT NULL DEFAULT '',
  cutover_requested_at timestamptz,
  cutover_failure text NOT NULL DEFAULT '',
  last_error text NOT NULL DEFAULT '',
  schema_facts text NOT NULL DEFAULT '',
  comparison text,
  comparison_before_clients text,
  report text);
CREATE TABLE IF NOT EXISTS $0.object (
  migration text NOT NULL REFERENCES $0.migration ON DELETE CASCADE,
  side text NOT NULL,
  kind text NOT NULL,
  identity text NOT NULL,
  detail text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (migration, side, kind, identity));
CREATE TABLE IF NOT EXISTS $0.step (
  migration text NOT NULL REFERENCES $0.migration ON DELETE CASCADE,
  step text NOT NULL,
  done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (migration, step));
CREATE TABLE IF NOT EXISTS $0.table_copy (
  migration text NOT NULL REFERENCES $0.migration ON DELETE CASCADE,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  source_oid bigint NOT NULL,
  relfilenode bigint NOT NULL,
  blocks bigint NOT NULL,
  bytes bigint NOT NULL,
  shape text NOT NULL,
  copied boolean NOT NULL DEFAULT false,
  lsn pg_lsn NOT NULL DEFAULT '0/0',
  snapshot text NOT NULL DEFAULT '',
  fingerprint text NOT NULL DEFAULT '',
  PRIMARY KEY (migration, schema_name, table_name));
CREATE TABLE IF NOT EXISTS $0.copy_range (
  migration text NOT NULL,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  first_block bigint NOT NULL,
  end_block bigint NOT NULL,
  rows bigint NOT NULL,
  bytes bigint NOT NULL,
  done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (migration, schema_name, table_name, first_block),
  FOREIGN KEY (migration, schema_name, table_name)
    REFERENCES $0.table_copy ON DELETE CASCADE);
)sql",
          quoted),
      MeetingTableSql(quoted), StreamTableSql(schema), ";\n",
      absl::Substitute("INSERT INTO $0.version SELECT $1 "
                       "WHERE NOT EXISTS (SELECT FROM $0.version);",
                       quoted, kLedgerVersion));
}

std::string LedgerUpgradeSql(absl::string_view schema,
                             absl::string_view version) {
  // Version 4 counts changes by table, and is asked for states to compare;
  // version 5 notes what a comparison has found.
  if (version != "3" && version != "4") return "";
  const std::string quoted = QuoteIdentifier(schema);
  return absl::Substitute(
      "LOCK TABLE $0.version IN ACCESS EXCLUSIVE MODE;\n"
      "ALTER TABLE $0.stream ADD COLUMN IF NOT EXISTS counted_since pg_lsn;\n"
      "ALTER TABLE $0.migration ADD COLUMN IF NOT EXISTS comparison text, "
      "ADD COLUMN IF NOT EXISTS comparison_before_clients text;\n"
      "$1$2;\n"
      "UPDATE $0.version SET version = $3;",
      quoted, MeetingTableSql(quoted), StreamTableSql(schema), kLedgerVersion);
}

}  // namespace walferry
