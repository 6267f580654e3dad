#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/replication_stream.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

constexpr int k13 = 130011;
constexpr int k14 = 140013;
constexpr int k15 = 150015;
constexpr int k16 = 160004;
constexpr int k17 = 170005;
constexpr int k18 = 180003;

ReplicationOptions Options() {
  return {.slot = "s", .publications = {"p"}, .start = Lsn(0x1'0000'00ab)};
}

TEST(BuildStartReplication, IsTheShortestForTheDefaults) {
  for (int version : {k13, k14, k15, k16, k17, k18}) {
    EXPECT_THAT(BuildStartReplication(Options(), version),
                IsOkAndHolds(std::string(
                    "START_REPLICATION SLOT \"s\" LOGICAL 1/AB (proto_version "
                    "'1', publication_names '\"p\"')")));
  }
}

TEST(BuildStartReplication, HasEveryOptionOfPostgres14) {
  ReplicationOptions options = Options();
  options.protocol_version = 2;
  options.streaming = Streaming::kOn;
  options.binary = true;
  options.messages = true;
  for (int version : {k14, k15, k16, k17, k18}) {
    EXPECT_THAT(
        BuildStartReplication(options, version),
        IsOkAndHolds(std::string(
            "START_REPLICATION SLOT \"s\" LOGICAL 1/AB (proto_version '2', "
            "publication_names '\"p\"', streaming 'on', binary 'true', "
            "messages 'true')")));
  }
}

TEST(BuildStartReplication, HasTwoPhaseSince15) {
  ReplicationOptions options = Options();
  options.protocol_version = 3;
  options.two_phase = true;
  for (int version : {k15, k16, k17, k18}) {
    EXPECT_THAT(
        BuildStartReplication(options, version),
        IsOkAndHolds(std::string(
            "START_REPLICATION SLOT \"s\" LOGICAL 1/AB (proto_version '3', "
            "publication_names '\"p\"', two_phase 'on')")));
  }
}

TEST(BuildStartReplication, HasParallelStreamsAndOriginSince16) {
  ReplicationOptions options = Options();
  options.protocol_version = 4;
  options.streaming = Streaming::kParallel;
  options.origin = "none";
  for (int version : {k16, k17, k18}) {
    EXPECT_THAT(
        BuildStartReplication(options, version),
        IsOkAndHolds(std::string(
            "START_REPLICATION SLOT \"s\" LOGICAL 1/AB (proto_version '4', "
            "publication_names '\"p\"', streaming 'parallel', origin "
            "'none')")));
  }
}

TEST(BuildStartReplication, QuotesNamesForTheReplicationGrammar) {
  ReplicationOptions options = Options();
  options.slot = "a\"b";
  options.publications = {"Pub", "it's", "back\\slash", "q\"q", "a,b"};
  options.start = Lsn();
  EXPECT_THAT(
      BuildStartReplication(options, k18),
      IsOkAndHolds(std::string(
          "START_REPLICATION SLOT \"a\"\"b\" LOGICAL 0/0 (proto_version '1', "
          "publication_names '\"Pub\",\"it''s\",\"back\\slash\",\"q\"\"q\","
          "\"a,b\"')")));
}

struct Refused {
  std::string name;
  int server_version;
  ReplicationOptions options;
  std::string error;
};

class RefusedStart : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedStart, SaysWhatIsNeeded) {
  EXPECT_THAT(
      BuildStartReplication(GetParam().options, GetParam().server_version),
      StatusIs(absl::StatusCode::kInvalidArgument, GetParam().error));
}

ReplicationOptions With(void (*change)(ReplicationOptions&)) {
  ReplicationOptions options = Options();
  change(options);
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Options, RefusedStart,
    ::testing::ValuesIn(std::vector<Refused>{
        {"NoSlot", k18, With([](auto& o) { o.slot = ""; }),
         "no replication slot given"},
        {"NoPublication", k18, With([](auto& o) { o.publications.clear(); }),
         "no publication given"},
        {"Protocol0", k18, With([](auto& o) { o.protocol_version = 0; }),
         "unknown pgoutput protocol version 0"},
        {"Protocol5", k18, With([](auto& o) { o.protocol_version = 5; }),
         "unknown pgoutput protocol version 5"},
        {"Protocol2On13", k13, With([](auto& o) { o.protocol_version = 2; }),
         "pgoutput protocol version 2 needs PostgreSQL 14, the server has "
         "13.11"},
        {"Protocol3On14", k14, With([](auto& o) { o.protocol_version = 3; }),
         "pgoutput protocol version 3 needs PostgreSQL 15, the server has "
         "14.13"},
        {"Protocol4On15", k15, With([](auto& o) { o.protocol_version = 4; }),
         "pgoutput protocol version 4 needs PostgreSQL 16, the server has "
         "15.15"},
        {"BinaryOn13", k13, With([](auto& o) { o.binary = true; }),
         "option binary needs PostgreSQL 14, the server has 13.11"},
        {"MessagesOn13", k13, With([](auto& o) { o.messages = true; }),
         "option messages needs PostgreSQL 14, the server has 13.11"},
        {"StreamingWithProtocol1", k18,
         With([](auto& o) { o.streaming = Streaming::kOn; }),
         "streaming 'on' needs pgoutput protocol version 2, not 1"},
        {"ParallelWithProtocol3", k18, With([](auto& o) {
           o.protocol_version = 3;
           o.streaming = Streaming::kParallel;
         }),
         "streaming 'parallel' needs pgoutput protocol version 4, not 3"},
        {"TwoPhaseWithProtocol2", k18, With([](auto& o) {
           o.protocol_version = 2;
           o.two_phase = true;
         }),
         "option two_phase needs pgoutput protocol version 3, not 2"},
        {"OriginOn15", k15, With([](auto& o) { o.origin = "any"; }),
         "option origin needs PostgreSQL 16, the server has 15.15"},
        {"UnknownOrigin", k18, With([](auto& o) { o.origin = "local"; }),
         "origin must be none or any, not local"},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace walferry
