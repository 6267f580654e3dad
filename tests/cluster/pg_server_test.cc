#include "tests/testing/pg_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/read_file.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/socket.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string DataDirectory(const PgServer& server) {
  return server.QueryValue("SHOW data_directory").value_or("");
}

// Also a zombie, which init may bury late, has no command line.
bool HasEnded(pid_t pid) {
  std::ifstream command_line(absl::StrCat("/proc/", pid, "/cmdline"));
  return command_line.peek() == std::ifstream::traits_type::eof();
}

class PgServerOfEachVersion : public testing::TestWithParam<std::string> {};

TEST_P(PgServerOfEachVersion, IsReadyForLogicalReplication) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       PgServer::Start({.bin_dir = GetParam()}));
  ASSERT_OK_AND_ASSIGN(const int major, ServerMajorVersion(GetParam()));
  EXPECT_EQ(server->major_version(), major);
  EXPECT_THAT(server->QueryValue("SHOW server_version"),
              IsOkAndHolds(StartsWith(absl::StrCat(major))));
  EXPECT_THAT(server->QueryValue("SHOW wal_level"), IsOkAndHolds("logical"));
  EXPECT_THAT(server->QueryValue("SHOW max_wal_senders"), IsOkAndHolds("20"));
  EXPECT_THAT(server->QueryValue("SHOW max_replication_slots"),
              IsOkAndHolds("20"));
  EXPECT_THAT(server->QueryValue("SHOW server_encoding"), IsOkAndHolds("UTF8"));
  EXPECT_OK(
      server->Exec("SELECT pg_create_logical_replication_slot"
                   "('s', 'pgoutput')"));
}

TEST_P(PgServerOfEachVersion, KeepsCommittedRowsWhenItIsKilled) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       PgServer::Start({.bin_dir = GetParam()}));
  const int port = server->port();
  ASSERT_OK(server->Exec("CREATE TABLE t (i int); INSERT INTO t VALUES (7)"));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  ASSERT_OK(server->Kill9());
  EXPECT_FALSE(connection.Exec("SELECT 1").ok());
  EXPECT_THAT(server->Exec("SELECT 1"),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("Connection refused")));
  ASSERT_OK(server->Restart());
  EXPECT_EQ(server->port(), port);
  EXPECT_THAT(server->QueryValue("SELECT i FROM t"), IsOkAndHolds("7"));
  EXPECT_THAT(server->Log(), HasSubstr("automatic recovery in progress"));
}

INSTANTIATE_TEST_SUITE_P(Servers, PgServerOfEachVersion,
                         testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST(PgServer, TakesSettingsAndInitdbArguments) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      PgServer::Start(
          {.settings = {{"wal_level", "replica"},
                        {"walferry.quoted", "it's \\ here"}},
           .initdb_arguments = {"--locale=C", "--encoding=LATIN1"}}));
  EXPECT_THAT(server->QueryValue("SHOW wal_level"), IsOkAndHolds("replica"));
  EXPECT_THAT(server->QueryValue("SHOW walferry.quoted"),
              IsOkAndHolds("it's \\ here"));
  EXPECT_THAT(server->QueryValue("SHOW server_encoding"),
              IsOkAndHolds("LATIN1"));
}

TEST(PgServer, AsksForThePasswordThatItWasGiven) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       PgServer::Start({.password = "p@ss:/ %"}));
  EXPECT_OK(server->Exec("CREATE ROLE app LOGIN PASSWORD 'other'"));
  for (const char* user : {"postgres", "app"}) {
    EXPECT_THAT(SqlConnection::Open(server->ConnInfoAs(user, "wrong")),
                StatusIs(absl::StatusCode::kUnavailable,
                         HasSubstr("password authentication failed")));
  }
  EXPECT_OK(SqlConnection::Open(server->ConnInfoAs("app", "other")));
}

