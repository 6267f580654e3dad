#include "engine/ledger/verify_notes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string NotesTable(const LedgerKey& key) {
  return absl::StrCat(QuoteIdentifier(key.schema), ".verify_range");
}

absl::Status ForgetInTransaction(PgConnection& target, const LedgerKey& key) {
  const std::string table = NotesTable(key);
  RETURN_IF_ERROR(
      target
          .Exec(absl::StrCat(
              "LOCK TABLE ", table, " IN ACCESS EXCLUSIVE MODE; DELETE FROM ",
              table, " WHERE migration = ", QuoteLiteral(key.migration)))
          .status());
  ASSIGN_OR_RETURN(const std::string others,
                   target.QueryValue(absl::StrCat("SELECT EXISTS (SELECT FROM ",
                                                  table, ")")));
  if (others != "f") return absl::OkStatus();
  RETURN_IF_ERROR(target.Exec(absl::StrCat("DROP TABLE ", table)).status());
  // Somebody else's objects in the schema keep it alive, a ledger's too.
  ASSIGN_OR_RETURN(
      const std::string rest,
      target.QueryValue(absl::StrCat(
          "SELECT count(*) FROM pg_catalog.pg_depend WHERE refclassid = "
          "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid = "
          "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ",
          QuoteLiteral(key.schema), ")")));
  if (rest != "0") return absl::OkStatus();
  return target
      .Exec(absl::StrCat("DROP SCHEMA IF EXISTS ", QuoteIdentifier(key.schema)))
      .status();
}

}  // namespace

VerifyNotes::VerifyNotes(PgConnection connection, LedgerKey key)
    : connection_(std::move(connection)),
      key_(std::move(key)),
      table_(NotesTable(key_)) {}

std::string VerifyNotes::Of(const QualifiedName& table) const {
  return absl::StrCat(" WHERE migration = ", QuoteLiteral(key_.migration),
                      " AND schema_name = ", QuoteLiteral(table.schema),
                      " AND table_name = ", QuoteLiteral(table.name));
}

absl::Status VerifyNotes::SpeakUtf8() {
  if (connection_.parameter("server_encoding") == "SQL_ASCII") {
    return absl::OkStatus();
  }
  return connection_.Exec("SET client_encoding = UTF8").status();
}

absl::Status VerifyNotes::KeepTriggersQuiet() {
  return connection_.Exec("SET session_replication_role = replica").status();
}

// A session that was lost may hold it until its server has noticed.
absl::Status VerifyNotes::Lock() {
  const absl::Status locked =
      connection_
          .Exec(absl::StrCat(
              "SET lock_timeout = '5s'; SELECT pg_catalog.pg_advisory_lock("
              "pg_catalog.hashtext('walferry verify'), pg_catalog.hashtext(",
              QuoteLiteral(absl::StrCat(key_.schema, ".", key_.migration)),
              ")); RESET lock_timeout"))
          .status();
  constexpr absl::string_view kLockNotAvailable = "55P03";
  if (SqlStateOf(locked) != kLockNotAvailable) return locked;
  return WithHint(absl::FailedPreconditionError(
                      absl::StrCat("target: another comparison of the name ",
                                   key_.migration, " is at work")),
                  "choose another --name for one of the two");
}

// A note that is lost costs a range to be compared again, so none is waited
// for.
absl::Status VerifyNotes::Create() {
  return connection_
      .Exec(absl::Substitute(
          "SET synchronous_commit = off; CREATE SCHEMA IF NOT EXISTS $0; "
          "CREATE TABLE IF NOT EXISTS $1 (migration text NOT NULL, schema_name "
          "text NOT NULL, table_name text NOT NULL, range bigint NOT NULL, "
          "signature text NOT NULL, boundary text[], equal_rows bigint, "
          "noted_at timestamptz NOT NULL DEFAULT clock_timestamp(), "
          "PRIMARY KEY (migration, schema_name, table_name, range))",
          QuoteIdentifier(key_.schema), table_))
      .status();
}

