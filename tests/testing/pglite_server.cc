#include "tests/testing/pglite_server.h"

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

std::string Script() {
  return TestCacheDirectory() +
         "/pglite/node_modules/@electric-sql/pglite-socket/dist/scripts/"
         "server.js";
}

}  // namespace

std::string PgliteServer::Missing() {
  const auto node =
      RunCommand({.command = {"node", "--version"}}, kTestPatience);
  if (!node.ok() || node->exit_code != 0) return "Node.js is not installed";
  if (!std::filesystem::exists(Script())) {
    return "PGlite is not there: run tools/install-pglite";
  }
  return "";
}

absl::StatusOr<std::unique_ptr<PgliteServer>> PgliteServer::Start() {
  ASSIGN_OR_RETURN(TempDir directory, TempDir::Create());
  ASSIGN_OR_RETURN(ServerWatchdog watchdog,
                   ServerWatchdog::Start(directory.path(), /*user=*/""));
  const std::string log = directory.path() + "/log";
  ASSIGN_OR_RETURN(
      ChildProcess node,
      ChildProcess::Start({.command = {"node", Script(), "--port=0"},
                           .directory = directory.path(),
                           .stdout_path = log,
                           .stderr_path = log}));
  std::unique_ptr<PgliteServer> server(new PgliteServer(
      std::move(directory), std::move(watchdog), std::move(node)));
  WaitUntil([&] {
    server->port_ = server->ReadPort();
    return server->port_ != 0 || server->node_.Poll().has_value();
  });
  if (server->port_ != 0) return server;
  return absl::UnavailableError(
      absl::StrCat("PGlite did not start: ", ReadFile(log)));
}

std::string PgliteServer::ConnInfo() const {
  return absl::StrCat("host=127.0.0.1 port=", port_,
                      " user=postgres dbname=postgres sslmode=disable");
}

int PgliteServer::ReadPort() const {
  const std::string log = ReadFile(directory_.path() + "/log");
  constexpr absl::string_view kListening = "listening on {\"port\":";
  const size_t at = log.find(kListening.data());
  if (at == std::string::npos) return 0;
  const size_t begin = at + kListening.size();
  int port = 0;
  const size_t end = log.find_first_not_of("0123456789", begin);
  if (end == std::string::npos) return 0;
  return absl::SimpleAtoi(log.substr(begin, end - begin), &port) ? port : 0;
}

absl::StatusOr<SqlConnection> PgliteServer::Connect() const {
  absl::StatusOr<SqlConnection> connection = SqlConnection::Open(ConnInfo());
  WaitUntil([&] {
    if (connection.ok()) return true;
    connection = SqlConnection::Open(ConnInfo());
    return connection.ok();
  });
  return connection;
}

absl::Status PgliteServer::Exec(const std::string& sql) const {
  ASSIGN_OR_RETURN(SqlConnection connection, Connect());
  return connection.Exec(sql);
}

absl::StatusOr<std::string> PgliteServer::QueryValue(
    const std::string& sql) const {
  ASSIGN_OR_RETURN(SqlConnection connection, Connect());
  return connection.QueryValue(sql);
}

}  // namespace walferry
