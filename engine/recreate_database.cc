#include "engine/recreate_database.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "engine/dump_connection.h"
#include "engine/dump_script.h"
#include "engine/name_some.h"
#include "engine/pg_program.h"
#include "engine/sql_lines.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kInUse = "55006";
constexpr size_t kMaxName = 63;  // Bytes: NAMEDATALEN - 1.
// How long sessions may take to end: our own that were closed just now, or
// others that we have ended, and that may come again.
constexpr absl::Duration kEnding = absl::Seconds(5);
constexpr absl::Duration kLook = absl::Milliseconds(50);

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

absl::StatusOr<std::vector<std::string>> HowItIsMade(const Connector& connector,
                                                     const PgTools& tools) {
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
  return DatabaseStatements(script);
}

// "pid 4711 (ada, psql, from 10.0.0.7)" each, but for ourselves.
absl::StatusOr<std::vector<std::string>> SessionsIn(PgConnection& session,
                                                    const std::string& dbname) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(absl::StrCat(
          "SELECT 'pid ' || pid || ' (' || concat_ws(', ', usename,"
          " nullif(application_name, ''), 'from ' || host(client_addr)) || ')'"
          " FROM pg_catalog.pg_stat_activity WHERE datname = ",
          QuoteLiteral(dbname),
          " AND pid <> pg_catalog.pg_backend_pid()"
          " AND backend_type IS DISTINCT FROM 'autovacuum worker'"
          " ORDER BY pid")));
  std::vector<std::string> sessions;
  for (int row = 0; row < rows.rows(); ++row) {
    sessions.emplace_back(rows.Text(row, 0));
  }
  return sessions;
}

absl::Status EndSessionsIn(PgConnection& session, const std::string& dbname) {
  return session
      .Exec(absl::StrCat("SELECT pg_catalog.pg_terminate_backend(pid)"
                         " FROM pg_catalog.pg_stat_activity WHERE datname = ",
                         QuoteLiteral(dbname),
                         " AND pid <> pg_catalog.pg_backend_pid()"))
      .status();
}

std::string RenameSql(absl::string_view from, absl::string_view to) {
  return absl::StrCat("ALTER DATABASE ", QuoteIdentifier(from), " RENAME TO ",
                      QuoteIdentifier(to));
}

absl::Status InUse(const std::string& dbname,
                   const std::vector<std::string>& sessions) {
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("target: database ", dbname,
                       " is in use and was not dropped: ", NameSome(sessions))),
      "see that they end, or end them: SELECT pg_terminate_backend(PID);");
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

std::string AsideName(absl::string_view dbname) {
  std::string name = absl::StrCat("walferry_old_", dbname);
  if (name.size() <= kMaxName) return name;
  size_t end = kMaxName;
  // Not in the middle of a UTF-8 character.
  while ((static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  name.resize(end);
  return name;
}

absl::StatusOr<RecreatedDatabase> RecreatedDatabase::Make(
    const Connector& connector, const PgTools& tools, OthersInside others) {
  std::string dbname;
  {
    ASSIGN_OR_RETURN(const PgConnection session, connector.OpenTarget("drop"));
    dbname = session.dbname();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> statements,
                   HowItIsMade(connector, tools));
  RecreatedDatabase database(connector, std::move(dbname));
  ASSIGN_OR_RETURN(PgConnection session,
                   database.OpenBeside(connector.interrupt));
  ASSIGN_OR_RETURN(const std::string may, session.QueryValue(kMayCreate));
  if (may != "t" || statements.empty()) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "target: role ", session.user(), " may not create databases")),
        absl::StrCat("give it CREATEDB, or drop and create database ",
                     database.dbname_, " yourself"));
  }
  RETURN_IF_ERROR(database.SetAside(session, others));
  const absl::Status filled = database.Fill(session, statements);
  if (!filled.ok()) return database.AfterPuttingBack(filled);
  return database;
}

// A session in any database but the one that goes away.
absl::StatusOr<PgConnection> RecreatedDatabase::OpenBeside(
    const Interrupt* interrupt) const {
  PgConnectOptions options = connector_->TargetOptions("drop");
  options.dbname = dbname_ == "postgres" ? "template1" : "postgres";
  options.client_encoding = "UTF8";
  options.interrupt = interrupt;
  absl::StatusOr<PgConnection> opened = PgConnection::Open(options);
  if (opened.ok()) return opened;
  return Annotate(opened.status(),
                  absl::StrCat("target, database ", options.dbname));
}

