#include "apply/net_changes.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string ToText(absl::Span<const Column> row) {
  return absl::StrJoin(row, ",", [](std::string* out, const Column& column) {
    switch (column.kind) {
      case ColumnKind::kNull:
        return absl::StrAppend(out, "NULL");
      case ColumnKind::kUnchanged:
        return absl::StrAppend(out, "?");
      case ColumnKind::kText:
      case ColumnKind::kBinary:
        return absl::StrAppend(out, column.value);
    }
  });
}

class NetChangesTest : public ::testing::Test {
 protected:
  NetChangesTest() { Use({}); }

  // A table with the key `id`, columns a and b, and more.
  void Use(std::vector<TargetColumn> more, bool full = false) {
    std::vector<TargetColumn> columns = {KeyColumn(TypedColumn("id", "int8")),
                                         TypedColumn("a", "text"),
                                         TypedColumn("b", "text")};
    columns.insert(columns.end(), more.begin(), more.end());
    UseTable(MapColumns(std::move(columns), full));
  }
  void UseTable(TableMapping table) {
    net_ = std::make_unique<NetChanges>(
        std::make_shared<const TableMapping>(std::move(table)));
    taken_ = 0;
  }

  bool Insert(std::vector<Column> row) {
    return Add({.kind = ChangeKind::kInsert, .row = rows_.Add(row)});
  }
  bool Update(std::vector<Column> row) {
    return Add({.kind = ChangeKind::kUpdate, .row = rows_.Add(row)});
  }
  bool Update(std::vector<Column> old_row, std::vector<Column> row,
              OldRow old_kind = OldRow::kKey) {
    return Add({.kind = ChangeKind::kUpdate,
                .old_kind = old_kind,
                .old_row = rows_.Add(old_row),
                .row = rows_.Add(row)});
  }
  bool Delete(absl::string_view id) { return Delete(Key(id)); }
  bool Delete(std::vector<Column> key, OldRow old_kind = OldRow::kKey) {
    return Add({.kind = ChangeKind::kDelete,
                .old_kind = old_kind,
                .old_row = rows_.Add(key)});
  }

  static std::vector<Column> Key(absl::string_view id) {
    return {TextValue(id), NullValue(), NullValue()};
  }
  static std::vector<Column> Row(absl::string_view id, absl::string_view a,
                                 absl::string_view b) {
    return {TextValue(id), TextValue(a), TextValue(b)};
  }

  // "delete 1", "update 2: 2,a,?" and "insert 3,a,b", in the order of sets.
  std::vector<std::string> Net() {
    std::vector<std::string> texts;
    const NetChanges::Result& result = net_->Finish();
    // Whatever became of them, all changes are in it.
    EXPECT_EQ(result.changes, net_->taken().total());
    EXPECT_EQ(result.changes, taken_);
    for (const auto& row : result.deletes) {
      texts.push_back(absl::StrCat("delete ", row.key[0].value));
    }
    for (const auto& updates : result.updates) {
      for (const auto& row : updates.rows) {
        texts.push_back(
            absl::StrCat("update ", row.key[0].value, ": ", ToText(row.row)));
      }
    }
    for (const auto& row : result.inserts) {
      texts.push_back(absl::StrCat("insert ", ToText(row.row)));
    }
    return texts;
  }

  void Clear() {
    net_->Clear();
    taken_ = 0;
  }
  NetChanges& net() { return *net_; }

 private:
  bool Add(const Change& change) {
    const bool taken = net_->Add(change);
    if (taken) ++taken_;
    return taken;
  }

  int64_t taken_ = 0;
  Rows rows_;
  std::unique_ptr<NetChanges> net_;
};

TEST_F(NetChangesTest, KeepsChangesOfDifferentRows) {
  EXPECT_TRUE(net().empty());
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Update(Row("2", "a", "b")));
  EXPECT_TRUE(Delete("3"));
  EXPECT_FALSE(net().empty());
  EXPECT_THAT(Net(),
              ElementsAre("delete 3", "update 2: 2,a,b", "insert 1,a,b"));
}

TEST_F(NetChangesTest, InsertAndUpdateAreAnInsert) {
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Update(Row("1", "c", "d")));
  EXPECT_THAT(Net(), ElementsAre("insert 1,c,d"));
}

TEST_F(NetChangesTest, InsertAndDeleteAreNothing) {
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Delete("1"));
  EXPECT_THAT(Net(), IsEmpty());
  EXPECT_TRUE(Insert(Row("1", "c", "d")));
  EXPECT_THAT(Net(), ElementsAre("insert 1,c,d"));
}

