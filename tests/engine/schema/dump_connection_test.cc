#include "engine/schema/dump_connection.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

TEST(ConnectionForDump, NoticesADeadLinkUnlessTheOperatorWantsOtherwise) {
  ASSERT_OK_AND_ASSIGN(
      const DumpConnection connection,
      ConnectionForDump("host=h user=u dbname=d keepalives_idle=7",
                        absl::Milliseconds(2500)));
  EXPECT_THAT(connection.conninfo,
              StartsWith("keepalives_idle=30 keepalives_interval=10 "
                         "keepalives_count=3 connect_timeout=3 "));
  EXPECT_THAT(connection.conninfo, HasSubstr(" keepalives_idle='7'"));
  EXPECT_THAT(connection.environment, IsEmpty());
  EXPECT_EQ(connection.input, "");
}

TEST(ConnectionForDump, HandsSecretsOnUnseen) {
  ASSERT_OK_AND_ASSIGN(
      const DumpConnection connection,
      ConnectionForDump("host=h user=u dbname=d password=one sslpassword=two",
                        absl::Seconds(1)));
  EXPECT_THAT(connection.conninfo, EndsWith(" service=walferry"));
  EXPECT_THAT(connection.conninfo, Not(HasSubstr("two")));
  EXPECT_THAT(connection.environment,
              UnorderedElementsAre(Pair("PGPASSWORD", "one"),
                                   Pair("PGSERVICEFILE", "/dev/stdin")));
  EXPECT_EQ(connection.input, "[walferry]\nsslpassword=two\n");
}

TEST(ConnectionForDump, RefusesASecretThatAServiceFileCannotHold) {
  const absl::Status status =
      ConnectionForDump("host=h user=u dbname=d sslpassword='two '",
                        absl::Seconds(1))
          .status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "the source's sslpassword cannot be handed on to "
                       "pg_dump"));
  EXPECT_EQ(HintOf(status),
            "it must be one line of at most 900 bytes without a space at its "
            "end");
}

}  // namespace
}  // namespace walferry
