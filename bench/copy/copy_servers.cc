#include "bench/copy/copy_servers.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bench/copy/dump_run.h"
#include "protocol/status.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

// With the names of their keys, and whether they are what they should be.
constexpr char kIndexes[] =
    "SELECT string_agg(concat_ws(' ', pg_get_indexdef(indexrelid), "
    "indisprimary, indisvalid), '; ' ORDER BY indexrelid::regclass::text) "
    "FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE "
    "relnamespace = 'public'::regnamespace)";

absl::StatusOr<DatabaseFingerprint> FingerprintOf(const std::string& conninfo) {
  ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
  return FingerprintDatabase(connection);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CopyServers>> CopyServers::Start(double scale) {
  const PgServerOptions options{.settings = {{"fsync", "on"},
                                             {"max_wal_size", "16GB"},
                                             {"shared_buffers", "1GB"},
                                             {"maintenance_work_mem", "256MB"},
                                             {"checkpoint_timeout", "1h"},
                                             {"autovacuum", "off"},
                                             {"max_connections", "50"}}};
  ASSIGN_OR_RETURN(auto source, PgServer::Start(options));
  ASSIGN_OR_RETURN(auto target, PgServer::Start(options));
  ASSIGN_OR_RETURN(
      PgTools tools,
      FindPgTools({.source_version = source->major_version() * 10000,
                   .target_version = target->major_version() * 10000},
                  PgToolDirectories()));
  std::unique_ptr<CopyServers> servers(new CopyServers(
      std::move(source), std::move(target), std::move(tools), scale));
  RETURN_IF_ERROR(servers->Fill());
  return servers;
}

absl::Status CopyServers::Fill() {
  RETURN_IF_ERROR(source_->Exec("CREATE DATABASE app"));
  std::vector<Command> fills;
  std::vector<Command> indexes;
  for (const SampleTable& table : tables_) {
    RETURN_IF_ERROR(source_->Exec(table.create, "app"));
    fills.push_back(Psql(source_conninfo(), table.fill));
    for (const SampleIndex& index : table.indexes) {
      indexes.push_back(Psql(source_conninfo(), CreateIndexSql(table, index)));
    }
  }
  RETURN_IF_ERROR(RunCommands(fills, /*jobs=*/2));
  RETURN_IF_ERROR(RunCommands(indexes, /*jobs=*/2));
  RETURN_IF_ERROR(source_->Exec(MakeKeysSql(tables_), "app"));
  RETURN_IF_ERROR(source_->Exec("VACUUM ANALYZE", "app"));
  ASSIGN_OR_RETURN(fingerprint_, FingerprintOf(source_conninfo()));
  return absl::OkStatus();
}

absl::Status CopyServers::CreateTarget(const std::string& name) const {
  RETURN_IF_ERROR(target_->Exec(absl::StrCat("CREATE DATABASE ", name)));
  RETURN_IF_ERROR(source_->Exec("CHECKPOINT"));
  return target_->Exec("CHECKPOINT");
}

absl::Status CopyServers::CheckAndDrop(const std::string& name) const {
  const std::string target = target_->ConnInfo(name);
  ASSIGN_OR_RETURN(const DatabaseFingerprint rows, FingerprintOf(target));
  if (rows != fingerprint_) {
    return absl::DataLossError(
        DatabasesEqual(source_conninfo(), target).message());
  }
  ASSIGN_OR_RETURN(const std::string wanted,
                   source_->QueryValue(kIndexes, "app"));
  ASSIGN_OR_RETURN(const std::string built,
                   target_->QueryValue(kIndexes, name));
  if (built != wanted) {
    return absl::DataLossError(absl::StrCat("the source has the indexes ",
                                            wanted, ", the target ", built));
  }
  return target_->Exec(absl::StrCat("DROP DATABASE ", name));
}

// A client that answers to the server's own version is beside pg_dump.
Command CopyServers::Psql(const std::string& conninfo,
                          const std::string& sql) const {
  const std::string directory =
      tools_.pg_dump.substr(0, tools_.pg_dump.rfind('/') + 1);
  return {absl::StrCat(directory, "psql"),
          "--no-psqlrc",
          "--quiet",
          "--set=ON_ERROR_STOP=1",
          absl::StrCat("--dbname=", conninfo),
          absl::StrCat("--command=", sql)};
}

absl::StatusOr<CopySetting> CopyServers::Setting() const {
  CopySetting setting{.dump_command = DumpOptionsText(tools_)};
  ASSIGN_OR_RETURN(setting.server_version,
                   source_->QueryValue("SHOW server_version"));
  ASSIGN_OR_RETURN(const std::string bytes,
                   source_->QueryValue("SELECT pg_database_size('app')"));
  if (!absl::SimpleAtoi(bytes, &setting.database_bytes)) {
    return absl::InternalError("a size that is no number: " + bytes);
  }
  return setting;
}

}  // namespace walferry
