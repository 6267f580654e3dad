#include "apply/taken_values.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"

namespace walferry {
namespace {

const TargetColumn kId = KeyColumn(TypedColumn("id", "pg_catalog.int8"));
const TargetColumn kA = TypedColumn("A", "pg_catalog.text");

std::string Build(const TableMapping& table) {
  const std::vector<Statement> statements =
      BuildStatements(table, TakenValuesShape());
  return statements.size() == 1 ? statements[0].sql : "not one statement";
}

TEST(TakenValuesTest, AsksForEachKeyWhetherAnotherRowHasIt) {
  TableMapping table =
      MapColumns({kId, kA, TypedColumn("b", "pg_catalog.int4")});
  table.other_keys = {{1}, {2, 1}};
  EXPECT_EQ(
      Build(table),
      "SELECT v.ordinal FROM pg_catalog.unnest($1::\"public\".\"t\"[]) WITH "
      "ORDINALITY AS v (\"id\", \"A\", \"b\", ordinal) WHERE "
      "EXISTS (SELECT FROM ONLY \"public\".\"t\" AS o WHERE "
      "o.\"A\" OPERATOR(pg_catalog.=) v.\"A\" AND NOT "
      "(o.\"id\" OPERATOR(pg_catalog.=) v.\"id\")) OR "
      "EXISTS (SELECT FROM ONLY \"public\".\"t\" AS o WHERE "
      "o.\"b\" OPERATOR(pg_catalog.=) v.\"b\" AND "
      "o.\"A\" OPERATOR(pg_catalog.=) v.\"A\" AND NOT "
      "(o.\"id\" OPERATOR(pg_catalog.=) v.\"id\"))");
}

TEST(TakenValuesTest, TheOrdinalHasANameOfItsOwn) {
  TableMapping table =
      MapColumns({kId, TypedColumn("ordinal", "pg_catalog.text")});
  table.other_keys = {{1}};
  EXPECT_TRUE(Build(table).starts_with("SELECT v.ordinal_ FROM "))
      << Build(table);
}

}  // namespace
}  // namespace walferry
