#include "protocol/transaction_state.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

std::string BeginOf(uint32_t xid) {
  return Wire('B').Int64(0x100).Int64(3).Int32(xid);
}
std::string CommitAt(uint64_t lsn, uint64_t end_lsn) {
  return Wire('C').Byte(0).Int64(lsn).Int64(end_lsn).Int64(3);
}
std::string BeginPrepareOf(uint32_t xid) {
  return Wire('b').Int64(0x100).Int64(0x200).Int64(3).Int32(xid).String("g");
}
std::string PrepareOf(char type, uint32_t xid, uint64_t lsn, uint64_t end_lsn) {
  return Wire(type)
      .Byte(0)
      .Int64(lsn)
      .Int64(end_lsn)
      .Int64(3)
      .Int32(xid)
      .String("g");
}
std::string StreamStartOf(uint32_t xid, bool first) {
  return Wire('S').Int32(xid).Byte(first ? 1 : 0);
}
std::string StreamCommitOf(uint32_t xid, uint64_t lsn, uint64_t end_lsn) {
  return Wire('c').Int32(xid).Byte(0).Int64(lsn).Int64(end_lsn).Int64(3);
}
std::string StreamAbortOf(uint32_t xid, uint32_t subxid) {
  return Wire('A').Int32(xid).Int32(subxid);
}
std::string InsertOf(uint32_t stream_xid) {
  return Wire('I').Int32(stream_xid).Int32(7).Byte('N').Int16(0);
}

const std::string kBegin = BeginOf(735);
const std::string kCommit = CommitAt(0x100, 0x130);
const std::string kBeginPrepare = BeginPrepareOf(753);
const std::string kPrepare = PrepareOf('P', 753, 0x100, 0x200);
const std::string kOrigin = Wire('O').Int64(0).String("node");
const std::string kRelation =
    Wire('R').Int32(7).String("s").String("t").Byte('d').Int16(0);
const std::string kType = Wire('Y').Int32(16516).String("s").String("mood");
const std::string kInsert = Wire('I').Int32(7).Byte('N').Int16(0);
const std::string kUpdate = Wire('U').Int32(7).Byte('N').Int16(0);
const std::string kDelete = Wire('D').Int32(7).Byte('K').Int16(0);
const std::string kTruncate = Wire('T').Int32(1).Byte(0).Int32(7);
const std::string kMessage = Wire('M').Byte(1).Int64(5).String("p").Counted("");
const std::string kOutsideMessage =
    Wire('M').Byte(0).Int64(5).String("p").Counted("");
const std::string kStart = StreamStartOf(758, true);
const std::string kRestart = StreamStartOf(758, false);
const std::string kStop = Wire('E');
const std::string kStreamCommit = StreamCommitOf(758, 0x100, 0x130);
const std::string kStreamPrepare = PrepareOf('p', 758, 0x100, 0x200);
const std::string kCommitPrepared = PrepareOf('K', 753, 0x100, 0x130);
const std::string kRollbackPrepared =
    Wire('r').Byte(0).Int64(1).Int64(2).Int64(3).Int64(4).Int32(753).String(
        "g");

struct Script {
  std::string name;
  std::vector<std::string> messages;
  std::string error;  // Of the last one; "" if all may come.
};

class FollowScript : public ::testing::TestWithParam<Script> {};

TEST_P(FollowScript, AcceptsAllButTheLast) {
  TransactionState state;
  const std::vector<std::string>& messages = GetParam().messages;
  for (size_t index = 0; index < messages.size(); ++index) {
    const absl::StatusOr<Message> message = DecodeMessage(
        messages[index], {.in_stream_block = state.in_stream_block()});
    ASSERT_TRUE(message.ok()) << message.status();
    const absl::Status status = state.Accept(*message);
    const bool last = index + 1 == messages.size();
    EXPECT_EQ(status.message(), last ? GetParam().error : "")
        << "message " << index;
    EXPECT_EQ(status.code(), last && !GetParam().error.empty()
                                 ? absl::StatusCode::kDataLoss
                                 : absl::StatusCode::kOk);
  }
}

