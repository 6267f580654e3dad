#include "apply/change_shape.h"

#include <utility>
#include <vector>

#include "absl/hash/hash_testing.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using Row = std::vector<Column>;

Column Text(absl::string_view value) { return {ColumnKind::kText, value}; }
const Column kNull = {ColumnKind::kNull, {}};
const Column kUnchanged = {ColumnKind::kUnchanged, {}};

// Key k; n is GENERATED ALWAYS AS IDENTITY; v is ordinary.
class ChangeShapeTest : public ::testing::Test {
 protected:
  ChangeShapeTest() : table_(Table(ReplicaIdentity::kDefault)) {}

  static TableMapping Table(ReplicaIdentity identity) {
    const bool full = identity == ReplicaIdentity::kFull;
    const SourceRelation source{.id = 1,
                                .name = {"public", "t"},
                                .identity = identity,
                                .columns = {{.name = "k", .key = true},
                                            {.name = "n", .key = full},
                                            {.name = "v", .key = full}}};
    return *MapTable(source,
                     {.name = source.name,
                      .columns = {{.name = "k", .key = !full},
                                  {.name = "n", .identity_always = true},
                                  {.name = "v"}}});
  }
  static ColumnSet Columns(std::vector<size_t> columns) {
    ColumnSet set;
    for (const size_t column : columns) set.Add(column);
    return set;
  }
  absl::StatusOr<ChangeShape> Insert(const Row& row) {
    return ShapeOf(table_, {.kind = ChangeKind::kInsert, .row = row});
  }
  absl::StatusOr<ChangeShape> Update(OldRow kind, const Row& old_row,
                                     const Row& row) {
    return ShapeOf(table_, {.kind = ChangeKind::kUpdate,
                            .old_kind = kind,
                            .old_row = old_row,
                            .row = row});
  }
  absl::StatusOr<ChangeShape> Delete(OldRow kind, const Row& old_row) {
    return ShapeOf(
        table_,
        {.kind = ChangeKind::kDelete, .old_kind = kind, .old_row = old_row});
  }

  TableMapping table_;
};

TEST_F(ChangeShapeTest, InsertsAreAllAlike) {
  const ChangeShape insert = {.kind = ChangeKind::kInsert};
  EXPECT_THAT(Insert({Text("1"), Text("2"), Text("x")}), IsOkAndHolds(insert));
  EXPECT_THAT(Insert({Text("1"), kNull, kNull}), IsOkAndHolds(insert));
}

TEST_F(ChangeShapeTest, InsertsNeedEveryValue) {
  EXPECT_THAT(
      Insert({Text("1"), Text("2"), kUnchanged}),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "the source did not send the value of column \"v\": it is an "
               "unchanged TOASTed value of an UPDATE that the publication's "
               "row filter turned into an INSERT"));
}

TEST_F(ChangeShapeTest, UpdatesTellWhatWasNotSent) {
  // n is not part of the key: nobody knows whether it changed.
  EXPECT_THAT(
      Update(OldRow::kNone, {}, {Text("1"), Text("2"), kUnchanged}),
      IsOkAndHolds(ChangeShape{.kind = ChangeKind::kUpdate,
                               .identity_change = IdentityChange::kUnknown,
                               .unchanged = Columns({2})}));
  EXPECT_THAT(Update(OldRow::kKey, {Text("1"), kNull, kNull},
                     {Text("3"), kUnchanged, Text("x")}),
              IsOkAndHolds(ChangeShape{.kind = ChangeKind::kUpdate,
                                       .found_by_old_row = true,
                                       .unchanged = Columns({1})}));
}

TEST_F(ChangeShapeTest, UpdatesNeedTheKey) {
  EXPECT_THAT(Update(OldRow::kNone, {}, {kUnchanged, Text("2"), Text("x")}),
              StatusIs(absl::StatusCode::kDataLoss,
                       "the source did not send the key column \"k\" of the "
                       "row"));
}

TEST_F(ChangeShapeTest, WholeOldRowsTellWhetherIdentityChanged) {
  table_ = Table(ReplicaIdentity::kFull);
  EXPECT_THAT(Update(OldRow::kFull, {Text("1"), Text("2"), kNull},
                     {Text("1"), Text("2"), Text("x")}),
              IsOkAndHolds(ChangeShape{.kind = ChangeKind::kUpdate,
                                       .found_by_old_row = true,
                                       .null_lookup = Columns({2})}));
  EXPECT_THAT(
      Update(OldRow::kFull, {Text("1"), Text("2"), Text("x")},
             {Text("1"), Text("3"), Text("x")}),
      IsOkAndHolds(ChangeShape{.kind = ChangeKind::kUpdate,
                               .found_by_old_row = true,
                               .identity_change = IdentityChange::kYes}));
}

