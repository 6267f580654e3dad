#include "protocol/lsn.h"

#include <string>

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(Lsn, IsPrintedAsServersPrintIt) {
  EXPECT_EQ(Lsn().ToString(), "0/0");
  EXPECT_EQ(Lsn(0x15efbd0).ToString(), "0/15EFBD0");
  EXPECT_EQ(Lsn(0x1'0000'0002).ToString(), "1/2");
  EXPECT_EQ(Lsn(~uint64_t{0}).ToString(), "FFFFFFFF/FFFFFFFF");
}

TEST(Lsn, ParseReadsBothHalves) {
  EXPECT_EQ(*Lsn::Parse("0/0"), Lsn());
  EXPECT_EQ(*Lsn::Parse("0/15EFBD0"), Lsn(0x15efbd0));
  EXPECT_EQ(*Lsn::Parse("a/bcdef019"), Lsn(0xa'bcde'f019));
  EXPECT_EQ(*Lsn::Parse("16/B374D848"), Lsn(0x16'b374'd848));
  EXPECT_EQ(*Lsn::Parse("00000001/00000002"), Lsn(0x1'0000'0002));
  EXPECT_EQ(*Lsn::Parse("FFFFFFFF/FFFFFFFF"), Lsn(~uint64_t{0}));
}

TEST(Lsn, ParseInvertsToString) {
  for (uint64_t value = 1; value != 0; value <<= 1) {
    EXPECT_EQ(*Lsn::Parse(Lsn(value).ToString()), Lsn(value));
    EXPECT_EQ(*Lsn::Parse(Lsn(value - 1).ToString()), Lsn(value - 1));
  }
}

TEST(Lsn, ParseRefusesEverythingElse) {
  for (const char* text :
       {"",     "/",    "0",           "0/",          "/0",   "0/0/0",
        " 0/0", "0/0 ", "0 /0",        "-1/0",        "+1/0", "0x1/0",
        "g/0",  "0/G",  "123456789/0", "0/123456789", "0\\0", "0/0\n",
        "0//0", "1/:",  "1/@",         "1/`"}) {
    const absl::Status status = Lsn::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(Lsn::Parse("0/x\n").status().message(), "invalid LSN \"0/x\\n\"");
  EXPECT_EQ(Lsn::Parse(absl::string_view("0/0\0", 4)).status().message(),
            "invalid LSN \"0/0\\x00\"");
}

TEST(Lsn, IsOrderedByPosition) {
  EXPECT_LT(Lsn(0xffffffff), Lsn(0x1'0000'0000));
  EXPECT_FALSE(Lsn().valid());
  EXPECT_TRUE(Lsn(1).valid());
  EXPECT_EQ(BytesBetween(Lsn(1), Lsn(0x1'0000'0000)), 0xffffffff);
  EXPECT_EQ(BytesBetween(Lsn(2), Lsn(2)), 0);
  EXPECT_EQ(BytesBetween(Lsn(2), Lsn(1)), 0);
}

}  // namespace
}  // namespace walferry
