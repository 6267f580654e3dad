#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "protocol/pgoutput.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

struct Malformed {
  std::string name;
  std::string payload;
  std::string error;  // In full: this is what an operator will read.
  DecodeContext context = {};
};

constexpr DecodeContext kInStream = {.in_stream_block = true};
constexpr DecodeContext kParallel = {.parallel_streaming = true};

// An Insert whose only row follows.
Wire InsertOf(uint16_t columns) {
  return Wire('I').Int32(7).Byte('N').Int16(columns);
}

std::vector<Malformed> MalformedRows() {
  return {
      {"RowTagMissing", Wire('I').Int32(7),
       "Insert: malformed at offset 5 of 5"},
      {"RowTagOfOldRow", Wire('I').Int32(7).Byte('K').Int16(0),
       "Insert: no new row at offset 5 of 8"},
      {"ColumnsMissing", InsertOf(0xffff),
       "Insert: malformed at offset 8 of 8"},
      {"ColumnKindUnknown", InsertOf(2).Null().Byte('x'),
       "Insert: unknown column kind at offset 9 of 10"},
      {"ColumnLengthCut", InsertOf(1).Byte('t').Int16(0),
       "Insert: malformed at offset 9 of 11"},
      {"ColumnLongerThanMessage", InsertOf(1).Byte('t').Int32(1),
       "Insert: malformed at offset 13 of 13"},
      {"ColumnLengthOfMinusOne", InsertOf(1).Byte('b').Int32(~0u),
       "Insert: malformed at offset 13 of 13"},
      {"ColumnLengthThatWrapsAround",
       InsertOf(2).Byte('t').Int32(0x7fffffff).Null(),
       "Insert: malformed at offset 13 of 14"},
      {"OneColumnTooMany", InsertOf(1).Null().Null(),
       "Insert: trailing bytes at offset 9 of 10"},
      {"OldRowWithoutNewRow", Wire('U').Int32(7).Byte('K').Int16(1).Null(),
       "Update: malformed at offset 9 of 9"},
      {"TwoOldRows", Wire('U').Int32(7).Byte('K').Int16(0).Byte('O').Int16(0),
       "Update: no new row at offset 8 of 11"},
      {"UnchangedColumnInKey",
       Wire('U').Int32(7).Byte('K').Int16(1).Unchanged().Byte('N').Int16(0),
       "Update: unchanged column in an old row at offset 8 of 12"},
      {"UnchangedColumnInOldRow",
       Wire('D').Int32(7).Byte('O').Int16(2).Null().Unchanged(),
       "Delete: unchanged column in an old row at offset 9 of 10"},
      {"DeleteOfNewRow", Wire('D').Int32(7).Byte('N').Int16(0),
       "Delete: no old row at offset 5 of 8"},
      {"XidInPlainInsert",
       Wire('I').Int32(9).Int32(7).Byte('N').Int16(1).Null(),
       "Insert: no new row at offset 5 of 13"},
      {"NoXidInStreamedInsert", InsertOf(1).Null(),
       "Insert: malformed at offset 9 of 9", kInStream},
  };
}

std::vector<Malformed> MalformedTransactions() {
  return {
      {"BeginAtNoPosition", Wire('B').Int64(0).Int64(3).Int32(4),
       "Begin: LSN 0/0 at offset 1 of 21"},
      {"CommitFlags", Wire('C').Byte(1).Int64(1).Int64(2).Int64(3),
       "Commit: unknown flags at offset 1 of 26"},
      {"CommitWithoutEnd", Wire('C').Byte(0).Int64(1).Int64(0).Int64(3),
       "Commit: LSN 0/0 at offset 10 of 26"},
      {"OriginNameWithoutEnd", Wire('O').Int64(1).Bytes("node"),
       "Origin: malformed at offset 9 of 13"},
      {"FirstSegmentOfTwo", Wire('S').Int32(9).Byte(2),
       "StreamStart: boolean other than 0 or 1 at offset 5 of 6"},
      {"StreamStopWithXid", Wire('E').Int32(9),
       "StreamStop: trailing bytes at offset 1 of 5"},
      {"StreamCommitFlags",
       Wire('c').Int32(9).Byte('\x80').Int64(1).Int64(2).Int64(3),
       "StreamCommit: unknown flags at offset 5 of 30"},
      {"LongAbortWithoutParallel",
       Wire('A').Int32(9).Int32(10).Int64(1).Int64(4),
       "StreamAbort: trailing bytes at offset 9 of 25"},
      {"ShortAbortWithParallel", Wire('A').Int32(9).Int32(10),
       "StreamAbort: malformed at offset 9 of 9", kParallel},
      {"BeginPrepareWithoutEnd",
       Wire('b').Int64(1).Int64(0).Int64(3).Int32(4).String("g"),
       "BeginPrepare: LSN 0/0 at offset 9 of 31"},
      {"PrepareFlags",
       Wire('P').Byte(1).Int64(1).Int64(2).Int64(3).Int32(4).String("g"),
       "Prepare: unknown flags at offset 1 of 32"},
      {"CommitPreparedFlags",
       Wire('K').Byte(1).Int64(1).Int64(2).Int64(3).Int32(4).String("g"),
       "CommitPrepared: unknown flags at offset 1 of 32"},
      {"RollbackPreparedFlags",
       Wire('r').Byte(1).Int64(1).Int64(2).Int64(3).Int64(4).Int32(5).String(
           "g"),
       "RollbackPrepared: unknown flags at offset 1 of 40"},
      {"StreamPrepareFlags",
       Wire('p').Byte(1).Int64(1).Int64(2).Int64(3).Int32(4).String("g"),
       "StreamPrepare: unknown flags at offset 1 of 32"},
  };
}