absl::StatusOr<std::optional<VerifyNote>> VerifyNotes::Find(
    const QualifiedName& table, const std::string& signature,
    size_t key_columns) {
  std::string columns;
  for (size_t i = 1; i <= key_columns; ++i) {
    absl::StrAppend(&columns, ", boundary[", i, "]");
  }
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection_.Exec(absl::StrCat(
          "SELECT CASE WHEN noted_at > clock_timestamp() - "
          "interval '",
          absl::ToInt64Seconds(kNotesLast),
          "s' THEN equal_rows END, boundary IS NULL, "
          "to_char(noted_at AT TIME ZONE 'UTC', "
          "'YYYY-MM-DD HH24:MI:SS \"UTC\"')",
          columns, " FROM ", table_, Of(table),
          " AND signature = ", QuoteLiteral(signature), " ORDER BY range")));
  if (rows.rows() == 0) return std::nullopt;
  VerifyNote note;
  for (int row = 0; row < rows.rows(); ++row) {
    std::optional<int64_t>& equal = note.equal_rows.emplace_back();
    if (!rows.IsNull(row, 0)) {
      ASSIGN_OR_RETURN(equal, rows.Int64(row, 0));
    }
    note.noted_at.emplace_back(rows.Text(row, 2));
    if (rows.Bool(row, 1)) continue;
    std::vector<std::string>& boundary = note.boundaries.emplace_back();
    for (int column = 3; column < rows.columns(); ++column) {
      boundary.emplace_back(rows.Text(row, column));
    }
  }
  if (note.boundaries.size() + 1 != note.equal_rows.size()) {
    return absl::InternalError(absl::StrCat("target: notes of table ",
                                            ToDisplay(table), " have a hole"));
  }
  noted_[table] = {.signature = signature, .boundaries = note.boundaries};
  return note;
}

absl::Status VerifyNotes::Begin(
    const QualifiedName& table, const std::string& signature,
    const std::vector<std::vector<std::string>>& boundaries) {
  const std::string prefix = absl::StrCat("(", QuoteLiteral(key_.migration),
                                          ", ", QuoteLiteral(table.schema),
                                          ", ", QuoteLiteral(table.name), ", ");
  noted_[table] = {.signature = signature, .boundaries = boundaries};
  std::vector<std::string> rows;
  for (size_t range = 0; range <= boundaries.size(); ++range) {
    rows.push_back(absl::StrCat(
        prefix, range, ", ", QuoteLiteral(signature), ", ",
        range < boundaries.size() ? QuoteTextArray(boundaries[range])
                                  : std::string("NULL"),
        ")"));
  }
  return connection_
      .Exec(absl::StrCat("DELETE FROM ", table_, Of(table), "; INSERT INTO ",
                         table_,
                         " (migration, schema_name, table_name, range, "
                         "signature, boundary) VALUES ",
                         absl::StrJoin(rows, ", ")))
      .status();
}

absl::Status VerifyNotes::SetEqual(const QualifiedName& table, size_t range,
                                   int64_t rows) {
  const Noted& noted = noted_[table];
  ASSIGN_OR_RETURN(
      const PgResult updated,
      connection_.Exec(absl::StrCat(
          "UPDATE ", table_, " SET equal_rows = ", rows,
          ", noted_at = clock_timestamp()", Of(table), " AND range = ", range,
          " AND signature = ", QuoteLiteral(noted.signature),
          " AND boundary IS NOT DISTINCT FROM ",
          range < noted.boundaries.size()
              ? QuoteTextArray(noted.boundaries[range])
              : std::string("NULL"),
          "::text[] RETURNING range")));
  if (updated.rows() == 1) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "target: the notes of table ", ToDisplay(table),
      " are not those of this comparison any more: another one of the name ",
      key_.migration, " has changed them, or they were removed"));
}

absl::Status VerifyNotes::Forget() {
  return ForgetVerifyNotes(connection_, key_).status();
}

absl::StatusOr<bool> ForgetVerifyNotes(PgConnection& target,
                                       const LedgerKey& key) {
  ASSIGN_OR_RETURN(const std::string exists,
                   target.QueryValue(absl::StrCat(
                       "SELECT pg_catalog.to_regclass(",
                       QuoteLiteral(NotesTable(key)), ") IS NOT NULL")));
  if (exists != "t") return false;
  ASSIGN_OR_RETURN(
      const std::string noted,
      target.QueryValue(absl::StrCat(
          "SELECT EXISTS (SELECT FROM ", NotesTable(key),
          " WHERE migration = ", QuoteLiteral(key.migration), ")")));
  RETURN_IF_ERROR(target.Exec("BEGIN").status());
  const absl::Status forgotten = ForgetInTransaction(target, key);
  if (forgotten.ok()) {
    RETURN_IF_ERROR(target.Exec("COMMIT").status());
    return noted == "t";
  }
  if (!target.broken()) RETURN_IF_ERROR(target.Exec("ROLLBACK").status());
  return forgotten;
}

}  // namespace walferry