TEST_F(ChangeShapeTest, DeletesTellWhichKeysAreNull) {
  EXPECT_THAT(Delete(OldRow::kKey, {Text("1"), kNull, kNull}),
              IsOkAndHolds(ChangeShape{.kind = ChangeKind::kDelete,
                                       .found_by_old_row = true}));
  table_ = Table(ReplicaIdentity::kFull);
  EXPECT_THAT(Delete(OldRow::kFull, {kNull, Text("1"), kNull}),
              IsOkAndHolds(ChangeShape{.kind = ChangeKind::kDelete,
                                       .found_by_old_row = true,
                                       .null_lookup = Columns({0, 2})}));
}

TEST_F(ChangeShapeTest, RowsMustFitTheirRelation) {
  EXPECT_THAT(Insert({Text("1")}),
              StatusIs(absl::StatusCode::kDataLoss,
                       "the new row has 1 columns, its relation has 3"));
  EXPECT_THAT(Update(OldRow::kKey, {Text("1"), kNull},
                     {Text("1"), Text("2"), Text("x")}),
              StatusIs(absl::StatusCode::kDataLoss,
                       "the old row has 2 columns, its relation has 3"));
  EXPECT_THAT(Delete(OldRow::kKey, {}),
              StatusIs(absl::StatusCode::kDataLoss,
                       "the old row has 0 columns, its relation has 3"));
}

TEST_F(ChangeShapeTest, WithoutAWayToFindRowsOnlyInsertsWork) {
  table_.updatable = absl::FailedPreconditionError("no key");
  EXPECT_OK(Insert({Text("1"), Text("2"), Text("x")}));
  EXPECT_THAT(Update(OldRow::kNone, {}, {Text("1"), Text("2"), Text("x")}),
              StatusIs(absl::StatusCode::kFailedPrecondition, "no key"));
  EXPECT_THAT(Delete(OldRow::kKey, {Text("1"), kNull, kNull}),
              StatusIs(absl::StatusCode::kFailedPrecondition, "no key"));
}

// Statements are cached by it: shapes that differ must never be taken for one.
TEST_F(ChangeShapeTest, HashesLikeItCompares) {
  std::vector<ChangeShape> shapes;
  for (const ChangeKind kind :
       {ChangeKind::kInsert, ChangeKind::kUpdate, ChangeKind::kDelete}) {
    for (const IdentityChange change :
         {IdentityChange::kNo, IdentityChange::kYes,
          IdentityChange::kUnknown}) {
      for (const ColumnSet& set :
           {ColumnSet(), Columns({0}), Columns({63}), Columns({64}),
            Columns({0, 64}), Columns({1599})}) {
        shapes.push_back(
            {.kind = kind, .identity_change = change, .unchanged = set});
        shapes.push_back({.kind = kind,
                          .found_by_old_row = true,
                          .identity_change = change,
                          .null_lookup = set});
      }
    }
  }
  for (size_t a = 0; a < shapes.size(); ++a) {
    for (size_t b = 0; b < a; ++b) EXPECT_FALSE(shapes[a] == shapes[b]);
  }
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(shapes));
}

TEST(ColumnSetTest, HoldsWhatWasAdded) {
  ColumnSet set;
  EXPECT_FALSE(set.Contains(0));
  for (const size_t column : {size_t{1599}, size_t{0}, size_t{63}}) {
    set.Add(column);
  }
  for (size_t column = 0; column < 1700; ++column) {
    EXPECT_EQ(set.Contains(column),
              column == 0 || column == 63 || column == 1599);
  }
}

TEST_F(ChangeShapeTest, TellsBinaryValues) {
  const Column binary = {ColumnKind::kBinary, "1"};
  EXPECT_FALSE(Insert({Text("1"), kNull, Text("a")})->binary);
  EXPECT_TRUE(Insert({binary, kNull, kNull})->binary);
  EXPECT_TRUE(
      Update(OldRow::kKey, {binary, kNull, kNull}, {binary, kNull, kUnchanged})
          ->binary);
  EXPECT_TRUE(Delete(OldRow::kKey, {binary, kNull, kNull})->binary);
}

}  // namespace
}  // namespace walferry
