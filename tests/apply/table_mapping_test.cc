#include "apply/table_mapping.h"

#include <string>
#include <utility>
#include <vector>

#include "apply/text_needed.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SourceRelation Source(std::vector<std::pair<std::string, bool>> columns,
                      ReplicaIdentity identity = ReplicaIdentity::kDefault) {
  SourceRelation relation{
      .id = 1, .name = {"public", "t"}, .identity = identity};
  for (auto& [name, key] : columns) {
    relation.columns.push_back({.name = name, .key = key});
  }
  return relation;
}

TargetTable Target(std::vector<std::pair<std::string, bool>> columns) {
  TargetTable table{.name = {"public", "t"}};
  for (auto& [name, key] : columns) {
    table.columns.push_back({.name = name, .key = key});
  }
  return table;
}

TEST(MapTableTest, MatchesColumnsByExactName) {
  ASSERT_OK_AND_ASSIGN(
      const TableMapping mapping,
      MapTable(
          Source({{"id", true}, {"v", false}, {"V", false}}),
          Target({{"V", false}, {"own", false}, {"v", false}, {"id", true}})));
  EXPECT_THAT(mapping.target_columns, ElementsAre(3, 2, 0));
  EXPECT_EQ(mapping.TargetOf(2).name, "V");
  EXPECT_THAT(mapping.lookup, ElementsAre(0));
  EXPECT_TRUE(mapping.lookup_is_key);
  EXPECT_OK(mapping.updatable);
}

TEST(MapTableTest, NamesEveryMissingColumn) {
  EXPECT_THAT(MapTable(Source({{"id", true}, {"b", false}, {"a", false}}),
                       Target({{"id", true}, {"B", false}})),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target relation \"public.t\" is missing replicated "
                       "columns: \"b\", \"a\""));
  const absl::Status status =
      MapTable(Source({{"id", true}}), Target({})).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "target relation \"public.t\" is missing "
                               "replicated column: \"id\""));
  EXPECT_EQ(HintOf(status),
            "add what is missing on the target, as the source has it, and run "
            "again");
}

TEST(MapTableTest, LooksUpByTheTargetsKeyInTheSourcesOrder) {
  ASSERT_OK_AND_ASSIGN(
      const TableMapping mapping,
      MapTable(Source({{"a", true}, {"b", true}, {"c", true}}),
               Target({{"c", true}, {"b", false}, {"a", true}})));
  EXPECT_THAT(mapping.lookup, ElementsAre(0, 2));
  EXPECT_TRUE(mapping.lookup_is_key);
}

TEST(MapTableTest, AKeyThatTheSourceDoesNotSendIsAnError) {
  ASSERT_OK_AND_ASSIGN(
      TableMapping mapping,
      MapTable(Source({{"a", true}, {"b", false}, {"c", false}}),
               Target({{"a", true}, {"b", true}, {"c", true}})));
  EXPECT_THAT(mapping.updatable,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the source does not send the replica identity that "
                       "target relation \"public.t\" is found by, columns: "
                       "\"b\", \"c\""));
  // Nor a column that the source does not have.
  ASSERT_OK_AND_ASSIGN(mapping, MapTable(Source({{"a", true}}),
                                         Target({{"a", true}, {"own", true}})));
  EXPECT_FALSE(mapping.updatable.ok());
}

TEST(MapTableTest, WithoutAnyKeyOnlyWholeRowsWillDo) {
  ASSERT_OK_AND_ASSIGN(TableMapping mapping,
                       MapTable(Source({{"a", true}, {"b", false}}),
                                Target({{"a", false}, {"b", false}})));
  EXPECT_THAT(mapping.updatable,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target relation \"public.t\" has neither a replica "
                       "identity index nor a primary key, and the source does "
                       "not send whole old rows"));
  ASSERT_OK_AND_ASSIGN(mapping, MapTable(Source({{"a", true}, {"b", true}},
                                                ReplicaIdentity::kFull),
                                         Target({{"a", false}, {"b", false}})));
  EXPECT_OK(mapping.updatable);
  EXPECT_THAT(mapping.lookup, ElementsAre(0, 1));
  EXPECT_FALSE(mapping.lookup_is_key);
}

TEST(MapTableTest, WholeRowsAreComparedWithoutGeneratedColumns) {
  TargetTable target = Target({{"a", false}, {"g", false}, {"own", true}});
  target.columns[1].generated = true;
  ASSERT_OK_AND_ASSIGN(
      const TableMapping mapping,
      MapTable(Source({{"g", true}, {"a", true}}, ReplicaIdentity::kFull),
               std::move(target)));
  EXPECT_OK(mapping.updatable);
  EXPECT_THAT(mapping.lookup, ElementsAre(1));
  EXPECT_FALSE(mapping.lookup_is_key);
}

TEST(MapTableTest, OtherKeysAreThoseWhoseValuesCanBeCompared) {
  TargetTable target =
      Target({{"id", true}, {"a", false}, {"b", false}, {"own", false}});
  for (TargetColumn& column : target.columns) column.equality = "=";
  target.other_keys = {{2, 1}, {3}, {1, 3}, {1}};
  const SourceRelation source =
      Source({{"a", false}, {"id", true}, {"b", false}});
  ASSERT_OK_AND_ASSIGN(const TableMapping mapping, MapTable(source, target));
  EXPECT_THAT(mapping.other_keys,
              ElementsAre(ElementsAre(2, 0), ElementsAre(0)));
  target.columns[2].equality = "";
  target.columns[1].generated = true;
  ASSERT_OK_AND_ASSIGN(const TableMapping without, MapTable(source, target));
  EXPECT_THAT(without.other_keys, IsEmpty());
}

// Of a column each, "id" and "v".
TableMapping MapTypes(std::vector<uint32_t> source_types,
                      std::vector<uint32_t> target_types) {
  SourceRelation source = Source({{"id", true}, {"v", false}});
  TargetTable target = Target({{"v", false}, {"id", true}});
  source.columns[0].type_oid = source_types[0];
  source.columns[1].type_oid = source_types[1];
  target.columns[1].type_oid = target_types[0];
  target.columns[0].type_oid = target_types[1];
  return *MapTable(source, std::move(target));
}

TEST(MapTableTest, TakesBinaryValuesOfTheSamePortableTypesOnly) {
  EXPECT_OK(MapTypes({23, 25}, {23, 25}).takes_binary);
  const absl::Status status = MapTypes({23, 25}, {20, 25}).takes_binary;
  EXPECT_TRUE(IsTextNeeded(status));
  EXPECT_EQ(status.message(),
            "column \"id\" of target relation \"public.t\" takes no binary "
            "values: it is of type 20, the source's of type 23");
  // Of one type on both sides, but money.
  EXPECT_TRUE(IsTextNeeded(MapTypes({23, 790}, {23, 790}).takes_binary));
  // As long, and something else.
  EXPECT_TRUE(IsTextNeeded(MapTypes({23, 700}, {23, 23}).takes_binary));
}

}  // namespace
}  // namespace walferry
