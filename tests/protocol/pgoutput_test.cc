#include "protocol/pgoutput.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/testing/message_text.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

struct Sample {
  std::string name;
  std::string payload;
  std::string text;
  DecodeContext context = {};
};

constexpr DecodeContext kInStream = {.in_stream_block = true};
constexpr DecodeContext kParallel = {.parallel_streaming = true};

// Every kind of message, and every optional part of each.
std::vector<Sample> Samples() {
  const std::string row =
      Wire().Int16(4).Null().Text("x").Text("").Binary("\1");
  const std::string old = Wire().Int16(2).Text("k").Null();
  return {
      {"Begin", Wire('B').Int64(0x1'0000'0002).Int64(3).Int32(4),
       "Begin final_lsn=1/2 commit_time=3 xid=4"},
      {"Commit", Wire('C').Byte(0).Int64(1).Int64(2).Int64(~uint64_t{0}),
       "Commit commit_lsn=0/1 end_lsn=0/2 commit_time=-1"},
      {"Origin", Wire('O').Int64(0).String("node b"),
       "Origin lsn=0/0 name=node b"},
      {"Relation",
       Wire('R')
           .Int32(7)
           .String("s")
           .String("t")
           .Byte('d')
           .Int16(2)
           .Byte(1)
           .String("id")
           .Int32(23)
           .Int32(~0u)
           .Byte(0)
           .String("v")
           .Int32(1043)
           .Int32(14),
       "Relation id=7 name=s.t identity=d (*id:23:-1, v:1043:14)"},
      {"RelationOfPgCatalogWithoutColumns",
       Wire('R').Int32(7).String("").String("t").Byte('n').Int16(0),
       "Relation id=7 name=.t identity=n ()"},
      {"RelationFull",
       Wire('R').Int32(7).String("s").String("t").Byte('f').Int16(0),
       "Relation id=7 name=s.t identity=f ()"},
      {"RelationInStream",
       Wire('R').Int32(9).Int32(7).String("s").String("t").Byte('i').Int16(0),
       "Relation xid=9 id=7 name=s.t identity=i ()", kInStream},
      {"Type", Wire('Y').Int32(16516).String("s").String("mood"),
       "Type oid=16516 name=s.mood"},
      {"TypeInStream", Wire('Y').Int32(9).Int32(16516).String("").String("m"),
       "Type xid=9 oid=16516 name=.m", kInStream},
      {"Insert", Wire('I').Int32(7).Byte('N').Bytes(row),
       "Insert id=7 N(n, t'x', t'', b'01')"},
      {"InsertOfNoColumns", Wire('I').Int32(7).Byte('N').Int16(0),
       "Insert id=7 N()"},
      // A row filter that turns an update into an insert sends such rows.
      {"InsertWithUnchangedColumn",
       Wire('I').Int32(7).Byte('N').Int16(1).Unchanged(), "Insert id=7 N(u)"},
      {"InsertInStream", Wire('I').Int32(9).Int32(7).Byte('N').Bytes(row),
       "Insert xid=9 id=7 N(n, t'x', t'', b'01')", kInStream},
      {"Update", Wire('U').Int32(7).Byte('N').Bytes(row),
       "Update id=7 N(n, t'x', t'', b'01')"},
      {"UpdateWithKey",
       Wire('U')
           .Int32(7)
           .Byte('K')
           .Bytes(old)
           .Byte('N')
           .Int16(2)
           .Text("k2")
           .Unchanged(),
       "Update id=7 K(t'k', n) N(t'k2', u)"},
      {"UpdateWithOldRow",
       Wire('U')
           .Int32(7)
           .Byte('O')
           .Bytes(old)
           .Byte('N')
           .Int16(2)
           .Text("k2")
           .Unchanged(),
       "Update id=7 O(t'k', n) N(t'k2', u)"},
      {"UpdateInStream",
       Wire('U')
           .Int32(9)
           .Int32(7)
           .Byte('O')
           .Bytes(old)
           .Byte('N')
           .Int16(1)
           .Null(),
       "Update xid=9 id=7 O(t'k', n) N(n)", kInStream},
      {"DeleteByKey", Wire('D').Int32(7).Byte('K').Bytes(old),
       "Delete id=7 K(t'k', n)"},
      {"DeleteOfOldRow", Wire('D').Int32(7).Byte('O').Bytes(old),
       "Delete id=7 O(t'k', n)"},
      {"DeleteInStream", Wire('D').Int32(9).Int32(7).Byte('K').Bytes(old),
       "Delete xid=9 id=7 K(t'k', n)", kInStream},
      {"Truncate", Wire('T').Int32(2).Byte(0).Int32(7).Int32(0xffffffff),
       "Truncate ids=(7, 4294967295)"},
      {"TruncateCascade", Wire('T').Int32(1).Byte(1).Int32(7),
       "Truncate cascade ids=(7)"},
      {"TruncateRestartIdentity", Wire('T').Int32(1).Byte(2).Int32(7),
       "Truncate restart_identity ids=(7)"},
      {"TruncateInStream", Wire('T').Int32(9).Int32(1).Byte(3).Int32(7),
       "Truncate xid=9 cascade restart_identity ids=(7)", kInStream},
      {"Message",
       Wire('M').Byte(1).Int64(5).String("p").Counted(
           absl::string_view("a\0b", 3)),
       "LogicalMessage transactional lsn=0/5 prefix=p content='a\\000b'"},
      {"MessageOutsideTransaction",
       Wire('M').Byte(0).Int64(5).String("").Counted(""),
       "LogicalMessage lsn=0/5 prefix= content=''"},
      {"MessageInStream",
       Wire('M').Int32(9).Byte(1).Int64(5).String("p").Counted("x"),
       "LogicalMessage xid=9 transactional lsn=0/5 prefix=p content='x'",
       kInStream},
      {"StreamStart", Wire('S').Int32(9).Byte(1),
       "StreamStart xid=9 first_segment"},
      {"StreamStartOfLaterSegment", Wire('S').Int32(9).Byte(0),
       "StreamStart xid=9"},
      {"StreamStop", Wire('E'), "StreamStop", kInStream},
      {"StreamCommit", Wire('c').Int32(9).Byte(0).Int64(1).Int64(2).Int64(3),
       "StreamCommit xid=9 commit_lsn=0/1 end_lsn=0/2 commit_time=3"},
      {"StreamAbort", Wire('A').Int32(9).Int32(10),
       "StreamAbort xid=9 subxid=10 abort_lsn=0/0 abort_time=0"},
      {"StreamAbortParallel",
       Wire('A').Int32(9).Int32(10).Int64(0x2'0000'0001).Int64(4),
       "StreamAbort xid=9 subxid=10 abort_lsn=2/1 abort_time=4", kParallel},
      {"BeginPrepare",
       Wire('b').Int64(1).Int64(2).Int64(3).Int32(4).String("g"),
       "BeginPrepare prepare_lsn=0/1 end_lsn=0/2 prepare_time=3 xid=4 gid=g"},
      {"Prepare",
       Wire('P').Byte(0).Int64(1).Int64(2).Int64(3).Int32(4).String("g"),
       "Prepare prepare_lsn=0/1 end_lsn=0/2 prepare_time=3 xid=4 gid=g"},
      {"CommitPrepared",
       Wire('K').Byte(0).Int64(1).Int64(2).Int64(3).Int32(4).String(""),
       "CommitPrepared commit_lsn=0/1 end_lsn=0/2 commit_time=3 xid=4 gid="},
      {"RollbackPrepared",
       Wire('r').Byte(0).Int64(1).Int64(2).Int64(3).Int64(4).Int32(5).String(
           "g"),
       "RollbackPrepared prepare_end_lsn=0/1 rollback_end_lsn=0/2 "
       "prepare_time=3 rollback_time=4 xid=5 gid=g"},
      {"StreamPrepare",
       Wire('p').Byte(0).Int64(1).Int64(2).Int64(3).Int32(4).String("g"),
       "StreamPrepare prepare_lsn=0/1 end_lsn=0/2 prepare_time=3 xid=4 gid=g"},
  };
}

