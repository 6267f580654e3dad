#include "protocol/server_message.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Optional;

std::string Bytes(char type, absl::string_view body) {
  std::string bytes(1, type);
  const size_t size = body.size() + 4;
  for (const int shift : {24, 16, 8, 0}) {
    bytes.push_back(static_cast<char>(size >> shift));
  }
  bytes.append(body.data(), body.size());
  return bytes;
}

TEST(ServerMessageTest, IsTakenFromTheFront) {
  const std::string bytes = Bytes('d', "frame") + Bytes('N', "");
  ASSERT_THAT(ServerMessageSize(bytes), IsOkAndHolds(Optional(10)));
  const ServerMessage message = FrontServerMessage(bytes);
  EXPECT_EQ(message.type, 'd');
  EXPECT_EQ(message.body, "frame");
  EXPECT_THAT(ServerMessageSize(absl::string_view(bytes).substr(10)),
              IsOkAndHolds(Optional(5)));
}

TEST(ServerMessageTest, ItsSizeIsKnownOnceItsHeaderIsThere) {
  const std::string bytes = Bytes('d', std::string(1000, 'x'));
  for (size_t size = 0; size < 5; ++size) {
    EXPECT_THAT(ServerMessageSize(absl::string_view(bytes).substr(0, size)),
                IsOkAndHolds(std::nullopt))
        << size;
  }
  EXPECT_THAT(ServerMessageSize(absl::string_view(bytes).substr(0, 5)),
              IsOkAndHolds(Optional(1005)));
}

TEST(ServerMessageTest, RefusesWhatNoServerSends) {
  EXPECT_THAT(ServerMessageSize(Bytes('y', "")),
              StatusIs(absl::StatusCode::kDataLoss,
                       "lost synchronization with server: got message type "
                       "\"y\", length 4"));
  EXPECT_EQ(
      ServerMessageSize(absl::string_view("d\0\0\0\3", 5)).status().code(),
      absl::StatusCode::kDataLoss);
  EXPECT_EQ(
      ServerMessageSize(absl::string_view("d\x80\0\0\0", 5)).status().code(),
      absl::StatusCode::kDataLoss);
}

TEST(ServerNoticeTest, ItsFieldsMayComeInAnyOrder) {
  // The literal's own NUL ends the message.
  constexpr char kBody[] =
      "MText\0SERROR\0VERROR\0C55000\0DMore\0HDo\0WWhere\0";
  const absl::string_view body(kBody, sizeof(kBody));
  ASSERT_OK_AND_ASSIGN(const ServerNotice notice, DecodeServerNotice(body));
  EXPECT_EQ(notice.severity, "ERROR");
  EXPECT_EQ(notice.sqlstate, "55000");
  EXPECT_EQ(notice.primary, "Text");
  EXPECT_EQ(notice.detail, "More");
  EXPECT_EQ(notice.hint, "Do");
  EXPECT_EQ(notice.context, "Where");
}

TEST(ServerNoticeTest, MustEndWithANul) {
  for (const absl::string_view body :
       {absl::string_view(""), absl::string_view("MText"),
        absl::string_view("MText\0", 6), absl::string_view("\0x", 2)}) {
    EXPECT_EQ(DecodeServerNotice(body).status().code(),
              absl::StatusCode::kDataLoss)
        << body.size();
  }
}

}  // namespace
}  // namespace walferry
