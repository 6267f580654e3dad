#include "apply/conflict_facts.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "protocol/pg_time.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Row = std::vector<Column>;

Column Text(absl::string_view value) { return {ColumnKind::kText, value}; }
Column Binary(absl::string_view value) { return {ColumnKind::kBinary, value}; }
const Column kNull = {ColumnKind::kNull, {}};

SourceRelation Relation(ReplicaIdentity identity,
                        std::vector<SourceColumn> columns) {
  return {.id = 1,
          .name = {"public", "t"},
          .identity = identity,
          .columns = std::move(columns)};
}

const SourceRelation kKeyed =
    Relation(ReplicaIdentity::kDefault, {{.name = "id", .key = true},
                                         {.name = "v"},
                                         {.name = "tenant", .key = true}});

TEST(DescribeKeyTest, ShowsTheKeyOfTheRowThatIsMeant) {
  const Row old_row = {Text("1"), kNull, Text("2")};
  const Row row = {Text("3"), Text("x"), Text("4")};
  Change change{.kind = ChangeKind::kInsert, .relation = &kKeyed, .row = row};
  EXPECT_EQ(DescribeKey(change), "id=3, tenant=4");
  change.kind = ChangeKind::kUpdate;
  EXPECT_EQ(DescribeKey(change), "id=3, tenant=4");
  change.old_kind = OldRow::kKey;
  change.old_row = old_row;
  EXPECT_EQ(DescribeKey(change), "id=1, tenant=2");
  change = {.kind = ChangeKind::kDelete,
            .old_kind = OldRow::kKey,
            .relation = &kKeyed,
            .old_row = old_row};
  EXPECT_EQ(DescribeKey(change), "id=1, tenant=2");
}

TEST(DescribeKeyTest, ShowsTheFirstColumnsWithoutAKey) {
  const SourceRelation full =
      Relation(ReplicaIdentity::kFull, {{.name = "a", .key = true},
                                        {.name = "b", .key = true},
                                        {.name = "c", .key = true},
                                        {.name = "d", .key = true},
                                        {.name = "e", .key = true}});
  const Row row = {
      Text("1"), kNull, {ColumnKind::kUnchanged, {}}, Text(""), Text("5")};
  EXPECT_EQ(
      DescribeKey({.kind = ChangeKind::kInsert, .relation = &full, .row = row}),
      "a=1, b=NULL, c=(not sent), d=");
  SourceRelation none = full;
  none.identity = ReplicaIdentity::kNothing;
  for (SourceColumn& column : none.columns) column.key = false;
  EXPECT_EQ(
      DescribeKey({.kind = ChangeKind::kInsert, .relation = &none, .row = row}),
      "a=1, b=NULL, c=(not sent), d=");
}

TEST(DescribeKeyTest, ShowsBinaryValues) {
  const SourceRelation relation =
      Relation(ReplicaIdentity::kDefault,
               {{.name = "i2", .key = true, .type_oid = 21},
                {.name = "i8", .key = true, .type_oid = 20},
                {.name = "oid", .key = true, .type_oid = 26},
                {.name = "text", .key = true, .type_oid = 25},
                {.name = "uuid", .key = true, .type_oid = 2950},
                {.name = "odd", .key = true, .type_oid = 23}});
  const std::string minus_two = "\xff\xfe";
  const std::string big("\x7f\xff\xff\xff\xff\xff\xff\xff");
  const std::string oid("\xff\xff\xff\xff");
  const std::string bytes("\x00\xab", 2);
  const Row row = {Binary(minus_two), Binary(big),   Binary(oid),
                   Binary("x"),       Binary(bytes), Binary("")};
  EXPECT_EQ(
      DescribeKey(
          {.kind = ChangeKind::kInsert, .relation = &relation, .row = row}),
      "i2=-2, i8=9223372036854775807, oid=4294967295, text=x, "
      "uuid=0x00ab, odd=0x");
}

