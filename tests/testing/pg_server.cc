#include "tests/testing/pg_server.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "protocol/status.h"
#include "tests/testing/cluster_templates.h"
#include "tests/testing/free_port.h"
#include "tests/testing/read_file.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/server_user.h"
#include "tests/testing/test_certificate.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr int kPortAttempts = 10;

std::string PercentEncoded(absl::string_view text) {
  std::string encoded;
  for (const char byte : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(byte))) {
      encoded += byte;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X",
                            static_cast<unsigned char>(byte));
    }
  }
  return encoded;
}

struct ProcessState {
  char state = 'X';  // As in /proc/PID/stat; X: there is no such process.
  pid_t parent = 0;
};

ProcessState StateOf(pid_t pid) {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  // "PID (NAME) STATE PARENT ...", and the name may hold anything.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  ProcessState state;
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[1], &state.parent)) {
    return {};
  }
  state.state = fields[0][0];
  return state;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &pid) &&
        StateOf(pid).parent == parent) {
      children.push_back(pid);
    }
  }
  return children;
}

// A zombie holds nothing any more; init may be slow to bury it.
bool IsGone(pid_t pid) {
  const char state = StateOf(pid).state;
  return state == 'X' || state == 'Z';
}

}  // namespace

absl::StatusOr<std::unique_ptr<PgServer>> PgServer::Start(
    const PgServerOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<PgServer> server, Create(options));
  RETURN_IF_ERROR(server->MakeCluster());
  RETURN_IF_ERROR(server->WriteSettings());
  RETURN_IF_ERROR(server->WriteCertificate());
  RETURN_IF_ERROR(server->LaunchOnFreePort());
  return server;
}

absl::StatusOr<std::unique_ptr<PgServer>> PgServer::StartStandby(
    PgServer& primary) {
  PgServerOptions options = primary.options_;
  options.settings.emplace_back("primary_conninfo", primary.ConnInfo());
  ASSIGN_OR_RETURN(std::unique_ptr<PgServer> standby, Create(options));
  // Of a server that is down the files are a backup.
  RETURN_IF_ERROR(primary.Stop());
  ASSIGN_OR_RETURN(const CommandResult copied,
                   RunCommand({.command = {"cp", "-a", primary.data_directory(),
                                           standby->data_directory()},
                               .directory = standby->directory_.path(),
                               .user = standby->user_},
                              kTestPatience));
  if (copied.exit_code != 0) return absl::InternalError(copied.output);
  const std::string signal = standby->data_directory() + "/standby.signal";
  std::ofstream(signal).close();
  RETURN_IF_ERROR(GiveTo(standby->user_, signal));
  RETURN_IF_ERROR(standby->WriteSettings());
  RETURN_IF_ERROR(primary.Restart());
  RETURN_IF_ERROR(standby->LaunchOnFreePort());
  return standby;
}

absl::StatusOr<std::unique_ptr<PgServer>> PgServer::Create(
    const PgServerOptions& options) {
  PgServerOptions resolved = options;
  if (resolved.bin_dir.empty()) {
    const std::vector<std::string> bin_dirs = TestServerBinDirs();
    if (bin_dirs.empty()) {
      return absl::FailedPreconditionError(
          "no PostgreSQL server in /usr/lib/postgresql; "
          "WALFERRY_TEST_SERVERS may name the bin folder of another");
    }
    resolved.bin_dir = bin_dirs.front();
  }
  ASSIGN_OR_RETURN(const int major_version,
                   ServerMajorVersion(resolved.bin_dir));
  const std::string user = ServerUser();
  ASSIGN_OR_RETURN(TempDir directory, TempDir::Create());
  RETURN_IF_ERROR(GiveTo(user, directory.path()));
  ASSIGN_OR_RETURN(ServerWatchdog watchdog,
                   ServerWatchdog::Start(directory.path(), user));
  std::unique_ptr<PgServer> server(new PgServer(
      std::move(resolved), user, std::move(directory), std::move(watchdog)));
  server->major_version_ = major_version;
  return server;
}

