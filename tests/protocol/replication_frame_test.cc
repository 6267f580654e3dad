#include "protocol/replication_frame.h"

#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

const std::string& XLogDataBytes() {
  static const std::string bytes =
      Wire('w').Int64(0x1'0000'0002).Int64(3).Int64(~uint64_t{3}).Bytes("B...");
  return bytes;
}

std::string KeepaliveBytes(char reply) {
  return Wire('k').Int64(0x1'0000'0002).Int64(5).Byte(reply);
}

TEST(DecodeFrame, ReadsXLogData) {
  const absl::StatusOr<Frame> frame = DecodeFrame(XLogDataBytes());
  ASSERT_TRUE(frame.ok()) << frame.status();
  const XLogData& data = std::get<XLogData>(*frame);
  EXPECT_EQ(data.data_start, Lsn(0x1'0000'0002));
  EXPECT_EQ(data.wal_end, Lsn(3));
  EXPECT_EQ(data.send_time, -4);
  EXPECT_EQ(data.payload, "B...");
  EXPECT_EQ(data.payload.data(), XLogDataBytes().data() + 25);
}

TEST(DecodeFrame, LeavesAnEmptyPayloadToTheMessageDecoder) {
  const std::string bytes = XLogDataBytes().substr(0, 25);
  const absl::StatusOr<Frame> frame = DecodeFrame(bytes);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(std::get<XLogData>(*frame).payload, "");
}

TEST(DecodeFrame, ReadsKeepalive) {
  for (const char reply : {'\0', '\1'}) {
    const std::string bytes = KeepaliveBytes(reply);
    const absl::StatusOr<Frame> frame = DecodeFrame(bytes);
    ASSERT_TRUE(frame.ok()) << frame.status();
    const Keepalive& keepalive = std::get<Keepalive>(*frame);
    EXPECT_EQ(keepalive.wal_end, Lsn(0x1'0000'0002));
    EXPECT_EQ(keepalive.send_time, 5);
    EXPECT_EQ(keepalive.reply_requested, reply == 1);
  }
}

TEST(DecodeFrame, SaysWhatIsWrongAndWhere) {
  struct Malformed {
    std::string bytes;
    std::string error;
  };
  const std::vector<Malformed> kMalformed = {
      {"", "empty replication frame"},
      {"x", "unknown replication frame type 'x' (0x78)"},
      {std::string(1, '\0'), "unknown replication frame type 0x00"},
      // What only clients send.
      {std::string(34, 'r'), "unknown replication frame type 'r' (0x72)"},
      {XLogDataBytes().substr(0, 24), "XLogData: malformed at offset 17 of 24"},
      {"w", "XLogData: malformed at offset 1 of 1"},
      {KeepaliveBytes(0).substr(0, 17),
       "Keepalive: malformed at offset 17 of 17"},
      {KeepaliveBytes(0) + "x", "Keepalive: trailing bytes at offset 18 of 19"},
      {KeepaliveBytes(2),
       "Keepalive: boolean other than 0 or 1 at offset 17 of 18"},
  };
  for (const Malformed& malformed : kMalformed) {
    const absl::Status status = DecodeFrame(malformed.bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(status.message(), malformed.error);
  }
}

TEST(DecodeFrame, RejectsEveryProperPrefixOfTheHeader) {
  for (const std::string& whole :
       {XLogDataBytes().substr(0, 25), KeepaliveBytes(1)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(DecodeFrame(whole.substr(0, size)).ok())
          << "type " << whole[0] << " cut to " << size << " bytes";
    }
  }
}

TEST(BuildStandbyStatus, WritesEveryField) {
  EXPECT_EQ(BuildStandbyStatus({.write = Lsn(0x3'0000'0001),
                                .flush = Lsn(2),
                                .apply = Lsn(3),
                                .client_time = -1,
                                .reply_requested = true}),
            Wire('r')
                .Int64(0x3'0000'0001)
                .Int64(2)
                .Int64(3)
                .Int64(~uint64_t{0})
                .Byte(1)
                .str());
  EXPECT_EQ(BuildStandbyStatus({}), "r" + std::string(33, '\0'));
}

}  // namespace
}  // namespace walferry
