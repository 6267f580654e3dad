// Writes tests/golden/pg<major>/<scenario>.hex: what servers of each major
// version send for the scenarios in tests/golden/scenarios/, one message per
// line. Shares no code with the decoders.
//
//   WALFERRY_TEST_SERVERS=<bin folder>:<bin folder>... golden_capture
//
// Positions, times, xids and OIDs differ from run to run; nothing else should.

#include <poll.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libpq-fe.h"
#include "protocol/status.h"
#include "tests/golden/scenario.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

constexpr const char* kScenarios[] = {"plain",    "binary",   "two_phase",
                                      "streamed", "parallel", "immediate"};

uint64_t BigEndianAt(absl::string_view bytes, size_t offset) {
  uint64_t value = 0;
  for (const char byte : bytes.substr(offset, 8)) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  return value;
}

// One START_REPLICATION, of which it keeps every message.
class Subscription {
 public:
  static absl::StatusOr<Subscription> Start(const std::string& conninfo,
                                            const Scenario& scenario) {
    std::string options =
        "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 "
        "-c logical_decoding_work_mem=64kB";
    for (const std::string& setting : scenario.settings) {
      absl::StrAppend(&options, " -c ", setting);
    }
    const char* const keywords[] = {"dbname", "replication", "options",
                                    "client_encoding", nullptr};
    const char* const values[] = {conninfo.c_str(), "database", options.c_str(),
                                  "UTF8", nullptr};
    Subscription subscription(PQconnectdbParams(keywords, values, 1));
    PQclear(PQexec(subscription.connection(),
                   "SELECT pg_catalog.set_config('search_path', '', false)"));
    const std::string command =
        absl::StrCat("START_REPLICATION SLOT ", scenario.name, " LOGICAL 0/0 (",
                     scenario.options, ", publication_names '\"p\"')");
    PGresult* result = PQexec(subscription.connection(), command.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COPY_BOTH) return subscription.Error(command);
    return subscription;
  }

  // Receives until the server has sent everything before `lsn`.
  absl::Status ReceiveUpTo(uint64_t lsn) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (sent_ < lsn) {
      if (absl::Now() > deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat("server sent up to ", sent_, " of ", lsn));
      }
      RETURN_IF_ERROR(AskForKeepalive());
      pollfd ready = {PQsocket(connection()), POLLIN, 0};
      poll(&ready, 1, 50);
      if (PQconsumeInput(connection()) == 0) return Error("receive");
      RETURN_IF_ERROR(TakeFrames());
    }
    return absl::OkStatus();
  }

  const std::vector<std::string>& messages() const { return messages_; }

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  explicit Subscription(PGconn* connection) : connection_(connection) {}

  PGconn* connection() { return connection_.get(); }

  absl::Status Error(absl::string_view what) {
    return absl::UnknownError(
        absl::StrCat(what, ": ", PQerrorMessage(connection())));
  }

  absl::Status AskForKeepalive() {
    std::string status = "r" + std::string(32, '\0') + '\1';
    if (PQputCopyData(connection(), status.data(),
                      static_cast<int>(status.size())) != 1 ||
        PQflush(connection()) != 0) {
      return Error("send status");
    }
    return absl::OkStatus();
  }

  absl::Status TakeFrames() {
    char* buffer = nullptr;
    int size = 0;
    while ((size = PQgetCopyData(connection(), &buffer, 1)) > 0) {
      const std::string frame(buffer, static_cast<size_t>(size));
      PQfreemem(buffer);
      if (frame[0] == 'k') sent_ = BigEndianAt(frame, 1);
      if (frame[0] == 'w') messages_.push_back(frame.substr(25));
    }
    return size == 0 ? absl::OkStatus() : Error("copy ended");
  }

  std::unique_ptr<PGconn, Closer> connection_;
  std::vector<std::string> messages_;
  uint64_t sent_ = 0;
};

// The sessions of a scenario and one of our own.
class Sessions {
 public:
  Sessions(std::string conninfo, int server)
      : conninfo_(std::move(conninfo)), server_(server) {}

  absl::Status Run(const Step& step) {
    if (step.min_server > server_) return absl::OkStatus();
    ASSIGN_OR_RETURN(SqlConnection * session, Get(step.session));
    return session->Exec(step.sql);
  }

