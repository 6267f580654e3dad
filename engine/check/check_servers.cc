// Checks: which two servers these are, and whether it is always the same two.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/connect/old_servers.h"
#include "engine/connect/server_identity.h"
#include "engine/connect/shared_session.h"
#include "engine/name_some.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// The newest major version that walferry is tested with.
constexpr int kNewestKnown = 18;
constexpr int kOldestTarget = 13;

std::string VersionText(int version) {
  return absl::StrCat("PostgreSQL ", version / 10000, ".", version % 10000);
}

absl::Status CheckSourceVersion(CheckContext& check) {
  const int version = check.source.server_version();
  const bool online = check.options.mode == MigrateMode::kOnline;
  if (version / 10000 < kOldestOfflineSource) {
    check.findings.Blocking(
        {"source-version", "source",
         absl::StrCat(VersionText(version),
                      " is too old: ", kOldestOfflineSource, " or later"),
         "move it with pg_dump and pg_restore, or upgrade the source first"});
  } else if (online && version / 10000 < kOldestOnlineSource) {
    check.findings.Blocking(
        {"source-version", "source",
         absl::StrCat(VersionText(version),
                      " does not send what walferry reads: it needs ",
                      kOldestOnlineSource, " or later"),
         "move it with --mode offline, or upgrade the source first"});
  } else if (version / 10000 > kNewestKnown) {
    check.findings.Warning({"source-version", "source",
                            absl::StrCat(VersionText(version),
                                         " is newer than any that walferry was "
                                         "tested with")});
  } else {
    check.findings.Ok({"source-version", "source", VersionText(version)});
  }
  return absl::OkStatus();
}

absl::Status CheckTargetVersion(CheckContext& check) {
  const int version = check.target.server_version();
  const int major = version / 10000;
  if (major < kOldestTarget) {
    check.findings.Blocking(
        {"target-version", "target",
         absl::StrCat(VersionText(version), " is too old: 13 or later")});
  } else if (major < check.source.server_version() / 10000) {
    check.findings.Warning(
        {"target-version", "target",
         absl::StrCat(VersionText(version),
                      " is older than the source: what the source's version "
                      "has brought cannot be created")});
  } else if (major > kNewestKnown) {
    check.findings.Warning({"target-version", "target",
                            absl::StrCat(VersionText(version),
                                         " is newer than any that walferry was "
                                         "tested with")});
  } else {
    check.findings.Ok({"target-version", "target", VersionText(version)});
  }
  return absl::OkStatus();
}

absl::Status CheckSameDatabase(CheckContext& check) {
  ASSIGN_OR_RETURN(const ServerIdentity source, IdentifyServer(check.source));
  ASSIGN_OR_RETURN(const ServerIdentity target, IdentifyServer(check.target));
  if (SameDatabase(source, target)) {
    check.findings.Blocking(
        {"same-database", "target",
         absl::StrCat("source and target are the same database, ",
                      target.dbname, " on ", target.address)});
  } else if (SameServer(source, target)) {
    check.findings.Info({"same-database", "target",
                         absl::StrCat("source and target are two databases of "
                                      "one server, ",
                                      target.address)});
  } else {
    check.findings.Ok(
        {"same-database", "target",
         absl::StrCat("another server than the source, at ", target.address)});
  }
  return absl::OkStatus();
}

// A pooler answers the startup packet itself, with a process id of its own
// making, and lends out a server process for each transaction.
absl::Status CheckPooler(CheckContext& check) {
  struct Side {
    absl::string_view name;
    PgConnection& connection;
  };
  for (const Side& side :
       {Side{"source", check.source}, Side{"target", check.target}}) {
    ASSIGN_OR_RETURN(const ServerIdentity server,
                     IdentifyServer(side.connection));
    if (server.backend_pid == absl::StrCat(side.connection.backend_pid())) {
      check.findings.Ok({"pooler", std::string(side.name),
                         "the connection goes to the server itself"});
      continue;
    }
    check.findings.Acceptable(
        {"pooler", std::string(side.name),
         absl::StrCat("a pooler or proxy answers in the server's stead "
                      "(process ",
                      side.connection.backend_pid(), " announced, ",
                      server.backend_pid,
                      " at work): snapshots, session settings and locks do "
                      "not survive one that shares sessions"),
         "connect to the server's own host and port"});
  }
  return absl::OkStatus();
}

