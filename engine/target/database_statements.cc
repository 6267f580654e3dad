#include "engine/target/database_statements.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/schema/dump_connection.h"
#include "engine/schema/dump_script.h"
#include "engine/schema/pg_program.h"
#include "engine/schema/sql_lines.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kCreate = "CREATE DATABASE ";

bool IsOfDatabase(const DumpEntry& entry) {
  if (entry.type == "DATABASE" || entry.type == "DATABASE PROPERTIES") {
    return true;
  }
  const bool tells = entry.type == "ACL" || entry.type == "COMMENT" ||
                     entry.type == "SECURITY LABEL";
  return tells && absl::StartsWith(entry.name, "DATABASE ");
}

absl::Status Malformed(absl::string_view of, int line) {
  return absl::DataLossError(absl::StrCat(of, ", line ", line, ": malformed"));
}

// ParseDumpScript knows scripts for one session only. Inside of quotes a line
// may look like a command: a comment's text.
absl::StatusOr<std::string> WithoutPsqlCommands(const std::string& script) {
  std::string kept;
  SqlLines lines(script);
  for (auto kind = lines.Next(); kind != SqlLines::Kind::kEnd;
       kind = lines.Next()) {
    if (kind == SqlLines::Kind::kMalformed) {
      return Malformed("pg_restore's script of a database", lines.number());
    }
    if (kind == SqlLines::Kind::kPsqlCommand) continue;
    absl::StrAppend(&kept, lines.line(), "\n");
  }
  return kept;
}

// Of the session that connects to the new database. Whoever has given a
// privilege is none of them.
bool IsSetting(absl::string_view statement) {
  return (absl::StartsWith(statement, "SET ") &&
          !absl::StartsWith(statement, "SET SESSION AUTHORIZATION ")) ||
         absl::StartsWith(statement, "SELECT pg_catalog.set_config(");
}

// CREATE DATABASE stands for itself: it runs in no transaction, and several
// statements sent at once are one. kDataLoss: what cannot be told to be one.
absl::Status Split(const DumpEntry& entry,
                   std::vector<std::string>& statements) {
  SqlLines lines(entry.sql);
  std::string statement;
  for (auto kind = lines.Next(); kind != SqlLines::Kind::kEnd;
       kind = lines.Next()) {
    if (kind == SqlLines::Kind::kComment && statement.empty()) continue;
    if (kind != SqlLines::Kind::kText) {
      return Malformed(entry.Display(), lines.number());
    }
    absl::StrAppend(&statement, statement.empty() ? "" : "\n", lines.line());
    if (!absl::EndsWith(lines.line(), ";")) continue;
    // Settings follow where the script goes over to the new database.
    if (!IsSetting(absl::StripAsciiWhitespace(statement))) {
      statements.emplace_back(absl::StripAsciiWhitespace(statement));
    }
    statement.clear();
  }
  if (absl::StripAsciiWhitespace(statement).empty()) return absl::OkStatus();
  return Malformed(entry.Display(), lines.number());
}

}  // namespace

absl::StatusOr<std::vector<std::string>> DatabaseStatements(
    const std::string& script) {
  ASSIGN_OR_RETURN(const std::string sql, WithoutPsqlCommands(script));
  ASSIGN_OR_RETURN(const DumpScript parsed, ParseDumpScript(sql));
  std::vector<std::string> statements;
  for (const DumpEntry& entry : parsed.entries) {
    if (IsOfDatabase(entry)) RETURN_IF_ERROR(Split(entry, statements));
  }
  return statements;
}

std::string CreatedUnder(absl::string_view create, absl::string_view name) {
  const absl::string_view rest = create.substr(kCreate.size());
  size_t end = rest.find(' ');
  if (absl::StartsWith(rest, "\"")) {
    end = 1;
    // A doubled quote is one of the name.
    while (end < rest.size() &&
           (rest[end] != '"' || rest.substr(end, 2) == "\"\"")) {
      end += rest[end] == '"' ? 2 : 1;
    }
    ++end;
  }
  return absl::StrCat(kCreate, QuoteIdentifier(name),
                      end < rest.size() ? rest.substr(end) : "");
}

absl::StatusOr<std::vector<std::string>> ReadDatabaseStatements(
    const Connector& connector, const PgTools& tools) {
  ASSIGN_OR_RETURN(const DumpConnection connection,
                   ConnectionForDump(connector.endpoints.target,
                                     connector.endpoints.connect_timeout));
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
           .interrupt = connector.interrupt}));
  ASSIGN_OR_RETURN(
      const std::string script,
      OutputOf("pg_restore",
               {.argv = {tools.pg_restore, "--create", "--verbose", "--file=-"},
                .input = archive,
                .interrupt = connector.interrupt}));
  ASSIGN_OR_RETURN(std::vector<std::string> statements,
                   DatabaseStatements(script));
  if (statements.empty() || !absl::StartsWith(statements.front(), kCreate)) {
    return absl::DataLossError(
        "pg_dump does not say how the target's database was made");
  }
  return statements;
}

}  // namespace walferry