  // The position behind all that was written, also by open transactions.
  absl::StatusOr<uint64_t> WrittenPosition() {
    ASSIGN_OR_RETURN(SqlConnection * session, Get('-'));
    RETURN_IF_ERROR(session->Exec("CHECKPOINT"));  // Flushes WAL.
    ASSIGN_OR_RETURN(const std::string value,
                     session->QueryValue(
                         "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"));
    return std::stoull(value);
  }

 private:
  absl::StatusOr<SqlConnection*> Get(char name) {
    auto found = sessions_.find(name);
    if (found == sessions_.end()) {
      ASSIGN_OR_RETURN(SqlConnection opened, SqlConnection::Open(conninfo_));
      found = sessions_.emplace(name, std::move(opened)).first;
    }
    return &found->second;
  }

  std::string conninfo_;
  int server_;
  std::map<char, SqlConnection> sessions_;
};

absl::StatusOr<std::vector<std::string>> Capture(const PgServer& server,
                                                 const Scenario& scenario) {
  RETURN_IF_ERROR(
      server.Exec(absl::StrCat("CREATE DATABASE \"", scenario.name, "\"")));
  const std::string conninfo = server.ConnInfo(scenario.name);
  Sessions sessions(conninfo, server.major_version());
  for (const Step& step : scenario.before_slot) {
    RETURN_IF_ERROR(sessions.Run(step));
  }
  RETURN_IF_ERROR(sessions.Run(
      {.sql = absl::StrCat("SELECT pg_create_logical_replication_slot('",
                           scenario.name, "', 'pgoutput', false, ",
                           scenario.two_phase ? "true" : "false", ")")}));
  ASSIGN_OR_RETURN(Subscription subscription,
                   Subscription::Start(conninfo, scenario));
  const auto sync = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const uint64_t lsn, sessions.WrittenPosition());
    return subscription.ReceiveUpTo(lsn);
  };
  for (const Step& step : scenario.steps) {
    RETURN_IF_ERROR(step.sql.empty() ? sync() : sessions.Run(step));
  }
  RETURN_IF_ERROR(sync());
  return subscription.messages();
}

absl::Status Write(const std::string& path, const std::string& heading,
                   const std::vector<std::string>& messages) {
  std::ofstream out(path);
  out << "# " << heading << "\n";
  for (const std::string& message : messages) {
    out << absl::BytesToHexString(message) << "\n";
  }
  out.close();
  return out ? absl::OkStatus() : absl::InternalError("cannot write " + path);
}

absl::Status CaptureAll(const std::string& bin_dir) {
  const std::string golden = TestsDirectory() + "/golden";
  const std::string directory = golden + "/" + ServerName(bin_dir);
  std::filesystem::create_directories(directory);
  ASSIGN_OR_RETURN(
      const auto server,
      PgServer::Start({.bin_dir = bin_dir,
                       .settings = {{"max_prepared_transactions", "10"},
                                    {"autovacuum", "off"}}}));
  ASSIGN_OR_RETURN(const std::string version,
                   server->QueryValue("SHOW server_version"));
  for (const char* name : kScenarios) {
    ASSIGN_OR_RETURN(const Scenario scenario,
                     ReadScenario(golden + "/scenarios", name));
    if (scenario.min_server > server->major_version()) continue;
    absl::StatusOr<std::vector<std::string>> messages =
        Capture(*server, scenario);
    if (!messages.ok()) return Annotate(messages.status(), name);
    const std::string path = absl::StrCat(directory, "/", name, ".hex");
    RETURN_IF_ERROR(Write(path,
                          absl::StrCat("PostgreSQL ", version, ", ", name,
                                       ".sql: ", scenario.options,
                                       scenario.settings.empty() ? "" : "; ",
                                       absl::StrJoin(scenario.settings, "; ")),
                          *messages));
    std::printf("%s: %zu messages\n", path.c_str(), messages->size());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace walferry

int main() {
  for (const std::string& bin_dir : walferry::TestServerBinDirs()) {
    const absl::Status status = walferry::CaptureAll(bin_dir);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", bin_dir.c_str(),
                   status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