// Renaming takes that nobody else is in it, which the server makes sure of.
absl::Status RecreatedDatabase::SetAside(PgConnection& session,
                                         OthersInside others) const {
  const std::string rename = RenameSql(dbname_, AsideName(dbname_));
  const absl::Time deadline = absl::Now() + kEnding;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<std::string> inside,
                     SessionsIn(session, dbname_));
    const bool last = absl::Now() >= deadline;
    if (inside.empty()) {
      const absl::Status renamed = session.Exec(rename).status();
      if (renamed.ok()) return renamed;
      if (SqlStateOf(renamed) != kInUse || last) {
        return Annotate(renamed, absl::StrCat("target: database ", dbname_,
                                              " was not dropped"));
      }
    } else if (last) {
      return InUse(dbname_, inside);
    } else if (others == OthersInside::kEnd) {
      RETURN_IF_ERROR(EndSessionsIn(session, dbname_));
    }
    absl::SleepFor(kLook);
  }
}

absl::Status RecreatedDatabase::Fill(
    PgConnection& session, const std::vector<std::string>& statements) const {
  for (const std::string& statement : statements) {
    const absl::Status done = session.Exec(statement).status();
    if (done.ok()) continue;
    return Annotate(done, absl::StrCat("target: database ", dbname_,
                                       " cannot be made again: ", statement));
  }
  return absl::OkStatus();
}

absl::Status RecreatedDatabase::DropOld() const {
  const absl::Status dropped = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(PgConnection session, OpenBeside(connector_->interrupt));
    return session
        .Exec(absl::StrCat("DROP DATABASE ",
                           QuoteIdentifier(AsideName(dbname_)),
                           " WITH (FORCE)"))
        .status();
  }();
  if (dropped.ok()) return dropped;
  // The answer may be what was lost.
  const absl::StatusOr<bool> aside = IsAside();
  if (aside.ok() && !*aside) return absl::OkStatus();
  return AfterPuttingBack(Annotate(
      dropped,
      absl::StrCat("target: database ", dbname_, " cannot be dropped")));
}

absl::StatusOr<bool> RecreatedDatabase::IsAside() const {
  // Also after we were told to stop.
  ASSIGN_OR_RETURN(PgConnection session, OpenBeside(/*interrupt=*/nullptr));
  ASSIGN_OR_RETURN(const std::string exists,
                   session.QueryValue(absl::StrCat(
                       "SELECT EXISTS (SELECT FROM pg_catalog.pg_database"
                       " WHERE datname = ",
                       QuoteLiteral(AsideName(dbname_)), ")")));
  return exists == "t";
}

absl::Status RecreatedDatabase::PutBack() const {
  // Never the last one.
  ASSIGN_OR_RETURN(const bool aside, IsAside());
  if (!aside) {
    return absl::NotFoundError(
        absl::StrCat("there is no database ", AsideName(dbname_)));
  }
  ASSIGN_OR_RETURN(PgConnection session, OpenBeside(/*interrupt=*/nullptr));
  // Statements of their own: neither runs in a transaction with others.
  RETURN_IF_ERROR(
      session
          .Exec(absl::StrCat("DROP DATABASE IF EXISTS ",
                             QuoteIdentifier(dbname_), " WITH (FORCE)"))
          .status());
  return session.Exec(RenameSql(AsideName(dbname_), dbname_)).status();
}

absl::Status RecreatedDatabase::AfterPuttingBack(
    const absl::Status& status) const {
  const absl::Status back = PutBack();
  if (back.ok()) {
    return WithHint(absl::Status(status.code(),
                                 absl::StrCat(status.message(), "; database ",
                                              dbname_, " is as it was")),
                    HintOf(status));
  }
  return WithHint(
      absl::Status(status.code(),
                   absl::StrCat(status.message(), "; and database ", dbname_,
                                " is now called ", AsideName(dbname_), ": ",
                                back.message())),
      absl::StrCat("DROP DATABASE IF EXISTS ", QuoteIdentifier(dbname_), "; ",
                   RenameSql(AsideName(dbname_), dbname_), ";"));
}

}  // namespace walferry
