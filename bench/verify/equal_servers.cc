#include "bench/verify/equal_servers.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tests/testing/database_equal.h"

namespace walferry {

absl::StatusOr<std::unique_ptr<EqualServers>> EqualServers::Start(
    double scale) {
  const PgServerOptions options{.settings = {{"max_wal_size", "16GB"},
                                             {"shared_buffers", "1GB"},
                                             {"maintenance_work_mem", "256MB"},
                                             {"checkpoint_timeout", "1h"},
                                             {"autovacuum", "off"}}};
  ASSIGN_OR_RETURN(auto source, PgServer::Start(options));
  ASSIGN_OR_RETURN(auto target, PgServer::Start(options));
  std::unique_ptr<EqualServers> servers(
      new EqualServers(std::move(source), std::move(target), scale));
  RETURN_IF_ERROR(servers->Fill(servers->source()));
  RETURN_IF_ERROR(servers->Fill(servers->target()));
  const testing::AssertionResult equal = DatabasesEqual(
      servers->source().ConnInfo("app"), servers->target().ConnInfo("app"));
  if (!equal) return absl::DataLossError(equal.message());
  return servers;
}

// Nothing of it runs on when a clock starts.
absl::Status EqualServers::Fill(const PgServer& server) const {
  RETURN_IF_ERROR(server.Exec("CREATE DATABASE app"));
  for (const SampleTable& table : tables_) {
    RETURN_IF_ERROR(server.Exec(table.create, "app"));
    RETURN_IF_ERROR(server.Exec(table.fill, "app"));
    for (const SampleIndex& index : table.indexes) {
      RETURN_IF_ERROR(server.Exec(CreateIndexSql(table, index), "app"));
    }
  }
  RETURN_IF_ERROR(server.Exec(MakeKeysSql(tables_), "app"));
  RETURN_IF_ERROR(server.Exec("VACUUM ANALYZE", "app"));
  return server.Exec("CHECKPOINT");
}

absl::StatusOr<int64_t> EqualServers::BytesOf(const std::string& table) const {
  ASSIGN_OR_RETURN(
      const std::string text,
      source_->QueryValue(absl::StrCat("SELECT pg_table_size('", table, "')"),
                          "app"));
  int64_t bytes = 0;
  if (absl::SimpleAtoi(text, &bytes)) return bytes;
  return absl::InternalError("a size that is no number: " + text);
}

absl::StatusOr<int64_t> EqualServers::Bytes() const {
  int64_t bytes = 0;
  for (const SampleTable& table : tables_) {
    ASSIGN_OR_RETURN(const int64_t more, BytesOf(table.name));
    bytes += more;
  }
  return bytes;
}

}  // namespace walferry
