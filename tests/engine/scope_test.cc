#include "engine/scope.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace walferry {
namespace {

Scope Make(ScopeOptions options) {
  absl::StatusOr<Scope> scope = Scope::Create(std::move(options));
  EXPECT_TRUE(scope.ok()) << scope.status();
  return *std::move(scope);
}

TEST(Scope, IncludesEverythingButSystemSchemasByDefault) {
  const Scope scope = Make({});
  EXPECT_TRUE(scope.IncludesSchema("public"));
  EXPECT_TRUE(scope.IncludesSchema("Pg_upper"));
  EXPECT_TRUE(scope.IncludesSchema("pgstuff"));
  EXPECT_TRUE(scope.IncludesTable({"public", "t"}));
  EXPECT_TRUE(scope.IncludesData({"public", "t"}));
  EXPECT_FALSE(scope.IncludesSchema("pg_catalog"));
  EXPECT_FALSE(scope.IncludesSchema("pg_temp_3"));
  EXPECT_FALSE(scope.IncludesSchema("information_schema"));
  EXPECT_FALSE(scope.IncludesTable({"pg_toast", "t"}));
  EXPECT_FALSE(scope.IncludesData({"pg_toast", "t"}));
}

TEST(Scope, NeverIncludesASystemSchemaThatAPatternMatches) {
  EXPECT_FALSE(Make({.schemas = {"*"}}).IncludesSchema("pg_catalog"));
  EXPECT_FALSE(
      Make({.tables = {"pg_catalog.*"}}).IncludesTable({"pg_catalog", "t"}));
}

TEST(Scope, TakesOnlyTheSchemasThatAreAskedFor) {
  const Scope scope = Make({.schemas = {"app_*", "x"}});
  EXPECT_TRUE(scope.IncludesSchema("app_1"));
  EXPECT_TRUE(scope.IncludesSchema("x"));
  EXPECT_FALSE(scope.IncludesSchema("app"));
  EXPECT_FALSE(scope.IncludesSchema("xy"));
  EXPECT_FALSE(scope.IncludesSchema("X"));
  EXPECT_TRUE(scope.IncludesTable({"x", "t"}));
  EXPECT_FALSE(scope.IncludesTable({"public", "t"}));
}

TEST(Scope, LetsExclusionWin) {
  const Scope scope = Make({.schemas = {"*"},
                            .exclude_schemas = {"old"},
                            .tables = {"*"},
                            .exclude_tables = {"log"}});
  EXPECT_FALSE(scope.IncludesSchema("old"));
  EXPECT_FALSE(scope.IncludesTable({"old", "t"}));
  EXPECT_FALSE(scope.IncludesTable({"public", "log"}));
  EXPECT_TRUE(scope.IncludesTable({"public", "logs"}));
}

TEST(Scope, DividesATablePatternAtItsFirstDot) {
  const Scope scope = Make({.tables = {"a.b.c", "d", "s?.t[0-9]"}});
  EXPECT_TRUE(scope.IncludesTable({"a", "b.c"}));
  EXPECT_FALSE(scope.IncludesTable({"a.b", "c"}));
  EXPECT_TRUE(scope.IncludesTable({"any", "d"}));
  EXPECT_TRUE(scope.IncludesTable({"s1", "t7"}));
  EXPECT_FALSE(scope.IncludesTable({"s1", "tx"}));
  EXPECT_FALSE(scope.IncludesTable({"s12", "t7"}));
}

TEST(Scope, MatchesSpecialCharactersThatAreEscaped) {
  const Scope scope = Make({.tables = {"a\\*b", "c\\[", "[[]d", "[]]e"}});
  EXPECT_TRUE(scope.IncludesTable({"s", "a*b"}));
  EXPECT_FALSE(scope.IncludesTable({"s", "axb"}));
  EXPECT_TRUE(scope.IncludesTable({"s", "c["}));
  EXPECT_TRUE(scope.IncludesTable({"s", "[d"}));
  EXPECT_TRUE(scope.IncludesTable({"s", "]e"}));
}

TEST(Scope, KeepsATableWithoutItsData) {
  const Scope scope = Make({.exclude_table_data = {"audit.*"}});
  EXPECT_TRUE(scope.IncludesTable({"audit", "t"}));
  EXPECT_FALSE(scope.IncludesData({"audit", "t"}));
  EXPECT_TRUE(scope.IncludesData({"public", "t"}));
}

TEST(Scope, TakesAPartitionWithItsAncestors) {
  const QualifiedName leaf{"parts", "orders_1"};
  const std::vector<QualifiedName> ancestors = {{"public", "orders_eu"},
                                                {"public", "orders"}};
  EXPECT_TRUE(Make({.tables = {"orders"}}).IncludesTable(leaf, ancestors));
  EXPECT_TRUE(Make({.tables = {"parts.*"}}).IncludesTable(leaf, ancestors));
  EXPECT_FALSE(Make({.tables = {"log"}}).IncludesTable(leaf, ancestors));
  EXPECT_FALSE(
      Make({.exclude_tables = {"orders"}}).IncludesTable(leaf, ancestors));
  EXPECT_FALSE(
      Make({.exclude_tables = {"orders_1"}}).IncludesTable(leaf, ancestors));
  EXPECT_FALSE(
      Make({.exclude_schemas = {"public"}}).IncludesTable(leaf, ancestors));
  EXPECT_FALSE(
      Make({.exclude_schemas = {"parts"}}).IncludesTable(leaf, ancestors));
  const Scope without_data = Make({.exclude_table_data = {"orders"}});
  EXPECT_TRUE(without_data.IncludesTable(leaf, ancestors));
  EXPECT_FALSE(without_data.IncludesData(leaf, ancestors));
}

TEST(Scope, DelaysATableWithItsAncestorsAndOnlyWhatIsCarried) {
  const Scope scope = Make({.exclude_table_data = {"audit.*"},
                            .delay_table_data = {"log", "audit.*", "p"}});
  EXPECT_TRUE(scope.DelaysData({"public", "log"}));
  EXPECT_FALSE(scope.DelaysData({"public", "orders"}));
  EXPECT_FALSE(scope.DelaysData({"audit", "x"}));
  const QualifiedName parents[] = {{"public", "q"}, {"public", "p"}};
  EXPECT_TRUE(scope.DelaysData({"public", "p_1"}, parents));
  EXPECT_TRUE(scope.IncludesData({"public", "p_1"}, parents));
}

TEST(Scope, HasNoRowsWhereTheSchemaAloneIsCarried) {
  const QualifiedName table{"public", "orders"};
  const Scope schema = Make({.part = ScopePart::kSchema});
  EXPECT_TRUE(schema.IncludesTable(table));
  EXPECT_FALSE(schema.IncludesData(table));
  const Scope rows = Make({.part = ScopePart::kRows});
  EXPECT_TRUE(rows.IncludesTable(table));
  EXPECT_TRUE(rows.IncludesData(table));
}

TEST(Scope, RefusesMalformedPatterns) {
  const struct {
    ScopeOptions options;
    std::string error;
  } kCases[] = {
      {{.schemas = {""}}, "schema pattern \"\" is empty"},
      {{.exclude_schemas = {"a", "b["}},
       "exclude-schema pattern \"b[\" has a [ without its ]"},
      {{.tables = {"[]"}}, "table pattern \"[]\" has a [ without its ]"},
      {{.tables = {"[\\]"}}, "table pattern \"[\\]\" has a [ without its ]"},
      {{.tables = {".t"}}, "table pattern \".t\": \"\" is empty"},
      {{.exclude_tables = {"s."}},
       "exclude-table pattern \"s.\": \"\" is empty"},
      {{.exclude_tables = {"s.a[!]"}},
       "exclude-table pattern \"s.a[!]\": \"a[!]\" has a [ without its ]"},
      {{.exclude_table_data = {"t\\"}},
       "exclude-table-data pattern \"t\\\" ends with a backslash"},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<Scope> scope = Scope::Create(c.options);
    EXPECT_EQ(scope.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(scope.status().message(), c.error);
  }
}

}  // namespace
}  // namespace walferry