std::string NameOf(const ::testing::TestParamInfo<Sample>& test) {
  return test.param.name;
}

class DecodeSample : public ::testing::TestWithParam<Sample> {};

TEST_P(DecodeSample, GivesEveryField) {
  const absl::StatusOr<Message> message =
      DecodeMessage(GetParam().payload, GetParam().context);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(ToText(*message), GetParam().text);
}

TEST_P(DecodeSample, KnowsItsTypeAndName) {
  const char type = GetParam().payload[0];
  const absl::StatusOr<Message> message =
      DecodeMessage(GetParam().payload, GetParam().context);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(MessageType(*message), type);
  EXPECT_TRUE(absl::StartsWith(GetParam().text, MessageName(type)));
}

TEST_P(DecodeSample, RejectsEveryProperPrefix) {
  const std::string& whole = GetParam().payload;
  for (size_t size = 0; size < whole.size(); ++size) {
    // A copy of its own, so that a read behind the end is seen by sanitizers.
    const std::vector<char> cut(whole.begin(), whole.begin() + size);
    const absl::Status status =
        DecodeMessage(absl::string_view(cut.data(), size), GetParam().context)
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss)
        << "cut to " << size << " of " << whole.size() << " bytes";
  }
}

TEST_P(DecodeSample, RejectsTrailingByte) {
  const size_t size = GetParam().payload.size();
  const absl::Status status =
      DecodeMessage(GetParam().payload + '\0', GetParam().context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), absl::StrCat(MessageName(GetParam().payload[0]),
                                           ": trailing bytes at offset ", size,
                                           " of ", size + 1));
}

