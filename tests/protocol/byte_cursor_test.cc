#include "protocol/byte_cursor.h"

#include <string>

#include "gtest/gtest.h"
#include "protocol/byte_writer.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

TEST(ByteCursor, ReadsBigEndian) {
  const std::string bytes(
      "\x01\x02\x03\x04\x05\x06\x07\x08"
      "\x09\x0a\x0b\x0c\x0d\x0e\x0f");
  ByteCursor in(bytes);
  EXPECT_EQ(in.ReadUint64(), 0x0102030405060708u);
  EXPECT_EQ(in.ReadUint32(), 0x090a0b0cu);
  EXPECT_EQ(in.ReadUint16(), 0x0d0eu);
  EXPECT_EQ(in.ReadUint8(), 0x0fu);
  EXPECT_TRUE(in.finished());
  EXPECT_EQ(in.Finish("X"), absl::OkStatus());
}

TEST(ByteCursor, ReadsNegativeNumbers) {
  const std::string bytes = Wire().Int64(~uint64_t{0}).Int32(~1u).Int16(0xfffd);
  ByteCursor in(bytes);
  EXPECT_EQ(in.ReadInt64(), -1);
  EXPECT_EQ(in.ReadInt32(), -2);
  EXPECT_EQ(in.ReadInt16(), -3);
  EXPECT_TRUE(in.finished());
}

TEST(ByteCursor, ReadsBooleansStrictly) {
  ByteCursor in(absl::string_view("\0\1\2", 3));
  EXPECT_FALSE(in.ReadBool());
  EXPECT_TRUE(in.ReadBool());
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.ReadBool());
  EXPECT_EQ(in.Finish("X").message(),
            "X: boolean other than 0 or 1 at offset 2 of 3");
}

TEST(ByteCursor, ReadsStringsUpToTheirNul) {
  ByteCursor in(absl::string_view("ab\0\0c", 5));
  EXPECT_EQ(in.ReadCString(), "ab");
  EXPECT_EQ(in.ReadCString(), "");
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.ReadCString(), "");
  EXPECT_EQ(in.Finish("X").message(), "X: malformed at offset 4 of 5");
}

TEST(ByteCursor, ReadsNothingAfterAFailure) {
  ByteCursor in("abc");
  EXPECT_EQ(in.ReadUint32(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.ReadUint8(), 0);
  EXPECT_EQ(in.ReadBytes(1), "");
  EXPECT_EQ(in.ReadBytes(0), "");
  EXPECT_EQ(in.rest(), "abc");
  EXPECT_EQ(in.Finish("X").message(), "X: malformed at offset 0 of 3");
}

TEST(ByteCursor, KeepsTheFirstFault) {
  ByteCursor in("abc");
  in.ReadUint16();
  in.Fail("first", 1);
  in.Fail("second", 0);
  EXPECT_EQ(in.Finish("X").message(), "X: first at offset 1 of 3");
}

TEST(ByteCursor, RefusesLeftovers) {
  ByteCursor in("abc");
  in.ReadUint8();
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.finished());
  const absl::Status status = in.Finish("X");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "X: trailing bytes at offset 1 of 3");
}

TEST(ByteCursor, CountsOffsetsFromTheStartOfTheWhole) {
  ByteCursor in("bc", 10);
  in.ReadUint8();
  EXPECT_EQ(in.Finish("X").message(), "X: trailing bytes at offset 9 of 10");
}

TEST(AppendBigEndian, WritesMostSignificantByteFirst) {
  std::string out;
  AppendBigEndian(uint8_t{1}, &out);
  AppendBigEndian(uint16_t{0x0203}, &out);
  AppendBigEndian(uint32_t{0x04050607}, &out);
  AppendBigEndian(uint64_t{0x08090a0b0c0d0e0f}, &out);
  EXPECT_EQ(out,
            "\x01\x02\x03\x04\x05\x06\x07\x08"
            "\x09\x0a\x0b\x0c\x0d\x0e\x0f");
}

}  // namespace
}  // namespace walferry
