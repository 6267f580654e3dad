#include "bench/catchup/server_pair.h"

#include <fstream>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "protocol/status.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

// $0: how many for each table.
constexpr char kMoreIndexes[] = R"sql(
DO $$$$DECLARE tab regclass; columns name[]; BEGIN
FOR tab IN SELECT oid FROM pg_class
           WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
  columns := ARRAY(SELECT attname FROM pg_attribute
                   WHERE attrelid = tab AND attnum > 0 ORDER BY attnum);
  FOR i IN 0..$0 - 1 LOOP
    EXECUTE format('CREATE INDEX ON %s (%I)', tab,
                   columns[1 + i % cardinality(columns)]);
  END LOOP;
END LOOP; END$$$$
)sql";

}  // namespace

absl::StatusOr<std::unique_ptr<ServerPair>> ServerPair::Start(
    const Workload& workload, const std::vector<std::string>& slots,
    const std::vector<std::string>& databases, int target_indexes) {
  const PgServerOptions options{.settings = {{"fsync", "on"},
                                             {"max_wal_size", "16GB"},
                                             {"shared_buffers", "1GB"},
                                             {"checkpoint_timeout", "1h"},
                                             {"autovacuum", "off"},
                                             {"max_connections", "50"}}};
  ASSIGN_OR_RETURN(auto source, PgServer::Start(options));
  ASSIGN_OR_RETURN(auto target, PgServer::Start(options));
  std::unique_ptr<ServerPair> pair(
      new ServerPair(std::move(source), std::move(target), databases));
  RETURN_IF_ERROR(pair->Prepare(workload, slots, target_indexes));
  RETURN_IF_ERROR(pair->Load(workload));
  ASSIGN_OR_RETURN(
      const std::string end,
      pair->source_->QueryValue("SELECT pg_current_wal_insert_lsn()"));
  ASSIGN_OR_RETURN(pair->end_, Lsn::Parse(end));
  return pair;
}

absl::Status ServerPair::Prepare(const Workload& workload,
                                 const std::vector<std::string>& slots,
                                 int target_indexes) const {
  RETURN_IF_ERROR(source_->Exec("CREATE DATABASE app"));
  // The load is not measured, and what reads it comes after a checkpoint.
  RETURN_IF_ERROR(
      source_->Exec("ALTER DATABASE app SET synchronous_commit = off"));
  RETURN_IF_ERROR(source_->Exec(workload.schema, "app"));
  RETURN_IF_ERROR(
      source_->Exec("CREATE PUBLICATION pub FOR ALL TABLES", "app"));
  for (const std::string& slot : slots) {
    RETURN_IF_ERROR(source_->Exec(
        absl::StrCat("SELECT pg_create_logical_replication_slot('", slot,
                     "', 'pgoutput')"),
        "app"));
  }
  for (const std::string& database : databases_) {
    RETURN_IF_ERROR(target_->Exec(absl::StrCat("CREATE DATABASE ", database)));
    RETURN_IF_ERROR(target_->Exec(workload.schema, database));
    RETURN_IF_ERROR(target_->Exec(
        absl::Substitute(kMoreIndexes, target_indexes), database));
  }
  return absl::OkStatus();
}

absl::Status ServerPair::Load(const Workload& workload) const {
  if (!workload.pgbench_script.empty()) return RunPgbench(workload);
  std::vector<std::future<absl::Status>> sessions;
  for (const std::string& sql : workload.sessions) {
    sessions.push_back(std::async(std::launch::async, [this, &sql] {
      return source_->Exec(sql, "app");
    }));
  }
  absl::Status status;
  for (std::future<absl::Status>& session : sessions) {
    status.Update(session.get());
  }
  return status;
}

absl::Status ServerPair::RunPgbench(const Workload& workload) const {
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  const std::string script = directory.path() + "/script.sql";
  std::ofstream(script) << workload.pgbench_script;
  ASSIGN_OR_RETURN(
      const CommandResult pgbench,
      RunCommand({.command = {TestServerBinDirs().front() + "/pgbench",
                              "--no-vacuum", "--client=4", "--file=" + script,
                              absl::StrCat("--transactions=",
                                           workload.pgbench_transactions),
                              source_conninfo()}},
                 kRunPatience));
  if (pgbench.exit_code == 0) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("pgbench: ", pgbench.output));
}

absl::Status ServerPair::Settle() const {
  RETURN_IF_ERROR(source_->Exec("VACUUM ANALYZE", "app"));
  RETURN_IF_ERROR(source_->Exec("CHECKPOINT"));
  for (const std::string& database : databases_) {
    RETURN_IF_ERROR(target_->Exec("VACUUM ANALYZE", database));
  }
  return target_->Exec("CHECKPOINT");
}

absl::Status ServerPair::CheckEqual(const std::string& database) const {
  const testing::AssertionResult equal =
      DatabasesEqual(source_conninfo(), target_->ConnInfo(database));
  if (equal) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(database, " is not equal: ", equal.message()));
}

}  // namespace walferry