INSTANTIATE_TEST_SUITE_P(Message, DecodeSample, ::testing::ValuesIn(Samples()),
                         NameOf);

TEST(Samples, CoverEveryKind) {
  std::string types;
  for (const Sample& sample : Samples()) {
    if (!absl::StrContains(types, sample.payload.substr(0, 1))) {
      types.push_back(sample.payload[0]);
    }
  }
  EXPECT_EQ(types, "BCORYIUDTMSEcAbPKrp");
}

TEST(DecodeMessage, ViewsThePayload) {
  const std::string payload =
      Wire('I').Int32(7).Byte('N').Int16(1).Text("value");
  const absl::StatusOr<Message> message = DecodeMessage(payload);
  ASSERT_TRUE(message.ok()) << message.status();
  TupleView::Walker walk(std::get<Insert>(*message).row);
  EXPECT_EQ(walk.Next().value.data(), payload.data() + payload.size() - 5);
  EXPECT_TRUE(walk.done());
}

struct Captured {
  std::string hex;
  std::string text;
};

// What PostgreSQL 15.20 sent; the StreamAborts are from 18.6.
TEST(DecodeMessage, ReadsWhatServersSent) {
  const std::vector<Captured> kCaptured = {
      {"4200000000015efbd0000303bf5ca6349d000002df",
       "Begin final_lsn=0/15EFBD0 commit_time=848545358165149 xid=735"},
      {"590000408100696e743400", "Type oid=16513 name=.int4"},
      {"59000040847075626c6963006d6f6f6400", "Type oid=16516 name=public.mood"},
      {"520000408c7075626c69630074006400060169640000000017ffffffff0076000000001"
       "9ffffffff00640000004081ffffffff006d0000004084ffffffff0063000000408bffff"
       "ffff00730000000019ffffffff",
       "Relation id=16524 name=public.t identity=d (*id:23:-1, v:25:-1, "
       "d:16513:-1, m:16516:-1, c:16523:-1, s:25:-1)"},
      {"490000408c4e00067400000001317400000001787400000001357400000001617400000"
       "00528312c71296e",
       "Insert id=16524 N(t'1', t'x', t'5', t'a', t'(1,q)', n)"},
      {"430000000000015efbd000000000015efc00000303bf5ca6349d",
       "Commit commit_lsn=0/15EFBD0 end_lsn=0/15EFC00 "
       "commit_time=848545358165149"},
      {"550000408c4b00067400000001316e6e6e6e6e4e0006740000000132740000000179740"
       "000000135740000000161740000000528312c71296e",
       "Update id=16524 K(t'1', n, n, n, n, n) N(t'2', t'y', t'5', t'a', "
       "t'(1,q)', n)"},
      {"550000408c4e00067400000001327400000001777400000001357400000001617400000"
       "00528312c712975",
       "Update id=16524 N(t'2', t'w', t'5', t'a', t'(1,q)', u)"},
      {"440000408c4b00067400000001336e6e6e6e6e",
       "Delete id=16524 K(t'3', n, n, n, n, n)"},
      {"5400000002030000408c00004093",
       "Truncate cascade restart_identity ids=(16524, 16531)"},
      {"4d0100000000015f8e00706678000000000568656c6c6f",
       "LogicalMessage transactional lsn=0/15F8E00 prefix=pfx content='hello'"},
      {"4d0000000000015f8e4070667800000000036e6f77",
       "LogicalMessage lsn=0/15F8E40 prefix=pfx content='now'"},
      {"4f0000000000abcdef6e6f64655f6200", "Origin lsn=0/ABCDEF name=node_b"},
      {"6200000000015fa55800000000015fa650000303bf5dd3bd2e000002f1673100",
       "BeginPrepare prepare_lsn=0/15FA558 end_lsn=0/15FA650 "
       "prepare_time=848545377926446 xid=753 gid=g1"},
      {"500000000000015fa55800000000015fa650000303bf5dd3bd2e000002f1673100",
       "Prepare prepare_lsn=0/15FA558 end_lsn=0/15FA650 "
       "prepare_time=848545377926446 xid=753 gid=g1"},
      {"4b0000000000015fa65000000000015fa688000303bf5dd3bf08000002f1673100",
       "CommitPrepared commit_lsn=0/15FA650 end_lsn=0/15FA688 "
       "commit_time=848545377926920 xid=753 gid=g1"},
      {"720000000000015fa80000000000015fa838000303bf5de3d0f3000303bf5de3d474000"
       "002f267203200",
       "RollbackPrepared prepare_end_lsn=0/15FA800 rollback_end_lsn=0/15FA838 "
       "prepare_time=848545378980083 rollback_time=848545378980980 xid=754 "
       "gid=g 2"},
      {"41000002f6000002f700000000017e25f0000303bfd6a65fd0",
       "StreamAbort xid=758 subxid=759 abort_lsn=0/17E25F0 "
       "abort_time=848547404996560"},
      {"410000096f0000096f000000001ecd9b10000303bfe2077916",
       "StreamAbort xid=2415 subxid=2415 abort_lsn=0/1ECD9B10 "
       "abort_time=848547595909398"},
      {"49000041b34e00096200000004000000017400000013706f7374677265733d722f706f7"
       "3746772657362000000015c620000000c0002000000000002000113886200000002c3a9"
       "6200000009017b2261223a20317d6200000020000000010000000100000017000000020"
       "00000000000000400000001ffffffff6200000008000000000000009662000000040000"
       "41b3",
       "Insert id=16819 N(b'00000001', t'postgres=r/postgres', b'5c', "
       "b'000200000000000200011388', b'c3a9', b'017b2261223a20317d', "
       "b'00000001000000010000001700000002000000000000000400000001ffffffff', "
       "b'0000000000000096', b'000041b3')"},
  };
  for (const Captured& captured : kCaptured) {
    const std::string payload = absl::HexStringToBytes(captured.hex);
    const absl::StatusOr<Message> message =
        DecodeMessage(payload, {.parallel_streaming = payload[0] == 'A'});
    ASSERT_TRUE(message.ok()) << captured.hex << ": " << message.status();
    EXPECT_EQ(ToText(*message), captured.text);
  }
}

TEST(MessageName, IsEmptyForUnknownTypes) {
  EXPECT_EQ(MessageName('?'), "");
  EXPECT_EQ(MessageName('\0'), "");
}

}  // namespace
}  // namespace walferry