PgServer::PgServer(PgServerOptions options, std::string user, TempDir directory,
                   ServerWatchdog watchdog)
    : options_(std::move(options)),
      user_(std::move(user)),
      directory_(std::move(directory)),
      watchdog_(std::move(watchdog)) {}

PgServer::~PgServer() {
  // What does not end in time is left to the watchdog.
  Stop(StopMode::kImmediate).IgnoreError();
}

absl::Status PgServer::MakeCluster() const {
  const std::string key = absl::StrCat(
      options_.bin_dir, " ", absl::StrJoin(options_.initdb_arguments, " "), " ",
      options_.password);
  return ClusterTemplates::OfProcess().Make(
      key, user_, data_directory(),
      [this](const std::string& directory) { return InitDb(directory); });
}

absl::Status PgServer::InitDb(const std::string& directory) const {
  ChildOptions initdb{
      .command = {options_.bin_dir + "/initdb", "--pgdata=" + directory,
                  "--username=postgres", "--no-sync"},
      .clean_environment = true,
      .directory = directory_.path(),
      .user = user_};
  const std::string password_path = directory_.path() + "/password";
  if (options_.password.empty()) {
    initdb.command.push_back("--auth=trust");
  } else {
    std::ofstream(password_path) << options_.password << "\n";
    RETURN_IF_ERROR(GiveTo(user_, password_path));
    initdb.command.push_back("--auth=scram-sha-256");
    initdb.command.push_back("--pwfile=" + password_path);
  }
  initdb.command.insert(initdb.command.end(), options_.initdb_arguments.begin(),
                        options_.initdb_arguments.end());
  ASSIGN_OR_RETURN(const CommandResult result,
                   RunCommand(initdb, kTestPatience));
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("initdb: exit code ", result.exit_code, ": ",
                   absl::StripAsciiWhitespace(result.output)));
}

absl::Status PgServer::WriteSettings() const {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"listen_addresses", "127.0.0.1"},
      {"unix_socket_directories", ""},
      {"wal_level", "logical"},
      {"max_wal_senders", "20"},
      {"max_replication_slots", "20"},
      {"fsync", "off"},
      // Files in the data directory instead of /dev/shm: they go with it.
      {"dynamic_shared_memory_type", "mmap"},
      {"log_line_prefix", "%m [%p] %q%u@%d %a: "},
  };
  if (options_.tls) settings.emplace_back("ssl", "on");
  settings.insert(settings.end(), options_.settings.begin(),
                  options_.settings.end());
  std::ofstream file(data_directory() + "/postgresql.conf", std::ios::app);
  for (const auto& [name, value] : settings) {
    file << name << " = '"
         << absl::StrReplaceAll(value, {{"'", "''"}, {"\\", "\\\\"}}) << "'\n";
  }
  file.close();
  if (!file) return absl::InternalError("cannot write postgresql.conf");
  return absl::OkStatus();
}

absl::Status PgServer::WriteCertificate() const {
  if (!options_.tls) return absl::OkStatus();
  const std::string certificate = data_directory() + "/server.crt";
  const std::string key = data_directory() + "/server.key";
  std::ofstream(certificate) << kTestCertificate;
  std::ofstream(key) << kTestPrivateKey;
  // The server refuses a key that others can read.
  if (chmod(key.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", key));
  }
  RETURN_IF_ERROR(GiveTo(user_, certificate));
  return GiveTo(user_, key);
}

absl::Status PgServer::LaunchOnFreePort() {
  absl::Status status;
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    ASSIGN_OR_RETURN(port_, FreePort());
    status = Launch();
    if (!absl::IsAlreadyExists(status)) return status;
  }
  return status;
}

absl::Status PgServer::Launch() {
  const size_t log_start = Log().size();
  ASSIGN_OR_RETURN(
      ChildProcess postmaster,
      ChildProcess::Start(
          {.command = {options_.bin_dir + "/postgres", "-D", data_directory(),
                       "-p", absl::StrCat(port_)},
           .clean_environment = true,
           .directory = directory_.path(),
           .user = user_,
           .stdout_path = log_path(),
           .stderr_path = log_path()}));
  postmaster_ = std::move(postmaster);
  const bool settled =
      WaitUntil([this] { return postmaster_->Poll().has_value() || Ready(); });
  if (postmaster_->Poll().has_value()) {
    return WhyItEnded(Log().substr(log_start));
  }
  if (!settled) {
    return absl::DeadlineExceededError(
        absl::StrCat("the server does not get ready: ", Log()));
  }
  return absl::OkStatus();
}