TEST(PgServer, TellsWhyItDidNotStart) {
  EXPECT_THAT(PgServer::Start({.settings = {{"wal_level", "wrong"}}}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("invalid value for parameter \"wal_level\"")));
  EXPECT_THAT(
      PgServer::Start({.initdb_arguments = {"--encoding=klingon"}}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("klingon")));
  EXPECT_THAT(
      PgServer::Start({.bin_dir = "/nowhere"}),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/postgres")));
}

TEST(PgServer, DoesNotMistakeAnotherServerOnItsPortForItself) {
  ASSERT_OK_AND_ASSIGN(const auto server, PgServer::Start());
  ASSERT_OK(server->Stop());
  auto intruder = ListenOnPort(server->port());
  ASSERT_OK(intruder);
  EXPECT_THAT(server->Restart(), StatusIs(absl::StatusCode::kAlreadyExists,
                                          HasSubstr("Address already in use")));
  *intruder = Socket();
  EXPECT_OK(server->Restart());
}

TEST(PgServer, IsNotACopyOfAnother) {
  ASSERT_OK_AND_ASSIGN(const auto one, PgServer::Start());
  ASSERT_OK_AND_ASSIGN(const auto other, PgServer::Start());
  const std::string sql = "SELECT system_identifier FROM pg_control_system()";
  ASSERT_OK_AND_ASSIGN(const std::string identifier, one->QueryValue(sql));
  ASSERT_OK_AND_ASSIGN(const std::string another, other->QueryValue(sql));
  EXPECT_NE(identifier, another);
}

TEST(PgServer, LeavesNothingBehind) {
  ASSERT_OK_AND_ASSIGN(auto server, PgServer::Start());
  const std::string data = DataDirectory(*server);
  const pid_t pid = server->postmaster_pid();
  ASSERT_TRUE(std::filesystem::exists(data));
  server.reset();
  EXPECT_TRUE(HasEnded(pid));
  EXPECT_FALSE(
      std::filesystem::exists(std::filesystem::path(data).parent_path()));
}

// Nor does the search for its processes end with one that has just gone.
TEST(PgServer, IsNotLostWithAFileThatCannotBeRead) {
  EXPECT_EQ(ReadFile("/proc/self/mem"), "");
}

TEST(PgServer, LeavesNoSharedMemoryBehindWhenItWasKilled) {
  ASSERT_OK_AND_ASSIGN(auto server, PgServer::Start());
  std::ifstream lock_file(DataDirectory(*server) + "/postmaster.pid");
  std::string line;
  for (int number = 1; number <= 7; ++number) std::getline(lock_file, line);
  int64_t key = 0;
  int id = -1;
  ASSERT_TRUE(std::istringstream(line) >> key >> id) << line;
  ASSERT_OK(server->Kill9());
  shmid_ds segment{};
  ASSERT_EQ(shmctl(id, IPC_STAT, &segment), 0);
  server.reset();
  EXPECT_NE(shmctl(id, IPC_STAT, &segment), 0);
}

// A process with a server, killed in the middle of its work.
TEST(PgServer, LeavesNothingBehindWhenTheTestIsKilled) {
  int report[2];
  ASSERT_EQ(pipe2(report, O_CLOEXEC), 0);
  const pid_t test = fork();
  if (test == 0) {
    const auto server = PgServer::Start();
    const std::string line = server.ok()
                                 ? absl::StrCat((*server)->postmaster_pid(),
                                                " ", DataDirectory(**server))
                                 : server.status().ToString();
    if (write(report[1], line.data(), line.size()) > 0) pause();
    _exit(1);
  }
  std::string line(4096, '\0');
  const ssize_t size = read(report[0], line.data(), line.size());
  kill(test, SIGKILL);
  waitpid(test, nullptr, 0);
  close(report[0]);
  close(report[1]);
  ASSERT_GT(size, 0);
  line.resize(static_cast<size_t>(size));

  pid_t postmaster = 0;
  ASSERT_TRUE(absl::SimpleAtoi(line.substr(0, line.find(' ')), &postmaster))
      << line;
  const std::filesystem::path data = line.substr(line.find(' ') + 1);
  EXPECT_TRUE(WaitUntil([&] { return HasEnded(postmaster); }));
  EXPECT_TRUE(
      WaitUntil([&] { return !std::filesystem::exists(data.parent_path()); }));
}

}  // namespace
}  // namespace walferry