TEST_F(NetChangesTest, UpdatesBecomeTheLastOne) {
  EXPECT_TRUE(Update(Row("1", "a", "b")));
  EXPECT_TRUE(Update(Row("1", "c", "d")));
  EXPECT_TRUE(Update({TextValue("1"), TextValue("e"), NullValue()}));
  EXPECT_THAT(Net(), ElementsAre("update 1: 1,e,NULL"));
}

TEST_F(NetChangesTest, UpdateAndDeleteAreADelete) {
  EXPECT_TRUE(Update(Row("1", "a", "b")));
  EXPECT_TRUE(Delete("1"));
  EXPECT_THAT(Net(), ElementsAre("delete 1"));
}

TEST_F(NetChangesTest, DeleteAndInsertAreBoth) {
  EXPECT_TRUE(Delete("1"));
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Update(Row("1", "c", "b")));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 1,c,b"));
  EXPECT_TRUE(Delete("1"));
  EXPECT_THAT(Net(), ElementsAre("delete 1"));
}

TEST_F(NetChangesTest, AnUnchangedValueIsThatOfTheRowsEarlierChange) {
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Update({TextValue("1"), TextValue("c"), UnchangedValue()}));
  EXPECT_TRUE(Update(Row("2", "a", "b")));
  EXPECT_TRUE(Update({TextValue("2"), UnchangedValue(), TextValue("d")}));
  EXPECT_TRUE(Delete("3"));
  EXPECT_TRUE(Insert(Row("3", "a", "b")));
  EXPECT_TRUE(Update({TextValue("3"), UnchangedValue(), UnchangedValue()}));
  EXPECT_THAT(Net(), ElementsAre("delete 3", "update 2: 2,a,d", "insert 1,c,b",
                                 "insert 3,a,b"));
}

TEST_F(NetChangesTest, AValueThatStaysUnchangedIsLeftToTheTarget) {
  EXPECT_TRUE(Update({TextValue("1"), UnchangedValue(), TextValue("b")}));
  EXPECT_TRUE(Update({TextValue("1"), UnchangedValue(), TextValue("c")}));
  EXPECT_TRUE(Update(Row("2", "a", "b")));
  EXPECT_TRUE(Update({TextValue("3"), UnchangedValue(), TextValue("d")}));
  const NetChanges::Result& result = net().Finish();
  ASSERT_EQ(result.updates.size(), 2);
  EXPECT_TRUE(result.updates[0].unchanged.Contains(1));
  EXPECT_EQ(result.updates[0].rows.size(), 2);
  EXPECT_EQ(result.updates[1].unchanged, ColumnSet());
  EXPECT_THAT(Net(), ElementsAre("update 1: 1,?,c", "update 3: 3,?,d",
                                 "update 2: 2,a,b"));
}

TEST_F(NetChangesTest, AChangedKeyIsADeleteAndAnInsert) {
  EXPECT_TRUE(Update(Key("1"), Row("2", "a", "b")));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 2,a,b"));
  EXPECT_TRUE(Update(Key("2"), Row("3", "a", "c")));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 3,a,c"));
}

TEST_F(NetChangesTest, KeysCanBeSwapped) {
  EXPECT_TRUE(Update(Key("1"), Row("0", "a", "b")));
  EXPECT_TRUE(Update(Key("2"), Row("1", "c", "d")));
  EXPECT_TRUE(Update(Key("0"), Row("2", "a", "b")));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "delete 2", "insert 1,c,d",
                                 "insert 2,a,b"));
}

TEST_F(NetChangesTest, AKeyThatIsSentThoughItIsTheSameIsNoChangeOfKey) {
  EXPECT_TRUE(Update(Key("1"), Row("1", "a", "b")));
  EXPECT_TRUE(
      Update(Key("2"), {UnchangedValue(), TextValue("c"), TextValue("d")}));
  EXPECT_THAT(Net(), ElementsAre("update 1: 1,a,b", "update 2: ?,c,d"));
}

TEST_F(NetChangesTest, AChangedKeyNeedsTheWholeRow) {
  const std::vector<Column> partial = {TextValue("2"), TextValue("a"),
                                       UnchangedValue()};
  EXPECT_FALSE(Update(Key("1"), partial));
  EXPECT_THAT(Net(), IsEmpty());
  // Or that of an earlier change.
  EXPECT_TRUE(Update(Row("1", "x", "y")));
  EXPECT_TRUE(Update(Key("1"), partial));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 2,a,y"));
}

TEST_F(NetChangesTest, AChangedKeyWouldLoseTheTargetsOwnColumns) {
  Use({TypedColumn("own", "text")});
  EXPECT_FALSE(Update(Key("1"), Row("2", "a", "b")));
  EXPECT_FALSE(net().can_replace());
  EXPECT_TRUE(Update(Row("1", "a", "b")));
}

