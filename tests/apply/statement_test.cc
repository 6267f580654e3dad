#include "apply/statement.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

ColumnSet Columns(std::vector<size_t> columns) {
  ColumnSet set;
  for (const size_t column : columns) set.Add(column);
  return set;
}

// Its text, and where its parameters come from: "new 0" and "old 1".
std::string ToText(const Statement& statement) {
  std::string text = statement.sql;
  for (const StatementParameter& parameter : statement.parameters) {
    absl::StrAppend(&text, " | ", parameter.old_row ? "old " : "new ",
                    parameter.column);
  }
  return text;
}

std::vector<std::string> Build(const TableMapping& table, ChangeShape shape) {
  std::vector<std::string> texts;
  for (const Statement& statement : BuildStatements(table, shape)) {
    texts.push_back(ToText(statement));
  }
  return texts;
}

const TargetColumn kId = KeyColumn(TypedColumn("id", "pg_catalog.int4"));
const TargetColumn kText = TypedColumn("v", "pg_catalog.text");

TEST(BuildStatementsTest, Insert) {
  EXPECT_THAT(Build(MapColumns({kId, kText}), {.kind = ChangeKind::kInsert}),
              ElementsAre("INSERT INTO \"public\".\"t\" (\"id\", \"v\") VALUES "
                          "($1, $2) | new 0 | new 1"));
}

TEST(BuildStatementsTest, InsertLeavesOutWhatIsGeneratedOrOwn) {
  EXPECT_THAT(
      Build(MapColumns({GeneratedColumn(TypedColumn("g", "pg_catalog.int4")),
                        kId, TypedColumn("own", "pg_catalog.int4"), kText}),
            {.kind = ChangeKind::kInsert}),
      ElementsAre("INSERT INTO \"public\".\"t\" (\"id\", \"v\") VALUES ($1, "
                  "$2) | new 1 | new 2"));
}

TEST(BuildStatementsTest, InsertOfNothing) {
  EXPECT_THAT(
      Build(MapColumns({GeneratedColumn(TypedColumn("g", "pg_catalog.int4"))}),
            {.kind = ChangeKind::kInsert}),
      ElementsAre("INSERT INTO \"public\".\"t\" DEFAULT VALUES"));
  EXPECT_THAT(Build(MapColumns({}), {.kind = ChangeKind::kInsert}),
              ElementsAre("INSERT INTO \"public\".\"t\" DEFAULT VALUES"));
}

TEST(BuildStatementsTest, InsertOverridesIdentity) {
  EXPECT_THAT(Build(MapColumns({IdentityAlwaysColumn(kId)}),
                    {.kind = ChangeKind::kInsert}),
              ElementsAre("INSERT INTO \"public\".\"t\" (\"id\") OVERRIDING "
                          "SYSTEM VALUE VALUES ($1) | new 0"));
}

TEST(BuildStatementsTest, UpdateByTheKeyOfTheNewRow) {
  EXPECT_THAT(
      Build(MapColumns({kId, kText}), {.kind = ChangeKind::kUpdate}),
      ElementsAre("UPDATE ONLY \"public\".\"t\" SET \"id\" = $1, \"v\" = $2 "
                  "WHERE \"id\" OPERATOR(pg_catalog.=) $3::pg_catalog.int4 | "
                  "new 0 | new 1 | new 0"));
}

TEST(BuildStatementsTest, UpdateByTheKeyOfTheOldRow) {
  EXPECT_THAT(
      Build(MapColumns(
                {kId, kText, KeyColumn(TypedColumn("k", "pg_catalog.bpchar"))}),
            {.kind = ChangeKind::kUpdate,
             .found_by_old_row = true,
             .unchanged = Columns({1})}),
      ElementsAre("UPDATE ONLY \"public\".\"t\" SET \"id\" = $1, \"k\" = $2 "
                  "WHERE \"id\" OPERATOR(pg_catalog.=) $3::pg_catalog.int4 AND "
                  "\"k\" OPERATOR(pg_catalog.=) $4::pg_catalog.bpchar | new 0 "
                  "| new 2 | old 0 | old 2"));
}

TEST(BuildStatementsTest, UpdateOfNothingLocksTheRow) {
  EXPECT_THAT(
      Build(MapColumns({kId, kText}), {.kind = ChangeKind::kUpdate,
                                       .found_by_old_row = true,
                                       .unchanged = Columns({0, 1})}),
      ElementsAre("SELECT 1 FROM ONLY \"public\".\"t\" WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $1::pg_catalog.int4 FOR NO KEY "
                  "UPDATE | old 0"));
}

