#include "engine/schema/schema_session.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr int kAttempts = 10;
constexpr absl::Duration kBackOff = absl::Milliseconds(200);

// "transaction_timeout" of "SET transaction_timeout = 0;", or "".
std::string SettingOf(absl::string_view statement) {
  if (!absl::ConsumePrefix(&statement, "SET ")) return "";
  return std::string(statement.substr(0, statement.find(' ')));
}

// Those that this server does not know: the dump's program is newer.
absl::StatusOr<absl::flat_hash_set<std::string>> UnknownSettings(
    PgConnection& connection, const std::vector<std::string>& preamble) {
  absl::flat_hash_set<std::string> unknown;
  std::vector<std::string> names;
  for (const std::string& statement : preamble) {
    if (std::string name = SettingOf(statement); !name.empty()) {
      names.push_back(QuoteLiteral(name));
    }
  }
  if (names.empty()) return unknown;
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec(absl::StrCat(
          "SELECT name FROM pg_catalog.unnest(ARRAY[",
          absl::StrJoin(names, ", "),
          "]) name WHERE pg_catalog.current_setting(name, true) IS NULL")));
  for (int row = 0; row < rows.rows(); ++row) {
    unknown.emplace(rows.Text(row, 0));
  }
  return unknown;
}

bool WorthAnotherTry(const absl::Status& status) {
  const std::string sqlstate = SqlStateOf(status);
  return sqlstate == "40P01" || sqlstate == "40001" || sqlstate == "55P03";
}

absl::string_view HintFor(absl::string_view sqlstate, absl::string_view display,
                          absl::string_view sql) {
  if (sqlstate == "42501" && absl::StartsWith(display, "EVENT TRIGGER ")) {
    return "only a superuser can create event triggers: drop it on the source, "
           "or connect to the target as one";
  }
  if (sqlstate == "42501") {
    return "connect to the target with more rights, or leave owners out with "
           "--no-owner and privileges with --no-acl";
  }
  if (sqlstate == "42704" && absl::StrContains(sql, "default_tablespace = ") &&
      !absl::StrContains(sql, "default_tablespace = ''")) {
    return "create the tablespace on the target";
  }
  if (sqlstate == "42704") {
    return "create the missing role on the target, or leave owners out with "
           "--no-owner and privileges with --no-acl";
  }
  if (sqlstate == "42P01") {
    return "what it needs is not there: exclude it as well, or take what it "
           "needs into the scope";
  }
  if (sqlstate == "42P06" || sqlstate == "42P07" || sqlstate == "42710" ||
      sqlstate == "42723") {
    return "the target must not have the source's objects yet: drop it there, "
           "or use an empty database";
  }
  if (sqlstate == "42601") {
    return "a pg_dump that is newer than the target may write what it cannot "
           "read: install the client of the target's own version, or name one "
           "with --pg-dump";
  }
  if (absl::StartsWith(sqlstate, "23")) {
    return "the rows are as on the source, so its own constraint is not valid "
           "or its index is corrupt: repair the rows on both sides, then run "
           "the same command again";
  }
  return "";
}

}  // namespace

absl::Status RunPreamble(PgConnection& connection,
                         const std::vector<std::string>& preamble) {
  ASSIGN_OR_RETURN(const absl::flat_hash_set<std::string> unknown,
                   UnknownSettings(connection, preamble));
  std::string settings;
  for (const std::string& statement : preamble) {
    if (unknown.contains(SettingOf(statement))) continue;
    absl::StrAppend(&settings, statement, "\n");
  }
  return connection.Exec(settings).status();
}

bool IsExtensionComment(const DumpEntry& entry) {
  return entry.type == "COMMENT" && absl::StartsWith(entry.name, "EXTENSION ");
}

absl::StatusOr<SchemaSession> SchemaSession::Open(
    const PgConnectOptions& target, const LedgerKey& ledger,
    const std::vector<std::string>& preamble) {
  ASSIGN_OR_RETURN(PgConnection connection, PgConnection::Open(target));
  RETURN_IF_ERROR(RunPreamble(connection, preamble));
  // So that a build whose client was killed does not go on for hours. Not
  // every platform's server can: then it does.
  const absl::Status watched =
      connection.Exec("SET client_connection_check_interval = '10s'").status();
  if (connection.broken()) return watched;
  return SchemaSession(std::move(connection), ledger);
}

absl::StatusOr<std::vector<std::string>> SchemaSession::StepsDone() {
  return Ledger(connection_, ledger_).StepsDone();
}

absl::Status SchemaSession::RunStep(const std::string& id,
                                    const std::function<absl::Status()>& work) {
  for (int attempt = 1;; ++attempt) {
    absl::Status status = TryStep(id, work);
    if (status.ok()) return status;
    if (connection_.broken() || !connection_.Exec("ROLLBACK").ok()) {
      return status;
    }
    if (!WorthAnotherTry(status) || attempt == kAttempts) return status;
    if (const Interrupt* const interrupt = connection_.interrupt()) {
      RETURN_IF_ERROR(interrupt->Sleep(attempt * kBackOff));
    } else {
      absl::SleepFor(attempt * kBackOff);
    }
  }
}

absl::Status SchemaSession::TryStep(const std::string& id,
                                    const std::function<absl::Status()>& work) {
  RETURN_IF_ERROR(connection_.Exec("BEGIN").status());
  const absl::Status record =
      connection_.Exec(LedgerSql(ledger_).StepDone(id)).status();
  if (SqlStateOf(record) == "23505") {
    return connection_.Exec("ROLLBACK").status();
  }
  RETURN_IF_ERROR(record);
  RETURN_IF_ERROR(work());
  return connection_.Exec("COMMIT").status();
}

absl::Status EntryError(const absl::Status& status, absl::string_view display,
                        absl::string_view sql) {
  if (status.ok()) return status;
  const absl::string_view hint = HintFor(SqlStateOf(status), display, sql);
  const absl::Status named = Annotate(status, display);
  return hint.empty() ? named : WithHint(named, hint);
}

}  // namespace walferry