TEST_F(NetChangesTest, LeavesContradictionsToTheExactPath) {
  EXPECT_TRUE(Update(Row("1", "a", "b")));
  EXPECT_FALSE(Insert(Row("1", "a", "b")));
  EXPECT_FALSE(Update(Key("2"), Row("1", "a", "b")));
  EXPECT_TRUE(Delete("1"));
  EXPECT_FALSE(Delete("1"));
  EXPECT_FALSE(Update(Row("1", "a", "b")));
  EXPECT_FALSE(Update(Key("1"), Row("3", "a", "b")));
  EXPECT_THAT(Net(), ElementsAre("delete 1"));
}

TEST_F(NetChangesTest, TakesNoRowWhoseKeyIsNotKnown) {
  EXPECT_FALSE(Insert({NullValue(), TextValue("a"), TextValue("b")}));
  EXPECT_FALSE(Insert({TextValue("1"), TextValue("a"), UnchangedValue()}));
  EXPECT_FALSE(Update({UnchangedValue(), TextValue("a"), TextValue("b")}));
  EXPECT_FALSE(Delete({NullValue(), NullValue(), NullValue()}));
  EXPECT_TRUE(net().empty());
}

TEST_F(NetChangesTest, TakesNoRowThatDoesNotFitItsRelation) {
  EXPECT_FALSE(Insert({TextValue("1")}));
  EXPECT_FALSE(Delete({TextValue("1"), NullValue()}));
  EXPECT_TRUE(net().empty());
}

TEST_F(NetChangesTest, AnIdentityOutsideTheKeyCannotBeSet) {
  Use({IdentityAlwaysColumn(TypedColumn("n", "int8"))});
  const std::vector<Column> row = {TextValue("1"), TextValue("a"),
                                   TextValue("b"), TextValue("7")};
  EXPECT_FALSE(Update(row));
  EXPECT_TRUE(Insert(row));
}

TEST_F(NetChangesTest, KeysOfSeveralColumnsAreNotConfused) {
  UseTable(MapColumns({KeyColumn(TypedColumn("x", "text")),
                       KeyColumn(TypedColumn("y", "text"))}));
  EXPECT_TRUE(Delete({TextValue("ab"), TextValue("c")}));
  EXPECT_TRUE(Delete({TextValue("a"), TextValue("bc")}));
  EXPECT_TRUE(Insert({TextValue("ab"), TextValue("c")}));
  EXPECT_THAT(Net(), ElementsAre("delete ab", "delete a", "insert ab,c"));
}

TEST_F(NetChangesTest, ManyRowsAreFoundAgain) {
  std::vector<std::string> ids;
  for (int id = 0; id < 1000; ++id) ids.push_back(absl::StrCat(id));
  for (const std::string& id : ids) ASSERT_TRUE(Insert(Row(id, "a", "b")));
  for (const std::string& id : ids) ASSERT_TRUE(Update(Row(id, "c", "d")));
  for (size_t index = 1; index < ids.size(); ++index) {
    ASSERT_TRUE(Delete(ids[index]));
  }
  EXPECT_THAT(Net(), ElementsAre("insert 0,c,d"));
}

// The target refuses the second one, and must get to see it.
TEST_F(NetChangesTest, ARowThatIsInsertedTwiceHidesNothing) {
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Insert(Row("1", "c", "d")));
  EXPECT_FALSE(Delete("1"));
  EXPECT_FALSE(Update(Row("1", "e", "f")));
  EXPECT_THAT(Net(), ElementsAre("insert 1,a,b", "insert 1,c,d"));
}

// Two rows of the source may have one key for a moment, and only one of them
// was inserted here.
TEST_F(NetChangesTest, WholeRowsDoNotProveThatAKeyIsUnique) {
  Use({}, /*full=*/true);
  EXPECT_TRUE(Update(Row("5", "a", "b"), Row("5", "c", "d"), OldRow::kFull));
  EXPECT_FALSE(Update(Row("1", "a", "b"), Row("2", "a", "b"), OldRow::kFull));
  EXPECT_TRUE(Insert(Row("3", "a", "b")));
  EXPECT_FALSE(Delete(Row("3", "a", "b")));
  EXPECT_FALSE(Update(Row("3", "a", "b"), Row("3", "c", "d"), OldRow::kFull));
  EXPECT_THAT(Net(), ElementsAre("update 5: 5,c,d", "insert 3,a,b"));
}