std::string NameOf(const ::testing::TestParamInfo<Script>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Allowed, FollowScript,
    ::testing::ValuesIn(std::vector<Script>{
        {"EmptyTransaction", {kBegin, kCommit, kBegin, kCommit}, ""},
        {"EveryChange",
         {kBegin, kOrigin, kType, kRelation, kInsert, kUpdate, kRelation,
          kDelete, kTruncate, kMessage, kCommit},
         ""},
        {"MessageOutside",
         {kOutsideMessage, kBegin, kCommit, kOutsideMessage},
         ""},
        {"Prepared",
         {kBeginPrepare, kOrigin, kInsert, kPrepare, kBegin, kCommit,
          kCommitPrepared, kRollbackPrepared},
         ""},
        // The prepare came before the slot: nothing to roll back.
        {"RollbackOfUnknownPrepared", {kRollbackPrepared}, ""},
        {"Streamed",
         {kStart, kOrigin, InsertOf(758), InsertOf(759), kStop, kBegin, kInsert,
          kCommit, kRestart, InsertOf(759), kStop, kStreamCommit},
         ""},
        {"StreamedBlocksInterleave",
         {kStart, kStop, StreamStartOf(760, true), kStop, kRestart, kStop,
          StreamStartOf(760, false), kStop, kStreamCommit,
          StreamCommitOf(760, 0x200, 0x230)},
         ""},
        {"StreamedAndPrepared", {kStart, kStop, kStreamPrepare}, ""},
        {"SubtransactionAborts",
         {kStart, InsertOf(759), kStop, StreamAbortOf(758, 759),
          StreamAbortOf(758, 4), kRestart, kStop, kStreamCommit},
         ""},
        {"StreamAborts", {kStart, kStop, StreamAbortOf(758, 758)}, ""},
        {"StreamStartsAgain",
         {kStart, kStop, kStart, kStop, kStreamCommit},
         ""},
    }),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Plain, FollowScript,
    ::testing::ValuesIn(std::vector<Script>{
        {"BeginInBegin",
         {kBegin, kBegin},
         "Begin: out of order in transaction 735"},
        {"BeginOfNobody", {BeginOf(0)}, "Begin: xid 0"},
        {"CommitOutside",
         {kBegin, kCommit, kCommit},
         "Commit: out of order outside a transaction"},
        {"CommitElsewhere",
         {kBegin, CommitAt(0x101, 0x130)},
         "Commit: commit_lsn 0/101 differs from final_lsn 0/100 of "
         "transaction 735"},
        {"CommitThatEndsAtItsStart",
         {kBegin, CommitAt(0x100, 0x100)},
         "Commit: end_lsn 0/100 is not behind 0/100"},
        {"CommitOfPrepared",
         {kBeginPrepare, kCommit},
         "Commit: out of order in prepared transaction 753"},
        {"OriginOutside",
         {kOrigin},
         "Origin: out of order outside a transaction"},
        {"OriginBehindChange",
         {kBegin, kInsert, kOrigin},
         "Origin: out of order in transaction 735"},
        {"SecondOrigin",
         {kBegin, kOrigin, kOrigin},
         "Origin: out of order in transaction 735"},
        {"RelationOutside",
         {kRelation},
         "Relation: out of order outside a transaction"},
        {"TypeOutside", {kType}, "Type: out of order outside a transaction"},
        {"InsertOutside",
         {kInsert},
         "Insert: out of order outside a transaction"},
        {"UpdateOutside",
         {kUpdate},
         "Update: out of order outside a transaction"},
        {"DeleteOutside",
         {kDelete},
         "Delete: out of order outside a transaction"},
        {"TruncateOutside",
         {kTruncate},
         "Truncate: out of order outside a transaction"},
        {"TransactionalMessageOutside",
         {kMessage},
         "LogicalMessage: out of order outside a transaction"},
        {"OutsideMessageInside",
         {kBegin, kOutsideMessage},
         "LogicalMessage: out of order in transaction 735"},
    }),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Prepared, FollowScript,
    ::testing::ValuesIn(std::vector<Script>{
        {"BeginPrepareInBegin",
         {kBegin, kBeginPrepare},
         "BeginPrepare: out of order in transaction 735"},
        {"BeginPrepareOfNobody", {BeginPrepareOf(0)}, "BeginPrepare: xid 0"},
        {"PrepareOutside",
         {kPrepare},
         "Prepare: out of order outside a transaction"},
        {"PrepareOfPlain",
         {kBegin, kPrepare},
         "Prepare: out of order in transaction 735"},
        {"PrepareElsewhere",
         {kBeginPrepare, PrepareOf('P', 753, 0x101, 0x200)},
         "Prepare: prepare_lsn 0/101 differs from prepare_lsn 0/100 of "
         "transaction 753"},
        {"PrepareOfOther",
         {kBeginPrepare, PrepareOf('P', 754, 0x100, 0x200)},
         "Prepare: of transaction 754 in prepared transaction 753"},
        {"PrepareThatEndsBeforeItsStart",
         {kBeginPrepare, PrepareOf('P', 753, 0x100, 0xff)},
         "Prepare: end_lsn 0/FF is not behind 0/100"},
        {"CommitPreparedInside",
         {kBeginPrepare, kCommitPrepared},
         "CommitPrepared: out of order in prepared transaction 753"},
        {"CommitPreparedThatEndsBeforeItsStart",
         {PrepareOf('K', 753, 0x100, 0xff)},
         "CommitPrepared: end_lsn 0/FF is not behind 0/100"},
        {"RollbackPreparedInside",
         {kBegin, kRollbackPrepared},
         "RollbackPrepared: out of order in transaction 735"},
    }),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Streamed, FollowScript,
    ::testing::ValuesIn(std::vector<Script>{
        {"StartInBegin",
         {kBegin, kStart},
         "StreamStart: out of order in transaction 735"},
        {"StartInBlock",
         {kStart, StreamStartOf(760, true)},
         "StreamStart: out of order in a stream block of transaction 758"},
        {"StartOfNobody", {StreamStartOf(0, true)}, "StreamStart: xid 0"},
        {"LaterSegmentOfUnknown",
         {kRestart},
         "StreamStart: of transaction 758, whose first segment is missing"},
        {"LaterSegmentOfCommitted",
         {kStart, kStop, kStreamCommit, kRestart},
         "StreamStart: of transaction 758, whose first segment is missing"},
        {"LaterSegmentOfPrepared",
         {kStart, kStop, kStreamPrepare, kRestart},
         "StreamStart: of transaction 758, whose first segment is missing"},
        {"LaterSegmentOfAborted",
         {kStart, kStop, StreamAbortOf(758, 758), kRestart},
         "StreamStart: of transaction 758, whose first segment is missing"},
        {"StopOutside",
         {kStop},
         "StreamStop: out of order outside a transaction"},
        {"StopInBegin",
         {kBegin, kStop},
         "StreamStop: out of order in transaction 735"},
        {"BeginInBlock",
         {kStart, kBegin},
         "Begin: out of order in a stream block of transaction 758"},
        {"CommitInBlock",
         {kStart, kCommit},
         "Commit: out of order in a stream block of transaction 758"},
        {"ChangeOfNobody",
         {kStart, InsertOf(0)},
         "Insert: xid 0 in a stream block of transaction 758"},
        {"CommitInsideBlock",
         {kStart, kStreamCommit},
         "StreamCommit: out of order in a stream block of transaction 758"},
        {"CommitOfUnknown",
         {kStart, kStop, StreamCommitOf(760, 0x100, 0x130)},
         "StreamCommit: of transaction 760, whose first segment is missing"},
        {"CommitTwice",
         {kStart, kStop, kStreamCommit, kStreamCommit},
         "StreamCommit: of transaction 758, whose first segment is missing"},
        {"CommitThatEndsBeforeItsStart",
         {kStart, kStop, StreamCommitOf(758, 0x100, 0xff)},
         "StreamCommit: end_lsn 0/FF is not behind 0/100"},
        {"PrepareOfUnknown",
         {kStreamPrepare},
         "StreamPrepare: of transaction 758, whose first segment is missing"},
        {"AbortInsideBlock",
         {kStart, StreamAbortOf(758, 759)},
         "StreamAbort: out of order in a stream block of transaction 758"},
        {"AbortOfUnknown",
         {StreamAbortOf(758, 759)},
         "StreamAbort: of transaction 758, whose first segment is missing"},
    }),
    NameOf);

TEST(TransactionState, KnowsWhereItIs) {
  TransactionState state;
  EXPECT_FALSE(state.in_transaction());
  EXPECT_FALSE(state.in_stream_block());

  ASSERT_TRUE(state.Accept(*DecodeMessage(kBegin)).ok());
  EXPECT_TRUE(state.in_transaction());
  EXPECT_FALSE(state.in_stream_block());
  ASSERT_TRUE(state.Accept(*DecodeMessage(kCommit)).ok());
  EXPECT_FALSE(state.in_transaction());

  ASSERT_TRUE(state.Accept(*DecodeMessage(kStart)).ok());
  EXPECT_TRUE(state.in_transaction());
  EXPECT_TRUE(state.in_stream_block());
  EXPECT_EQ(state.open_streams(), 1);
  ASSERT_TRUE(state.Accept(*DecodeMessage(kStop)).ok());
  EXPECT_FALSE(state.in_stream_block());
  EXPECT_EQ(state.open_streams(), 1);
  ASSERT_TRUE(state.Accept(*DecodeMessage(kStreamCommit)).ok());
  EXPECT_EQ(state.open_streams(), 0);
}

}  // namespace
}  // namespace walferry