// The postmaster reports its state in line 8 of its lock file, and its process
// id in line 1; another server on the same port cannot be mistaken for it.
bool PgServer::Ready() const {
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile(data_directory() + "/postmaster.pid"), '\n');
  return lines.size() > 7 && lines[0] == absl::StrCat(postmaster_pid()) &&
         absl::StartsWith(lines[7], "ready");
}

absl::Status PgServer::WhyItEnded(absl::string_view log) const {
  const std::string message =
      absl::StrCat("the server did not start on port ", port_, ": ", log);
  return absl::StrContains(log, "Address already in use")
             ? absl::AlreadyExistsError(message)
             : absl::FailedPreconditionError(message);
}

absl::Status PgServer::Stop(StopMode mode) {
  if (!postmaster_.has_value()) return absl::OkStatus();
  postmaster_->Signal(mode == StopMode::kFast ? SIGINT : SIGQUIT);
  RETURN_IF_ERROR(postmaster_->Wait(kTestPatience).status());
  postmaster_.reset();
  return absl::OkStatus();
}

absl::Status PgServer::Kill9() {
  if (!postmaster_.has_value()) {
    return absl::FailedPreconditionError("the server does not run");
  }
  // Stopped, it can neither start another child nor tell its children.
  postmaster_->Signal(SIGSTOP);
  const std::vector<pid_t> children = ChildrenOf(postmaster_->pid());
  for (const pid_t child : children) kill(child, SIGKILL);
  postmaster_->Signal(SIGKILL);
  RETURN_IF_ERROR(postmaster_->Wait(kTestPatience).status());
  postmaster_.reset();
  for (const pid_t child : children) {
    if (!WaitUntil([child] { return IsGone(child); })) {
      return absl::DeadlineExceededError(
          absl::StrCat("process ", child, " survives SIGKILL"));
    }
  }
  return absl::OkStatus();
}

absl::Status PgServer::Restart() {
  RETURN_IF_ERROR(Stop());
  return Launch();
}

std::string PgServer::ConnInfo(absl::string_view dbname) const {
  return Uri("postgres", options_.password, port_, dbname);
}

std::string PgServer::ConnInfoVia(int port, absl::string_view dbname) const {
  return Uri("postgres", options_.password, port, dbname);
}

std::string PgServer::ConnInfoAs(absl::string_view user,
                                 absl::string_view password,
                                 absl::string_view dbname) const {
  return Uri(user, password, port_, dbname);
}

std::string PgServer::Uri(absl::string_view user, absl::string_view password,
                          int port, absl::string_view dbname) const {
  return absl::StrCat("postgresql://", PercentEncoded(user),
                      password.empty() ? "" : ":", PercentEncoded(password),
                      "@127.0.0.1:", port, "/", PercentEncoded(dbname));
}

absl::Status PgServer::Exec(const std::string& sql,
                            absl::string_view dbname) const {
  return Query(sql, dbname).status();
}

absl::StatusOr<SqlRows> PgServer::Query(const std::string& sql,
                                        absl::string_view dbname) const {
  ASSIGN_OR_RETURN(SqlConnection connection,
                   SqlConnection::Open(ConnInfo(dbname)));
  return connection.Query(sql);
}

absl::StatusOr<std::string> PgServer::QueryValue(
    const std::string& sql, absl::string_view dbname) const {
  ASSIGN_OR_RETURN(SqlConnection connection,
                   SqlConnection::Open(ConnInfo(dbname)));
  return connection.QueryValue(sql);
}

pid_t PgServer::postmaster_pid() const {
  return postmaster_.has_value() ? postmaster_->pid() : -1;
}

std::string PgServer::Log() const { return ReadFile(log_path()); }

}  // namespace walferry