std::vector<Malformed> MalformedOthers() {
  const std::string relation = Wire('R').Int32(7).String("s").String("t");
  return {
      {"Empty", "", "empty message"},
      {"UnknownType", "?", "unknown message type '?' (0x3f)"},
      {"InvisibleType", std::string(1, '\0'), "unknown message type 0x00"},
      {"TypeBeyondAscii", "\xc3", "unknown message type 0xc3"},
      {"ReplicaIdentityUnknown", Wire().Bytes(relation).Byte('x').Int16(0),
       "Relation: unknown replica identity at offset 9 of 12"},
      {"ColumnFlagsUnknown",
       Wire()
           .Bytes(relation)
           .Byte('d')
           .Int16(1)
           .Byte(2)
           .String("id")
           .Int32(23)
           .Int32(~0u),
       "Relation: unknown flags at offset 12 of 24"},
      {"RelationColumnsMissing",
       Wire()
           .Bytes(relation)
           .Byte('d')
           .Int16(0xffff)
           .Byte(0)
           .String("id")
           .Int32(23)
           .Int32(~0u),
       "Relation: malformed at offset 24 of 24"},
      {"SchemaWithoutEnd", Wire('Y').Int32(16516).Bytes("public"),
       "Type: malformed at offset 5 of 11"},
      {"TruncateFlags", Wire('T').Int32(1).Byte(4).Int32(7),
       "Truncate: unknown flags at offset 5 of 10"},
      {"RelationsMissing", Wire('T').Int32(2).Byte(0).Int32(7),
       "Truncate: malformed at offset 6 of 10"},
      {"RelationCountThatWrapsAround",
       Wire('T').Int32(0x40000001).Byte(0).Int32(7),
       "Truncate: malformed at offset 6 of 10"},
      {"OneRelationTooMany", Wire('T').Int32(1).Byte(0).Int32(7).Int32(8),
       "Truncate: trailing bytes at offset 10 of 14"},
      {"MessageFlags", Wire('M').Byte(3).Int64(5).String("p").Counted("x"),
       "LogicalMessage: unknown flags at offset 1 of 17"},
      {"MessageLongerThanPayload",
       Wire('M').Byte(1).Int64(5).String("p").Int32(2).Bytes("x"),
       "LogicalMessage: malformed at offset 16 of 17"},
      {"MessageOfNegativeLength",
       Wire('M').Byte(1).Int64(5).String("p").Int32(0x80000000).Bytes("x"),
       "LogicalMessage: malformed at offset 16 of 17"},
  };
}

class DecodeMalformed : public ::testing::TestWithParam<Malformed> {};

TEST_P(DecodeMalformed, SaysWhatIsWrongAndWhere) {
  const absl::Status status =
      DecodeMessage(GetParam().payload, GetParam().context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), GetParam().error);
}

std::string NameOf(const ::testing::TestParamInfo<Malformed>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(Row, DecodeMalformed,
                         ::testing::ValuesIn(MalformedRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(Transaction, DecodeMalformed,
                         ::testing::ValuesIn(MalformedTransactions()), NameOf);
INSTANTIATE_TEST_SUITE_P(Other, DecodeMalformed,
                         ::testing::ValuesIn(MalformedOthers()), NameOf);

// Every byte value in the place of the type.
TEST(DecodeMessage, KnowsNineteenTypes) {
  int known = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const char type = static_cast<char>(byte);
    const absl::Status status =
        DecodeMessage(absl::string_view(&type, 1)).status();
    if (!MessageName(type).empty()) ++known;
    EXPECT_EQ(absl::StartsWith(status.message(), "unknown message type"),
              MessageName(type).empty())
        << byte;
  }
  EXPECT_EQ(known, 19);
}

}  // namespace
}  // namespace walferry
