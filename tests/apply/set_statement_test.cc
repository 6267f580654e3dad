#include "apply/set_statement.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"

namespace walferry {
namespace {

const TargetColumn kId = KeyColumn(TypedColumn("id", "pg_catalog.int8"));
const TargetColumn kA = TypedColumn("A", "pg_catalog.text");
const TargetColumn kB = TypedColumn("b", "pg_catalog.text");

std::string Build(const TableMapping& table, const SetShape& shape) {
  const std::vector<Statement> statements = BuildStatements(table, shape);
  return statements.size() == 1 ? statements[0].sql : "not one statement";
}

TEST(SetStatementTest, Insert) {
  const SetShape insert = {.kind = ChangeKind::kInsert};
  EXPECT_EQ(Build(MapColumns({kId, kA, GeneratedColumn(kB)}), insert),
            "INSERT INTO \"public\".\"t\" (\"id\", \"A\") SELECT v.\"id\", "
            "v.\"A\" FROM pg_catalog.unnest($1::\"public\".\"t\"[]) AS v");
  EXPECT_EQ(Build(MapColumns({IdentityAlwaysColumn(kId)}), insert),
            "INSERT INTO \"public\".\"t\" (\"id\") OVERRIDING SYSTEM VALUE "
            "SELECT v.\"id\" FROM pg_catalog.unnest($1::\"public\".\"t\"[]) "
            "AS v");
}

TEST(SetStatementTest, Update) {
  SetShape update = {.kind = ChangeKind::kUpdate};
  EXPECT_EQ(Build(MapColumns({kId, kA, kB}), update),
            "UPDATE ONLY \"public\".\"t\" AS o SET \"A\" = v.\"A\", \"b\" = "
            "v.\"b\" FROM pg_catalog.unnest($1::\"public\".\"t\"[]) AS v "
            "WHERE o.\"id\" OPERATOR(pg_catalog.=) v.\"id\"");
  update.unchanged.Add(1);
  EXPECT_EQ(Build(MapColumns({kId, kA, kB}), update),
            "UPDATE ONLY \"public\".\"t\" AS o SET \"b\" = v.\"b\" FROM "
            "pg_catalog.unnest($1::\"public\".\"t\"[]) AS v "
            "WHERE o.\"id\" OPERATOR(pg_catalog.=) v.\"id\"");
}

TEST(SetStatementTest, AnUpdateThatSetsNothingLooksForTheRows) {
  const SetShape update = {.kind = ChangeKind::kUpdate};
  EXPECT_EQ(Build(MapColumns({kId, GeneratedColumn(kA)}), update),
            "SELECT 1 FROM ONLY \"public\".\"t\" AS o JOIN "
            "pg_catalog.unnest($1::\"public\".\"t\"[]) AS v ON "
            "o.\"id\" OPERATOR(pg_catalog.=) v.\"id\" FOR NO KEY UPDATE "
            "OF o");
}

TEST(SetStatementTest, DeleteByAKeyOfOneColumn) {
  const SetShape shape = {.kind = ChangeKind::kDelete};
  EXPECT_EQ(Build(MapColumns({kId, kA}), shape),
            "DELETE FROM ONLY \"public\".\"t\" AS o WHERE o.\"id\" "
            "OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.int8[])");
  EXPECT_EQ(
      Build(MapColumns({kId, kA}, /*full=*/false, /*partitioned=*/true), shape),
      "DELETE FROM \"public\".\"t\" AS o WHERE o.\"id\" "
      "OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.int8[])");
}

TEST(SetStatementTest, DeleteByAKeyThatNoArrayCanHold) {
  const SetShape shape = {.kind = ChangeKind::kDelete};
  TargetColumn domain = KeyColumn(TypedColumn("d", "public.mood_domain"));
  domain.base_type = "public.mood";
  domain.array_type = "";
  EXPECT_EQ(Build(MapColumns({domain}), shape),
            "DELETE FROM ONLY \"public\".\"t\" AS o USING "
            "pg_catalog.unnest($1::\"public\".\"t\"[]) AS v WHERE "
            "o.\"d\"::public.mood OPERATOR(pg_catalog.=) "
            "v.\"d\"::public.mood");
  EXPECT_EQ(Build(MapColumns({kId, KeyColumn(kA)}), shape),
            "DELETE FROM ONLY \"public\".\"t\" AS o USING "
            "pg_catalog.unnest($1::\"public\".\"t\"[]) AS v WHERE "
            "o.\"id\" OPERATOR(pg_catalog.=) v.\"id\" AND "
            "o.\"A\" OPERATOR(pg_catalog.=) v.\"A\"");
}

TEST(SetStatementTest, CopyIn) {
  const TableMapping table = MapColumns({kId, GeneratedColumn(kB), kA});
  EXPECT_EQ(BuildCopyIn(table, /*binary=*/false),
            "COPY \"public\".\"t\" (\"id\", \"A\") FROM STDIN");
  EXPECT_EQ(BuildCopyIn(table, /*binary=*/true),
            "COPY \"public\".\"t\" (\"id\", \"A\") FROM STDIN "
            "(FORMAT binary)");
}

}  // namespace
}  // namespace walferry
