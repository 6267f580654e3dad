#include "engine/connect/connect.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/backend_message.h"
#include "tests/testing/free_port.h"
#include "tests/testing/scripted_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::EndsWith;

Connector ConnectorTo(const std::string& conninfo) {
  return {.endpoints = {.source = conninfo, .target = conninfo, .name = "x"}};
}

TEST(Connector, AServerThatDoesNotAnswerAtFirstIsForAPerson) {
  ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  const Connector connector =
      ConnectorTo(absl::StrCat("host=127.0.0.1 user=u dbname=d port=", port));
  const absl::Status first =
      connector.OpenSource("test", Contact::kFirst).status();
  EXPECT_EQ(first.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(HintOf(first),
            "check that the server runs and can be reached there");
  const absl::Status later = connector.OpenSource("test").status();
  EXPECT_EQ(later.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(first.message(), later.message());
  EXPECT_THAT(std::string(first.message()), EndsWith("Connection refused"));
  EXPECT_EQ(connector.OpenTarget("test", Contact::kFirst).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Connector, AServerThatIsStartingIsWaitedForAlsoAtFirst) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start(
          {Script()
               .Greet(BackendMessages().ErrorResponse(
                   "57P03", "the database system is starting up", "FATAL"))
               .Close()}));
  EXPECT_EQ(ConnectorTo(server->ConnInfo())
                .OpenTarget("test", Contact::kFirst)
                .status()
                .code(),
            absl::StatusCode::kUnavailable);
  EXPECT_OK(server->Finish());
}

}  // namespace
}  // namespace walferry