TEST(BuildStatementsTest, PartitionedTablesAreMeantWithTheirPartitions) {
  const TableMapping table = MapColumns({kId}, false, /*partitioned=*/true);
  EXPECT_THAT(Build(table, {.kind = ChangeKind::kUpdate}),
              ElementsAre("UPDATE \"public\".\"t\" SET \"id\" = $1 WHERE "
                          "\"id\" OPERATOR(pg_catalog.=) $2::pg_catalog.int4 | "
                          "new 0 | new 0"));
  EXPECT_THAT(
      Build(table, {.kind = ChangeKind::kDelete, .found_by_old_row = true}),
      ElementsAre("DELETE FROM \"public\".\"t\" WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $1::pg_catalog.int4 | old 0"));
}

TEST(BuildStatementsTest, WholeRowsAreFoundByPlace) {
  const std::vector<TargetColumn> columns = {
      TypedColumn("a", "pg_catalog.int4"), TypedColumn("b", "pg_catalog.text")};
  const ChangeShape removal = {.kind = ChangeKind::kDelete,
                               .found_by_old_row = true,
                               .null_lookup = Columns({1})};
  EXPECT_THAT(
      Build(MapColumns(columns, /*full=*/true), removal),
      ElementsAre("DELETE FROM ONLY \"public\".\"t\" WHERE ctid = (SELECT ctid "
                  "FROM ONLY \"public\".\"t\" WHERE \"a\" "
                  "OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND \"b\" IS NOT "
                  "DISTINCT FROM NULL LIMIT 1 FOR UPDATE) | old 0"));
  EXPECT_THAT(
      Build(MapColumns(columns, /*full=*/true, /*partitioned=*/true), removal),
      ElementsAre("DELETE FROM \"public\".\"t\" WHERE (tableoid, ctid) = "
                  "(SELECT tableoid, ctid FROM \"public\".\"t\" WHERE \"a\" "
                  "OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND \"b\" IS NOT "
                  "DISTINCT FROM NULL LIMIT 1 FOR UPDATE) | old 0"));
  EXPECT_THAT(
      Build(MapColumns({}, /*full=*/true),
            {.kind = ChangeKind::kDelete, .found_by_old_row = true}),
      ElementsAre("DELETE FROM ONLY \"public\".\"t\" WHERE ctid = (SELECT ctid "
                  "FROM ONLY \"public\".\"t\" LIMIT 1 FOR UPDATE)"));
}

TEST(BuildStatementsTest, WholeRowsOfTypesThatAreOddAboutEquality) {
  TargetColumn numeric = TypedColumn("n", "pg_catalog.\"numeric\"");
  numeric.equal_is_identical = false;
  TargetColumn json = TypedColumn("j", "pg_catalog.json");
  json.equality = "";
  TargetColumn citext = TypedColumn("c", "public.citext");
  citext.equality = "OPERATOR(public.=)";
  TargetColumn domain = TypedColumn("d", "public.mood");
  domain.base_type = "public.\"Mood\"";
  EXPECT_THAT(
      Build(MapColumns({numeric, json, citext, domain}, /*full=*/true),
            {.kind = ChangeKind::kDelete, .found_by_old_row = true}),
      ElementsAre(
          "DELETE FROM ONLY \"public\".\"t\" WHERE ctid = (SELECT ctid FROM "
          "ONLY \"public\".\"t\" WHERE "
          "\"n\" OPERATOR(pg_catalog.=) $1::pg_catalog.\"numeric\" AND "
          "\"j\" IS DISTINCT FROM NULL AND "
          "pg_catalog.concat(\"j\") COLLATE pg_catalog.\"C\" "
          "OPERATOR(pg_catalog.=) "
          "pg_catalog.concat($2::pg_catalog.json) COLLATE pg_catalog.\"C\" AND "
          "\"c\" OPERATOR(public.=) $3::public.citext AND "
          "\"d\"::public.\"Mood\" OPERATOR(pg_catalog.=) "
          "$4::public.\"Mood\" "
          "ORDER BY pg_catalog.concat(\"n\") COLLATE pg_catalog.\"C\" "
          "OPERATOR(pg_catalog.=) "
          "pg_catalog.concat($1::pg_catalog.\"numeric\") COLLATE "
          "pg_catalog.\"C\" DESC LIMIT 1 FOR UPDATE)"
          " | old 0 | old 1 | old 2 | old 3"));
}

TEST(BuildStatementsTest, IdentityThatStaysIsNotSet) {
  EXPECT_THAT(
      Build(MapColumns({IdentityAlwaysColumn(kId), kText}),
            {.kind = ChangeKind::kUpdate}),
      ElementsAre("UPDATE ONLY \"public\".\"t\" SET \"v\" = $1 WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $2::pg_catalog.int4 | new 1 | new "
                  "0"));
}