class NetChangesWithoutKeyTest : public NetChangesTest {
 protected:
  void UseColumns(std::vector<TargetColumn> more = {}, bool full = true) {
    std::vector<TargetColumn> columns = {TypedColumn("x", "int8"),
                                         TypedColumn("a", "text"),
                                         TypedColumn("b", "text")};
    columns.insert(columns.end(), more.begin(), more.end());
    UseTable(MapColumns(std::move(columns), full));
  }
  bool DeleteRow(std::vector<Column> row) {
    return Delete(std::move(row), OldRow::kFull);
  }
};

TEST_F(NetChangesWithoutKeyTest, EqualRowsAreCounted) {
  UseColumns();
  EXPECT_TRUE(DeleteRow(Row("1", "a", "b")));
  EXPECT_TRUE(Insert(Row("2", "a", "b")));
  EXPECT_TRUE(DeleteRow(Row("1", "a", "b")));
  EXPECT_TRUE(Insert(Row("2", "a", "b")));
  EXPECT_TRUE(Insert(Row("2", "a", "b")));
  EXPECT_TRUE(DeleteRow(Row("2", "a", "b")));
  EXPECT_FALSE(net().empty());
  EXPECT_THAT(Net(), ElementsAre("delete 1", "delete 1", "insert 2,a,b",
                                 "insert 2,a,b"));
  Clear();
  EXPECT_TRUE(net().empty());
}

TEST_F(NetChangesWithoutKeyTest, AnUpdateIsADeleteAndAnInsert) {
  UseColumns();
  const auto update = [&](absl::string_view from, absl::string_view to) {
    return Update(Row(from, "a", "b"), Row(to, "a", "b"), OldRow::kFull);
  };
  EXPECT_TRUE(update("1", "2"));
  EXPECT_TRUE(update("2", "3"));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 3,a,b"));
  // Nothing changes, but the row must be there.
  EXPECT_TRUE(update("4", "4"));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "delete 4", "insert 3,a,b",
                                 "insert 4,a,b"));
}

TEST_F(NetChangesWithoutKeyTest, AnUnchangedValueIsThatOfTheOldRow) {
  UseColumns();
  EXPECT_TRUE(Update({TextValue("1"), TextValue("big"), NullValue()},
                     {TextValue("2"), UnchangedValue(), TextValue("b")},
                     OldRow::kFull));
  EXPECT_TRUE(Update({TextValue("2"), TextValue("big"), TextValue("b")},
                     {TextValue("3"), UnchangedValue(), TextValue("c")},
                     OldRow::kFull));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 3,big,c"));
}

TEST_F(NetChangesWithoutKeyTest, TakesNothingThatIsNotWhole) {
  UseColumns();
  EXPECT_FALSE(Insert({TextValue("1"), UnchangedValue(), TextValue("b")}));
  EXPECT_FALSE(DeleteRow({TextValue("1"), UnchangedValue(), TextValue("b")}));
  EXPECT_FALSE(DeleteRow({TextValue("1"), TextValue("a")}));
  EXPECT_FALSE(DeleteRow({}));
  EXPECT_FALSE(Delete(Row("1", "a", "b"), OldRow::kKey));
  EXPECT_FALSE(Update(Row("1", "a", "b")));
  EXPECT_TRUE(net().empty());
}

// An update must leave the values of the target's own as they are.
TEST_F(NetChangesWithoutKeyTest, ColumnsOfTheTargetsOwnAreNotReplaced) {
  UseColumns({TypedColumn("own", "text")});
  EXPECT_FALSE(Update(Row("1", "a", "b"), Row("2", "a", "b"), OldRow::kFull));
  EXPECT_TRUE(DeleteRow(Row("1", "a", "b")));
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_THAT(Net(), ElementsAre("delete 1", "insert 1,a,b"));
}

TEST_F(NetChangesWithoutKeyTest, RowsThatCannotBeFoundAreOnlyInserted) {
  UseColumns({}, /*full=*/false);
  EXPECT_FALSE(DeleteRow(Row("1", "a", "b")));
  EXPECT_FALSE(Update(Row("1", "a", "b")));
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
  EXPECT_THAT(Net(), ElementsAre("insert 1,a,b", "insert 1,a,b"));
}

TEST_F(NetChangesTest, TakesNoRowThatIsTooLargeForASet) {
  const std::string large(65 << 20, 'x');
  EXPECT_FALSE(Insert(Row("1", large, "b")));
  EXPECT_TRUE(Insert(Row("1", "a", "b")));
}

TEST_F(NetChangesTest, IsEmptyOnceCleared) {
  EXPECT_TRUE(Update(Row("1", "a", "b")));
  EXPECT_TRUE(Delete("1"));
  Clear();
  EXPECT_TRUE(net().empty());
  EXPECT_TRUE(Delete("1"));
  EXPECT_THAT(Net(), ElementsAre("delete 1"));
}

}  // namespace
}  // namespace walferry