TEST(DescribeKeyTest, CutsLongValuesBetweenCharacters) {
  const SourceRelation relation =
      Relation(ReplicaIdentity::kDefault, {{.name = "k", .key = true}});
  const std::string fits(200, 'x');
  const Row fitting = {Text(fits)};
  EXPECT_EQ(
      DescribeKey(
          {.kind = ChangeKind::kInsert, .relation = &relation, .row = fitting}),
      "k=" + fits);
  const std::string long_value = std::string(199, 'x') + "\xc3\xa9y";
  const Row cut = {Text(long_value)};
  EXPECT_EQ(
      DescribeKey(
          {.kind = ChangeKind::kInsert, .relation = &relation, .row = cut}),
      "k=" + std::string(199, 'x') + "...");
}

class ConflictTest : public ::testing::Test {
 protected:
  ConflictTest() : relation_(std::make_shared<const SourceRelation>(kKeyed)) {
    const int64_t time = ToPgTime(absl::FromUnixMicros(1795236660123456));
    batch_.BeginTransaction(
        {.final_lsn = Lsn(0x10), .commit_time = time, .xid = 735});
    batch_.AddInsert(relation_, {});
    batch_.CommitTransaction({.commit_lsn = Lsn(0x10),
                              .end_lsn = Lsn(0x15EFC00),
                              .commit_time = time});
    batch_.BeginTransaction(
        {.final_lsn = Lsn(0x20), .commit_time = time, .xid = 736});
    batch_.AddUpdate(relation_, {});
    batch_.AddTruncate({relation_, relation_}, false);
  }

  std::shared_ptr<const SourceRelation> relation_;
  ChangeBatch batch_;
};

TEST_F(ConflictTest, DescribesChanges) {
  EXPECT_EQ(DescribeChange(batch_, 0),
            "insert of public.t, transaction 735, committed "
            "2026-11-21T04:51:00.123456Z, ending at 0/15EFC00");
  EXPECT_EQ(DescribeChange(batch_, 1),
            "update of public.t, transaction 736, committed "
            "2026-11-21T04:51:00.123456Z");
  EXPECT_EQ(DescribeChange(batch_, 2),
            "truncate of public.t, public.t, transaction 736, committed "
            "2026-11-21T04:51:00.123456Z");
}

TEST_F(ConflictTest, TypesFollowTheError) {
  const absl::Status unique =
      WithSqlState(absl::AlreadyExistsError("duplicate key"), "23505");
  EXPECT_EQ(ConflictOf(batch_, 0, unique, "").type, "insert_exists");
  EXPECT_EQ(ConflictOf(batch_, 1, unique, "").type, "update_exists");
  EXPECT_EQ(ConflictOf(batch_, 2, unique, "").type, "error");
  const absl::Status exclusion =
      WithSqlState(absl::AlreadyExistsError("conflicting key"), "23P01");
  EXPECT_EQ(ConflictOf(batch_, 0, exclusion, "").type, "error");
  EXPECT_EQ(
      ConflictOf(batch_, 1, absl::InternalError("x"), "update_missing").type,
      "update_missing");
}

TEST_F(ConflictTest, HoldsAllFacts) {
  const Conflict conflict = ConflictOf(
      batch_, 0, WithSqlState(absl::InternalError("too long"), "22001"), "");
  EXPECT_EQ(conflict.relation, kKeyed.name);
  EXPECT_EQ(conflict.kind, ChangeKind::kInsert);
  EXPECT_EQ(conflict.xid, 735);
  EXPECT_EQ(conflict.commit_lsn, Lsn(0x10));
  EXPECT_EQ(conflict.end_lsn, Lsn(0x15EFC00));
  EXPECT_EQ(conflict.commit_time, absl::FromUnixMicros(1795236660123456));
  EXPECT_EQ(conflict.type, "error");
  EXPECT_EQ(conflict.sqlstate, "22001");
  EXPECT_EQ(conflict.message, "too long");
}

}  // namespace
}  // namespace walferry
