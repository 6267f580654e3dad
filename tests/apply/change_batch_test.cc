#include "apply/change_batch.h"

#include <cstring>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "protocol/pgoutput.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

std::shared_ptr<const SourceRelation> MakeRelation(uint32_t id) {
  return std::make_shared<const SourceRelation>(
      SourceRelation{.id = id, .name = {"public", "t"}});
}

// Decodes it, adds it, and overwrites the payload: what the batch shows is its
// own copy.
template <typename T>
void AddAndForget(ChangeBatch& batch, std::string payload,
                  const std::shared_ptr<const SourceRelation>& relation) {
  const T message = std::get<T>(*DecodeMessage(payload));
  if constexpr (std::is_same_v<T, Insert>) batch.AddInsert(relation, message);
  if constexpr (std::is_same_v<T, Update>) batch.AddUpdate(relation, message);
  if constexpr (std::is_same_v<T, Delete>) batch.AddDelete(relation, message);
  std::fill(payload.begin(), payload.end(), '#');
}

// "(t'1' n u b'xy')", and that every value ends with a NUL byte.
std::string ToText(absl::Span<const Column> row) {
  std::string text = "(";
  for (const Column& column : row) {
    if (text.size() > 1) text += ' ';
    text += static_cast<char>(column.kind);
    if (column.kind == ColumnKind::kText ||
        column.kind == ColumnKind::kBinary) {
      text += "'" + std::string(column.value) + "'";
      EXPECT_EQ(column.value.data()[column.value.size()], '\0') << text;
    } else {
      EXPECT_TRUE(column.value.empty());
    }
  }
  return text + ")";
}

TEST(ChangeBatchTest, CopiesRowsAndEndsTheirValues) {
  const auto relation = MakeRelation(7);
  ChangeBatch batch;
  batch.BeginTransaction({.final_lsn = Lsn(0x10), .commit_time = 5, .xid = 9});
  AddAndForget<Insert>(batch,
                       Wire('I')
                           .Int32(7)
                           .Byte('N')
                           .Int16(5)
                           .Text("one")
                           .Null()
                           .Text("")
                           .Binary(std::string("\0x", 2))
                           .Text("last"),
                       relation);
  AddAndForget<Update>(batch,
                       Wire('U')
                           .Int32(7)
                           .Byte('K')
                           .Int16(2)
                           .Text("1")
                           .Null()
                           .Byte('N')
                           .Int16(2)
                           .Text("2")
                           .Unchanged(),
                       relation);
  AddAndForget<Update>(
      batch, Wire('U').Int32(7).Byte('N').Int16(2).Text("3").Text("x"),
      relation);
  AddAndForget<Delete>(
      batch, Wire('D').Int32(7).Byte('O').Int16(2).Text("4").Text("y"),
      relation);
  AddAndForget<Insert>(batch, Wire('I').Int32(7).Byte('N').Int16(0), relation);

  EXPECT_TRUE(batch.has_binary());
  ASSERT_EQ(batch.changes().size(), 5);
  const Change& insert = batch.changes()[0];
  EXPECT_EQ(insert.kind, ChangeKind::kInsert);
  EXPECT_EQ(insert.old_kind, OldRow::kNone);
  EXPECT_EQ(insert.relation, relation.get());
  EXPECT_EQ(ToText(insert.row),
            "(t'one' n t'' b'" + std::string("\0x", 2) + "' t'last')");
  EXPECT_TRUE(insert.old_row.empty());

  const Change& key_update = batch.changes()[1];
  EXPECT_EQ(key_update.kind, ChangeKind::kUpdate);
  EXPECT_EQ(key_update.old_kind, OldRow::kKey);
  EXPECT_EQ(ToText(key_update.old_row), "(t'1' n)");
  EXPECT_EQ(ToText(key_update.row), "(t'2' u)");

  EXPECT_EQ(batch.changes()[2].old_kind, OldRow::kNone);
  EXPECT_TRUE(batch.changes()[2].old_row.empty());
  EXPECT_EQ(ToText(batch.changes()[2].row), "(t'3' t'x')");

  const Change& removal = batch.changes()[3];
  EXPECT_EQ(removal.kind, ChangeKind::kDelete);
  EXPECT_EQ(removal.old_kind, OldRow::kFull);
  EXPECT_EQ(ToText(removal.old_row), "(t'4' t'y')");
  EXPECT_TRUE(removal.row.empty());

  EXPECT_EQ(ToText(batch.changes()[4].row), "()");
}

TEST(ChangeBatchTest, HoldsEveryRelationOnce) {
  auto first = MakeRelation(1);
  auto second = MakeRelation(2);
  {
    ChangeBatch batch;
    batch.BeginTransaction({.xid = 9});
    for (int round = 0; round < 3; ++round) {
      for (const auto& relation : {first, second}) {
        AddAndForget<Insert>(
            batch, Wire('I').Int32(1).Byte('N').Int16(1).Text("x"), relation);
      }
    }
    batch.AddTruncate({first, second}, true);
    EXPECT_EQ(first.use_count(), 2);
    EXPECT_EQ(second.use_count(), 2);
    const Change& truncate = batch.changes().back();
    EXPECT_EQ(truncate.kind, ChangeKind::kTruncate);
    EXPECT_TRUE(truncate.restart_identity);
    EXPECT_EQ(truncate.relation, nullptr);
    ASSERT_EQ(truncate.truncated.size(), 2);
    EXPECT_EQ(truncate.truncated[0], first.get());
    EXPECT_EQ(truncate.truncated[1], second.get());
  }
  EXPECT_EQ(first.use_count(), 1);
}

