// Checks: what the target lets walferry do, found out by doing it.

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "engine/target/fast_target.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kSkewWorthTelling = absl::Seconds(2);

std::string Role(const CheckContext& check) {
  return QuoteIdentifier(check.target.user());
}

// Whether the server lets us; an error that is not the server's is passed on.
absl::StatusOr<bool> Allows(PgConnection& connection, const std::string& sql) {
  const absl::Status tried = Probe(connection, sql);
  if (!tried.ok() && SqlStateOf(tried).empty()) return tried;
  return tried.ok();
}

// One that is to come has none yet.
absl::StatusOr<std::vector<std::string>> ClosedSchemas(CheckContext& check) {
  if (check.target_to_come) return std::vector<std::string>();
  return QueryColumn(
      check.target,
      absl::StrCat("SELECT nspname FROM pg_namespace"
                   " WHERE NOT has_schema_privilege(oid, '",
                   check.options.scope.carries_schema() ? "CREATE" : "USAGE",
                   "') AND nspname = ANY (", QuoteTextArray(check.schemas),
                   ") ORDER BY 1"));
}

absl::Status CheckTargetRights(CheckContext& check) {
  const absl::Status created =
      Probe(check.target,
            "CREATE SCHEMA walferry_probe; CREATE TABLE walferry_probe.t ()");
  if (!created.ok() && SqlStateOf(created).empty()) return created;
  check.ladder.create_schema = created.ok();
  if (!created.ok()) {
    check.findings.Blocking(
        {"target-rights", "target",
         absl::StrCat("the role may not create schemas, and the ledger needs "
                      "one: ",
                      created.message()),
         absl::StrCat("GRANT CREATE ON DATABASE ",
                      QuoteIdentifier(check.target.dbname()), " TO ",
                      Role(check), ";")});
  }
  const bool creates = check.options.scope.carries_schema();
  ASSIGN_OR_RETURN(const std::vector<std::string> closed, ClosedSchemas(check));
  for (const std::string& schema : closed) {
    check.findings.Blocking(
        {"target-rights", "target",
         creates ? absl::StrCat("the role may not create anything in schema ",
                                schema)
                 : absl::StrCat("the role may not use schema ", schema),
         absl::StrCat("GRANT ", creates ? "CREATE, " : "", "USAGE ON SCHEMA ",
                      QuoteIdentifier(schema), " TO ", Role(check), ";")});
  }
  if (created.ok() && closed.empty()) {
    check.findings.Ok(
        {"target-rights", "target",
         creates ? "the role may create schemas and tables"
                 : "the role may create schemas and use those of the tables"});
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> AllowsOrigins(PgConnection& target) {
  if (target.server_version() < 140000) {
    ASSIGN_OR_RETURN(
        const std::string superuser,
        target.QueryValue(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"));
    if (superuser == "f") return false;
  }
  // Asked first: a session that may set an origin up but not take it down
  // would leave one behind.
  ASSIGN_OR_RETURN(
      const std::string granted,
      target.QueryValue(
          "SELECT bool_and(has_function_privilege(f, 'EXECUTE')) FROM unnest("
          "ARRAY['pg_replication_origin_create(text)',"
          " 'pg_replication_origin_drop(text)',"
          " 'pg_replication_origin_oid(text)',"
          " 'pg_replication_origin_session_setup(text)',"
          " 'pg_replication_origin_session_reset()',"
          " 'pg_replication_origin_xact_setup(pg_lsn, timestamptz)']"
          "::regprocedure[]) f"));
  if (granted == "f") return false;
  const std::string name =
      QuoteLiteral(absl::StrCat("walferry_probe_", target.backend_pid()));
  return Allows(
      target,
      absl::StrCat("SELECT pg_replication_origin_create(", name,
                   "); SELECT pg_replication_origin_session_setup(", name,
                   "); SELECT pg_replication_origin_session_reset();"
                   " SELECT pg_replication_origin_drop(",
                   name, ")"));
}

std::string TimeoutsSql(int version) {
  std::string sql =
      "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
      " SET LOCAL idle_in_transaction_session_timeout = 0";
  if (version >= 170000) {
    absl::StrAppend(&sql, "; SET LOCAL transaction_timeout = 0");
  }
  return sql;
}

// Design, "what the target allows decides how".
absl::Status CheckApply(CheckContext& check) {
  PgConnection& target = check.target;
  TargetLadder& ladder = check.ladder;
  ASSIGN_OR_RETURN(
      ladder.replica_role,
      Allows(target, "SET LOCAL session_replication_role = replica"));
  ASSIGN_OR_RETURN(ladder.replication_origin, AllowsOrigins(target));
  ASSIGN_OR_RETURN(
      ladder.temporary_tables,
      Allows(target, "CREATE TEMPORARY TABLE walferry_probe (i int)"));
  ASSIGN_OR_RETURN(ladder.timeouts_settable,
                   Allows(target, TimeoutsSql(target.server_version())));
  if (check.options.mode == MigrateMode::kOffline) return absl::OkStatus();
  if (ladder.replica_role) {
    check.findings.Ok({"replica-role", "target",
                       "changes are applied with session_replication_role = "
                       "replica: triggers and foreign keys stay silent"});
  } else {
    check.findings.Warning(
        {"replica-role", "target",
         "the role may not set session_replication_role: foreign keys and "
         "triggers are created only at the cutover, which takes longer for it",
         absl::StrCat("from PostgreSQL 15 on a superuser can: GRANT SET ON "
                      "PARAMETER session_replication_role TO ",
                      Role(check), ";")});
  }
  if (ladder.replication_origin) {
    check.findings.Ok({"replication-origin", "target",
                       "the position is kept in a row of the ledger and in a "
                       "replication origin, which marks what was applied"});
  } else {
    check.findings.Info(
        {"replication-origin", "target",
         "the role may not use replication origins: the position is kept in a "
         "row of the ledger alone, and what was applied is not marked"});
  }
  return absl::OkStatus();
}

// They hold the keys of changes that a copy that goes on has missed.
void TellOfTemporaryTables(CheckContext& check) {
  if (check.ladder.temporary_tables) {
    check.findings.Ok(
        {"temporary-table", "target", "the role may create temporary tables"});
  } else {
    check.findings.Info({"temporary-table", "target",
                         "the role may not create temporary tables: a copy "
                         "that is interrupted begins anew with the tables that "
                         "were not finished"});
  }
}

absl::Status CheckSession(CheckContext& check) {
  if (check.options.mode == MigrateMode::kOnline) TellOfTemporaryTables(check);
  if (check.ladder.timeouts_settable) {
    check.findings.Ok(
        {"timeout", "target", "the session's timeouts can be switched off"});
  } else {
    check.findings.Warning({"timeout", "target",
                            "the session's timeouts cannot be switched off: a "
                            "long statement, such as building an index, may be "
                            "ended by the server"});
  }
  return absl::OkStatus();
}

absl::Status CheckLedgerSchema(CheckContext& check) {
  const std::string& ledger = check.options.endpoints.ledger_schema;
  for (const std::string& schema : check.schemas) {
    if (schema != ledger) continue;
    check.findings.Blocking(
        {"ledger-schema", "target",
         absl::StrCat("the source has a schema ", ledger,
                      ", which is the ledger's name on the target"),
         absl::StrCat("choose another --ledger-schema, or leave it out with "
                      "--exclude-schema ",
                      ledger)});
    return absl::OkStatus();
  }
  check.findings.Ok({"ledger-schema", "target",
                     absl::StrCat("the ledger is kept in schema ", ledger)});
  return absl::OkStatus();
}

absl::Status CheckSpace(CheckContext& check) {
  const std::string tables = TableOids(
      check.catalog, [](const CatalogTable& table) { return table.copy_data; });
  ASSIGN_OR_RETURN(
      const PgResult row,
      check.source.Exec(absl::StrCat(
          "SELECT pg_size_pretty(coalesce(sum(pg_table_size(oid)), 0)),"
          " pg_size_pretty(coalesce(sum(pg_indexes_size(oid)), 0))"
          " FROM pg_class WHERE oid = ANY (",
          tables, ")")));
  check.findings.Info(
      {"target-space", "target",
       absl::StrCat("the tables take ", row.Text(0, 0),
                    " on the source and their indexes ", row.Text(0, 1),
                    "; the target's free space cannot be asked for by SQL"),
       "have a third more than that, and room for the target's own log"});
  return absl::OkStatus();
}

// How far the server's clock is ahead of this machine's, give or take the time
// that the answer took.
absl::StatusOr<absl::Duration> Ahead(PgConnection& connection) {
  const absl::Time asked = absl::Now();
  ASSIGN_OR_RETURN(const int64_t now_us,
                   QueryNumber(connection,
                               "SELECT (extract(epoch FROM clock_timestamp())"
                               " * 1000000)::bigint"));
  const absl::Time answered = absl::Now();
  const absl::Duration ahead =
      absl::FromUnixMicros(now_us) - (asked + (answered - asked) / 2);
  const absl::Duration doubt = (answered - asked) / 2;
  return absl::AbsDuration(ahead) > doubt ? ahead : absl::ZeroDuration();
}

// A run with --fast-target knows of it, and a move of all databases says it
// once.
absl::Status CheckDurability(CheckContext& check) {
  if (check.options.fast_target || check.options.of_server_move) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string unsafe, UnsafeSettings(check.target));
  if (unsafe.empty()) return absl::OkStatus();
  check.findings.Warning({"target-durability", "target",
                          absl::StrCat(unsafe, kUnsafeSettingsText),
                          kUnsafeSettingsHint});
  return absl::OkStatus();
}

absl::Status CheckClocks(CheckContext& check) {
  ASSIGN_OR_RETURN(const absl::Duration source, Ahead(check.source));
  ASSIGN_OR_RETURN(const absl::Duration target, Ahead(check.target));
  if (absl::AbsDuration(source) < kSkewWorthTelling &&
      absl::AbsDuration(target) < kSkewWorthTelling) {
    check.findings.Ok({"clock", "source", "the clocks agree"});
    return absl::OkStatus();
  }
  check.findings.Info(
      {"clock", "source",
       absl::StrCat("the clocks differ from this machine's: the source's by ",
                    absl::FormatDuration(absl::Trunc(source, absl::Seconds(1))),
                    ", the target's by ",
                    absl::FormatDuration(absl::Trunc(target, absl::Seconds(1))),
                    "; a lag in seconds is wrong by as much")});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> TargetChecks() {
  return {{"target-rights", CheckTargetRights},
          {"replica-role", CheckApply},
          {"timeout", CheckSession},
          {"ledger-schema", CheckLedgerSchema},
          {.id = "target-space", .run = CheckSpace, .of = StepOf::kSum},
          {"target-durability", CheckDurability},
          {.id = "clock", .run = CheckClocks, .of = StepOf::kServers}};
}

}  // namespace walferry
