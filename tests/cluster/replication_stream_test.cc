#include "protocol/replication_stream.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "protocol/pgoutput.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr absl::Duration kEnough = absl::Seconds(30);

// A server with a table, a publication and a slot behind it.
class ReplicationStreamTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    ASSERT_OK(server_->Exec("CREATE TABLE t (id int PRIMARY KEY, v text)"));
    ASSERT_OK(server_->Exec("CREATE PUBLICATION \"Pub\" FOR TABLE t"));
    ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
    ASSERT_OK(CreateSlot(connection, {.slot = "s", .export_snapshot = false}));
  }

  absl::StatusOr<PgConnection> Connect(
      const Interrupt* interrupt = nullptr,
      absl::Duration wal_sender_timeout = absl::Seconds(60)) {
    return PgConnection::Open(
        {.conninfo = server_->ConnInfo(),
         .replication = true,
         .client_encoding = "UTF8",
         .settings = {{"wal_sender_timeout",
                       absl::StrCat(
                           absl::ToInt64Milliseconds(wal_sender_timeout),
                           "ms")}},
         .interrupt = interrupt});
  }

  absl::StatusOr<std::unique_ptr<ReplicationStream>> StartStream(
      ReplicationOptions options = {}, const Interrupt* interrupt = nullptr) {
    options.slot = "s";
    options.publications = {"Pub"};
    ASSIGN_OR_RETURN(PgConnection connection, Connect(interrupt));
    return ReplicationStream::Start(std::move(connection), options);
  }

  std::unique_ptr<PgServer> server_;
};

// The type bytes of the next `count` pgoutput messages.
std::string NextTypes(ReplicationStream& stream, size_t count) {
  std::string types;
  const absl::Time deadline = absl::Now() + kEnough;
  while (types.size() < count && absl::Now() < deadline) {
    auto bytes = stream.Next(deadline);
    if (!bytes.ok()) return std::string(bytes.status().message());
    if (!bytes->has_value()) break;
    absl::StatusOr<Frame> frame = DecodeFrame(**bytes);
    if (!frame.ok()) return std::string(frame.status().message());
    if (const auto* data = std::get_if<XLogData>(&*frame)) {
      types += data->payload.substr(0, 1).data()[0];
    }
  }
  return types;
}

TEST_P(ReplicationStreamTest, DeliversWhatIsCommitted) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1, 'x')"));
  EXPECT_EQ(NextTypes(*stream, 4), "BRIC");
  ASSERT_OK(server_->Exec("UPDATE t SET v = 'y'; DELETE FROM t"));
  EXPECT_EQ(NextTypes(*stream, 4), "BUDC");
}

INSTANTIATE_TEST_SUITE_P(Servers, ReplicationStreamTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