TEST(BuildStatementsTest, IdentityThatChangesMovesTheRow) {
  const TableMapping table = MapColumns(
      {IdentityAlwaysColumn(kId), kText, TypedColumn("own", "pg_catalog.int4"),
       GeneratedColumn(TypedColumn("g", "pg_catalog.int4")),
       TypedColumn("code", "public.code")});
  EXPECT_THAT(
      Build(table, {.kind = ChangeKind::kUpdate,
                    .found_by_old_row = true,
                    .identity_change = IdentityChange::kYes,
                    .unchanged = Columns({1})}),
      ElementsAre("WITH old AS (DELETE FROM ONLY \"public\".\"t\" WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $3::pg_catalog.int4 RETURNING "
                  "\"v\", \"own\") INSERT INTO \"public\".\"t\" (\"id\", "
                  "\"v\", \"own\", \"code\") OVERRIDING SYSTEM VALUE SELECT "
                  "$1::pg_catalog.int4, old.\"v\", old.\"own\", "
                  "$2::public.code FROM old | new 0 | new 3 | old 0"));
  EXPECT_THAT(
      Build(MapColumns({IdentityAlwaysColumn(kId)}),
            {.kind = ChangeKind::kUpdate,
             .found_by_old_row = true,
             .identity_change = IdentityChange::kYes}),
      ElementsAre("WITH old AS (DELETE FROM ONLY \"public\".\"t\" WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $2::pg_catalog.int4 RETURNING 1) "
                  "INSERT INTO \"public\".\"t\" (\"id\") OVERRIDING SYSTEM "
                  "VALUE SELECT $1::pg_catalog.int4 FROM old | new 0 | old "
                  "0"));
}

TEST(BuildStatementsTest, IdentityThatMayChangeIsLookedAt) {
  EXPECT_THAT(
      Build(MapColumns({kId, IdentityAlwaysColumn(
                                 TypedColumn("n", "pg_catalog.int8"))}),
            {.kind = ChangeKind::kUpdate,
             .identity_change = IdentityChange::kUnknown}),
      ElementsAre("UPDATE ONLY \"public\".\"t\" SET \"id\" = $1 WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $2::pg_catalog.int4 AND \"n\" "
                  "OPERATOR(pg_catalog.=) $3::pg_catalog.int8 | new 0 | new 0 "
                  "| new 1",
                  "WITH old AS (DELETE FROM ONLY \"public\".\"t\" WHERE \"id\" "
                  "OPERATOR(pg_catalog.=) $3::pg_catalog.int4 AND NOT (\"n\" "
                  "OPERATOR(pg_catalog.=) $4::pg_catalog.int8) RETURNING 1) "
                  "INSERT INTO \"public\".\"t\" (\"id\", \"n\") OVERRIDING "
                  "SYSTEM VALUE SELECT $1::pg_catalog.int4, "
                  "$2::pg_catalog.int8 FROM old | new 0 | new 1 | new 0 | new "
                  "1"));
}

TEST(BuildStatementsTest, NamesAreQuoted) {
  SourceRelation source{.id = 1,
                        .name = {"a\"b", "$1 t"},
                        .columns = {{.name = "x\"y\nz", .key = true}}};
  ASSERT_OK_AND_ASSIGN(const TableMapping table,
                       MapTable(source, {.name = source.name,
                                         .columns = {KeyColumn(TypedColumn(
                                             "x\"y\nz", "pg_catalog.int4"))}}));
  EXPECT_THAT(
      Build(table, {.kind = ChangeKind::kDelete, .found_by_old_row = true}),
      ElementsAre("DELETE FROM ONLY \"a\"\"b\".\"$1 t\" WHERE "
                  "\"x\"\"y\nz\" OPERATOR(pg_catalog.=) "
                  "$1::pg_catalog.int4 | old 0"));
}

TEST(BuildTruncateTest, TakesAllTablesAtOnce) {
  const TargetTable a{.name = {"public", "a"}};
  const TargetTable p{.name = {"s\"", "p"}, .partitioned = true};
  EXPECT_EQ(BuildTruncate({&a, &p}, /*restart_identity=*/true),
            "TRUNCATE ONLY \"public\".\"a\", \"s\"\"\".\"p\" RESTART IDENTITY "
            "RESTRICT");
  EXPECT_EQ(BuildTruncate({&a}, /*restart_identity=*/false),
            "TRUNCATE ONLY \"public\".\"a\" CONTINUE IDENTITY RESTRICT");
}

TEST(BuildStatementsTest, BinaryValuesAreOfTheTypeThatWasSent) {
  SourceRelation source{.id = 1, .name = {"public", "t"}};
  source.columns = {{.name = "id", .key = true, .type_oid = 23},
                    {.name = "v", .type_oid = 1700}};
  ASSERT_OK_AND_ASSIGN(
      const TableMapping table,
      MapTable(source, {.name = source.name, .columns = {kText, kId}}));
  ChangeShape update{.kind = ChangeKind::kUpdate, .binary = true};
  EXPECT_THAT(BuildStatements(table, update).front().types,
              ElementsAre(23, 1700, 23));
  update.binary = false;
  EXPECT_THAT(BuildStatements(table, update).front().types, ElementsAre());
}

}  // namespace
}  // namespace walferry