absl::Status CheckSessions(CheckContext& check) {
  struct Side {
    absl::string_view name;
    PgConnection& connection;
  };
  const bool online = check.options.mode == MigrateMode::kOnline;
  for (const Side& side :
       {Side{"source", check.source}, Side{"target", check.target}}) {
    ASSIGN_OR_RETURN(const bool alone, ServesOneSession(side.connection));
    const std::string name(side.name);
    if (!alone) {
      check.findings.Ok(
          {"one-session", name, "it serves as many sessions as are needed"});
    } else if (online) {
      check.findings.Blocking({"one-session", name,
                               "it serves one session, and changes cannot be "
                               "followed there",
                               "move it with --mode offline"});
    } else {
      check.findings.Warning(
          {"one-session", name,
           "it serves one session (PGlite): all goes through it, one thing "
           "after the other, and into one transaction of the target, which "
           "begins anew when it is interrupted",
           side.name == "source"
               ? "stop what writes to it: whoever shares the session can "
                 "change it between the schema and the rows, and a statement "
                 "of his own would be part of the copy's transaction"
               : "nobody else may use it meanwhile: his statements would be "
                 "part of the copy's transaction"});
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOneServer(CheckContext& check) {
  if (check.source_replication == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ServerIdentity sql, IdentifyServer(check.source));
  ASSIGN_OR_RETURN(const SystemIdentity system,
                   IdentifySystem(*check.source_replication));
  ASSIGN_OR_RETURN(ServerIdentity walsender,
                   IdentifyServer(*check.source_replication));
  walsender.system_identifier = system.system_identifier;
  if (SameDatabase(sql, walsender)) {
    check.findings.Ok({"one-server", "source",
                       "both kinds of connection reach the same server"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"one-server", "source",
       absl::StrCat("two connections reached two servers or databases: ",
                    sql.dbname, " at ", sql.address, " (started ", sql.started,
                    " UTC), ", walsender.dbname, " at ", walsender.address,
                    " (started ", walsender.started, " UTC)"),
       "a load balancer stands between: connect to the primary's own host"});
  return absl::OkStatus();
}

absl::Status CheckUnloggedOnStandby(CheckContext& check) {
  check.findings.Info({"source-standby", "source",
                       "it is a standby: tables of a copy that is interrupted "
                       "begin anew, as it cannot tell what has changed"});
  ASSIGN_OR_RETURN(
      const std::vector<std::string> unlogged,
      QueryColumn(check.source,
                  absl::StrCat("SELECT oid::regclass::text FROM pg_class WHERE "
                               "relpersistence = 'u' AND oid = ANY (",
                               RelationOids(check, "rS"), ") ORDER BY 1")));
  if (!unlogged.empty()) {
    check.findings.Blocking(
        {"unlogged-table", "source",
         absl::StrCat("a standby does not have what is unlogged: ",
                      NameSome(unlogged)),
         "connect to the primary, or leave them out with --exclude-table"});
  }
  return absl::OkStatus();
}

absl::Status CheckSourceStandby(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::string standby,
                   check.source.QueryValue("SELECT pg_is_in_recovery()"));
  if (standby == "f") {
    check.findings.Ok({"source-standby", "source", "it is a primary"});
  } else if (check.options.mode == MigrateMode::kOffline) {
    return CheckUnloggedOnStandby(check);
  } else {
    check.findings.Blocking(
        {"source-standby", "source",
         "it is a standby: it does not see which transactions the primary has "
         "open, so nobody could tell when the writes have ended",
         "connect to the primary"});
  }
  return absl::OkStatus();
}

absl::Status CheckTargetReadOnly(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult row,
      check.target.Exec("SELECT pg_is_in_recovery(),"
                        " current_setting('transaction_read_only') = 'on'"));
  if (row.Bool(0, 0)) {
    check.findings.Blocking({"target-read-only", "target",
                             "it is a standby and takes no changes",
                             "connect to the primary"});
  } else if (row.Bool(0, 1)) {
    check.findings.Blocking(
        {"target-read-only", "target", "its transactions are read-only",
         "see default_transaction_read_only of the server, the database and "
         "the role"});
  } else {
    check.findings.Ok({"target-read-only", "target", "it takes changes"});
  }
  return absl::OkStatus();
}

absl::Status CheckEncoding(CheckContext& check) {
  const std::string source = check.source.parameter("server_encoding");
  // One that is to come will have the source's.
  const std::string target =
      check.target_to_come ? source : check.target.parameter("server_encoding");
  const std::string both = absl::StrCat("the source's encoding is ", source,
                                        ", the target's ", target);
  const std::string hint =
      absl::StrCat("create the target database with ENCODING '", source, "'");
  if (source == "SQL_ASCII" && target != source) {
    check.findings.Acceptable(
        {"encoding", "target",
         absl::StrCat(both,
                      ": bytes that are not valid there stop the "
                      "migration"),
         hint});
  } else if (source == "SQL_ASCII") {
    check.findings.Warning({"encoding", "target",
                            "both encodings are SQL_ASCII: bytes are carried "
                            "as they are, nobody checks them"});
  } else if (target == source) {
    check.findings.Ok(
        {"encoding", "target", absl::StrCat("both encodings are ", source)});
  } else if (target == "UTF8") {
    check.findings.Info(
        {"encoding", "target", absl::StrCat(both, ": text is converted")});
  } else {
    check.findings.Acceptable(
        {"encoding", "target",
         absl::StrCat(both,
                      ": a character that is not in it stops the "
                      "migration"),
         hint});
  }
  return absl::OkStatus();
}

// Provider, locale and version of the database's default collation.
absl::StatusOr<std::vector<std::string>> DatabaseCollation(
    PgConnection& connection) {
  const int version = connection.server_version();
  std::string columns = "datcollate, datctype, ";
  if (version >= 170000) {
    absl::StrAppend(&columns, "datlocprovider, coalesce(datlocale, ''), ");
  } else if (version >= 150000) {
    absl::StrAppend(&columns, "datlocprovider, coalesce(daticulocale, ''), ");
  } else {
    absl::StrAppend(&columns, "'c', '', ");
  }
  absl::StrAppend(&columns,
                  version >= 150000
                      ? "coalesce(pg_database_collation_actual_version(oid), "
                        "'')"
                      : "''");
  ASSIGN_OR_RETURN(
      const PgResult row,
      connection.Exec(absl::StrCat("SELECT ", columns,
                                   " FROM pg_database"
                                   " WHERE datname = current_database()")));
  std::vector<std::string> values;
  for (int column = 0; column < row.columns(); ++column) {
    values.emplace_back(row.Text(0, column));
  }
  return values;
}

std::string CollationText(const std::vector<std::string>& values) {
  const absl::string_view provider = values[2] == "i"   ? "icu"
                                     : values[2] == "b" ? "builtin"
                                                        : "libc";
  std::string text =
      absl::StrCat(provider, " ", values[3].empty() ? values[0] : values[3]);
  if (values[1] != values[0]) absl::StrAppend(&text, ", ctype ", values[1]);
  if (!values[4].empty()) absl::StrAppend(&text, ", version ", values[4]);
  return text;
}

absl::Status CheckCollation(CheckContext& check) {
  ASSIGN_OR_RETURN(std::vector<std::string> source,
                   DatabaseCollation(check.source));
  ASSIGN_OR_RETURN(std::vector<std::string> target,
                   DatabaseCollation(check.target));
  const std::string source_text = CollationText(source);
  const std::string target_text = CollationText(target);
  const bool versions_known = !source[4].empty() && !target[4].empty();
  const bool versions_differ = versions_known && source[4] != target[4];
  source.pop_back();
  target.pop_back();
  if (source != target) {
    check.findings.Warning(
        {"collation", "target",
         absl::StrCat("text is sorted and compared otherwise than on the "
                      "source (there: ",
                      source_text, "; here: ", target_text,
                      "): queries may order rows differently, and text "
                      "partition bounds and constraints may refuse rows"),
         "create the target database with the source's locale"});
  } else if (versions_differ) {
    check.findings.Info(
        {"collation", "target",
         absl::StrCat("the collation is the same in another "
                      "version (there: ",
                      source_text, "; here: ", target_text, ")")});
  } else {
    check.findings.Ok({"collation", "target",
                       absl::StrCat("collated as the source: ", target_text)});
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> ServerChecks() {
  return {{.id = "source-version",
           .run = CheckSourceVersion,
           .of = StepOf::kServers},
          {.id = "target-version",
           .run = CheckTargetVersion,
           .of = StepOf::kServers},
          {.id = "same-database", .run = CheckSameDatabase, .in_target = true},
          {.id = "pooler", .run = CheckPooler, .of = StepOf::kServers},
          {.id = "one-session", .run = CheckSessions, .of = StepOf::kServers},
          {"one-server", CheckOneServer},
          {"source-standby", CheckSourceStandby},
          {"target-read-only", CheckTargetReadOnly},
          {"encoding", CheckEncoding},
          {.id = "collation", .run = CheckCollation, .in_target = true}};
}

}  // namespace walferry
