#include "engine/archive/recreate_database.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/archive/pg_program.h"
#include "engine/dump_script.h"
#include "engine/sql_lines.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kMayCreate[] =
    "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles"
    " WHERE rolname = current_user";

bool IsOfDatabase(const DumpEntry& entry) {
  if (entry.type == "DATABASE" || entry.type == "DATABASE PROPERTIES") {
    return true;
  }
  const bool tells = entry.type == "ACL" || entry.type == "COMMENT" ||
                     entry.type == "SECURITY LABEL";
  return tells && absl::StartsWith(entry.name, "DATABASE ");
}

// ParseDumpScript knows scripts for one session only. No table's definition is
// here in which such lines could be anything else.
std::string WithoutPsqlCommands(const std::string& script) {
  std::string kept;
  for (absl::string_view line : absl::StrSplit(script, '\n')) {
    if (absl::StartsWith(line, "\\")) continue;
    absl::StrAppend(&kept, line, "\n");
  }
  return kept;
}

bool IsSetting(absl::string_view statement) {
  return absl::StartsWith(statement, "SET ") ||
         absl::StartsWith(statement, "SELECT pg_catalog.set_config(");
}

// CREATE DATABASE stands for itself: it runs in no transaction, and several
// statements sent at once are one.
void Split(const std::string& sql, std::vector<std::string>& statements) {
  SqlLines lines(sql);
  std::string statement;
  for (auto kind = lines.Next(); kind == SqlLines::Kind::kText;
       kind = lines.Next()) {
    absl::StrAppend(&statement, statement.empty() ? "" : "\n", lines.line());
    if (!absl::EndsWith(lines.line(), ";")) continue;
    // Settings follow where the script goes over to the new database.
    if (!IsSetting(absl::StripAsciiWhitespace(statement))) {
      statements.emplace_back(absl::StripAsciiWhitespace(statement));
    }
    statement.clear();
  }
}

absl::StatusOr<std::vector<std::string>> HowItIsMade(
    const TargetDatabase& target, const PgTools& tools) {
  ASSIGN_OR_RETURN(const DumpConnection connection, target.ForChild());
  const Interrupt* const interrupt = target.connector.interrupt;
  ASSIGN_OR_RETURN(
      const std::string archive,
      OutputOf(
          "pg_dump",
          {.argv = {tools.pg_dump,
                    absl::StrCat("--dbname=", connection.conninfo),
                    "--no-password", "--format=custom", "--compress=0",
                    "--schema-only", "--exclude-schema=*", "--encoding=UTF8"},
           .environment = connection.environment,
           .input = connection.input,
           .interrupt = interrupt}));
  ASSIGN_OR_RETURN(
      const std::string script,
      OutputOf("pg_restore",
               {.argv = {tools.pg_restore, "--create", "--verbose", "--file=-"},
                .input = archive,
                .interrupt = interrupt}));
  return DatabaseStatements(script);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> DatabaseStatements(
    const std::string& script) {
  ASSIGN_OR_RETURN(const DumpScript parsed,
                   ParseDumpScript(WithoutPsqlCommands(script)));
  std::vector<std::string> statements;
  for (const DumpEntry& entry : parsed.entries) {
    if (IsOfDatabase(entry)) Split(entry.sql, statements);
  }
  return statements;
}

absl::Status RecreateDatabase(const TargetDatabase& target,
                              const PgTools& tools) {
  std::string dbname;
  {
    ASSIGN_OR_RETURN(PgConnection session, target.Open("drop"));
    dbname = session.dbname();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> statements,
                   HowItIsMade(target, tools));
  // Any database but the one that goes away.
  const TargetDatabase other =
      target.Named(dbname == "postgres" ? "template1" : "postgres");
  PgConnectOptions options = other.Options("drop");
  options.client_encoding = "UTF8";
  absl::StatusOr<PgConnection> opened = PgConnection::Open(options);
  if (!opened.ok()) {
    return Annotate(opened.status(),
                    absl::StrCat("target, database ", other.dbname));
  }
  PgConnection& session = *opened;
  ASSIGN_OR_RETURN(const std::string may, session.QueryValue(kMayCreate));
  if (may != "t" || statements.empty()) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "target: role ", session.user(), " may not create databases")),
        absl::StrCat("give it CREATEDB, or drop and create database ", dbname,
                     " yourself"));
  }
  RETURN_IF_ERROR(
      Annotate(session
                   .Exec(absl::StrCat("DROP DATABASE ", QuoteIdentifier(dbname),
                                      " WITH (FORCE)"))
                   .status(),
               "target"));
  for (const std::string& statement : statements) {
    const absl::Status done = session.Exec(statement).status();
    if (done.ok()) continue;
    return Annotate(done,
                    absl::StrCat("target: database ", dbname,
                                 " was dropped, and then failed: ", statement));
  }
  return absl::OkStatus();
}

}  // namespace walferry