TEST(ChangeBatchTest, KnowsItsTransactions) {
  const auto relation = MakeRelation(7);
  const std::string insert = Wire('I').Int32(7).Byte('N').Int16(1).Text("x");
  ChangeBatch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_FALSE(batch.open());
  EXPECT_EQ(batch.end_lsn(), Lsn());
  EXPECT_EQ(batch.bytes(), 0);

  batch.BeginTransaction({.final_lsn = Lsn(0x10), .commit_time = 5, .xid = 9});
  AddAndForget<Insert>(batch, insert, relation);
  AddAndForget<Insert>(batch, insert, relation);
  EXPECT_TRUE(batch.open());
  EXPECT_EQ(batch.end_lsn(), Lsn());
  batch.CommitTransaction(
      {.commit_lsn = Lsn(0x10), .end_lsn = Lsn(0x18), .commit_time = 5});
  EXPECT_FALSE(batch.open());
  batch.BeginTransaction({.final_lsn = Lsn(0x20), .commit_time = 6, .xid = 10});
  batch.CommitTransaction(
      {.commit_lsn = Lsn(0x20), .end_lsn = Lsn(0x28), .commit_time = 6});
  batch.BeginTransaction({.final_lsn = Lsn(0x30), .commit_time = 7, .xid = 11});
  AddAndForget<Insert>(batch, insert, relation);

  EXPECT_TRUE(batch.open());
  EXPECT_EQ(batch.end_lsn(), Lsn(0x28));
  EXPECT_EQ(batch.commit_time(), 6);
  ASSERT_EQ(batch.transactions().size(), 3);
  const BatchTransaction& first = batch.transactions()[0];
  EXPECT_EQ(first.xid, 9);
  EXPECT_EQ(first.commit_lsn, Lsn(0x10));
  EXPECT_EQ(first.end_lsn, Lsn(0x18));
  EXPECT_EQ(first.commit_time, 5);
  EXPECT_EQ(first.first_change, 0);
  EXPECT_EQ(first.change_count, 2);
  EXPECT_TRUE(first.complete);
  EXPECT_FALSE(first.continued);
  EXPECT_EQ(batch.transactions()[1].first_change, 2);
  EXPECT_EQ(batch.transactions()[1].change_count, 0);
  const BatchTransaction& open = batch.transactions()[2];
  EXPECT_FALSE(open.complete);

  ChangeBatch next;
  next.ContinueTransaction(open);
  EXPECT_TRUE(next.open());
  AddAndForget<Insert>(next, insert, relation);
  next.CommitTransaction(
      {.commit_lsn = Lsn(0x30), .end_lsn = Lsn(0x38), .commit_time = 7});
  EXPECT_EQ(next.transactions()[0].xid, 11);
  EXPECT_EQ(next.transactions()[0].first_change, 0);
  EXPECT_TRUE(next.transactions()[0].continued);
  EXPECT_TRUE(next.transactions()[0].complete);
  EXPECT_EQ(next.end_lsn(), Lsn(0x38));
}

TEST(ChangeBatchTest, CountsItsBytes) {
  const auto relation = MakeRelation(7);
  ChangeBatch batch;
  batch.BeginTransaction({.xid = 9});
  const std::string value(100000, 'x');
  AddAndForget<Insert>(batch, Wire('I').Int32(7).Byte('N').Int16(1).Text(value),
                       relation);
  EXPECT_GE(batch.bytes(), value.size() + sizeof(Change) + sizeof(Column));
  EXPECT_LE(batch.bytes(), value.size() + 500);
}

// Views stay where they are while the batch grows.
TEST(ChangeBatchTest, KeepsManyRows) {
  const auto relation = MakeRelation(7);
  ChangeBatch batch;
  batch.BeginTransaction({.xid = 9});
  for (int row = 0; row < 20000; ++row) {
    AddAndForget<Insert>(
        batch,
        Wire('I').Int32(7).Byte('N').Int16(2).Text(std::to_string(row)).Null(),
        relation);
  }
  for (int row = 0; row < 20000; ++row) {
    ASSERT_EQ(batch.changes()[static_cast<size_t>(row)].row[0].value,
              std::to_string(row));
  }
}

TEST(ChangeKindTest, HasNames) {
  EXPECT_EQ(ChangeKindName(ChangeKind::kInsert), "insert");
  EXPECT_EQ(ChangeKindName(ChangeKind::kUpdate), "update");
  EXPECT_EQ(ChangeKindName(ChangeKind::kDelete), "delete");
  EXPECT_EQ(ChangeKindName(ChangeKind::kTruncate), "truncate");
}

TEST(ChangeBatchTest, TellsWhetherThereAreBinaryValues) {
  const auto relation = MakeRelation(7);
  ChangeBatch batch;
  batch.BeginTransaction({.final_lsn = Lsn(0x10), .commit_time = 5, .xid = 9});
  AddAndForget<Insert>(
      batch, Wire('I').Int32(7).Byte('N').Int16(2).Text("1").Null(), relation);
  EXPECT_FALSE(batch.has_binary());
  AddAndForget<Insert>(batch,
                       Wire('I').Int32(7).Byte('N').Int16(2).Null().Binary("x"),
                       relation);
  EXPECT_TRUE(batch.has_binary());
}

}  // namespace
}  // namespace walferry
