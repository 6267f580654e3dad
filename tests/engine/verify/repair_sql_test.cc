#include "engine/verify/repair_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TablePair Orders() {
  TablePair table;
  table.name = {"public", "orders"};
  table.columns = {"id", "Note"};
  table.key = {"id"};
  table.target.storage = {{.oid = 16384, .name = table.name}};
  table.target.from = "ONLY \"public\".\"orders\"";
  table.target.columns = {"\"id\"", "\"Note\""};
  table.target.texts = {"textin(int4out(\"id\"))", "\"Note\"::text"};
  table.target.marked_texts = {"textin(int4out(\"id\"))",
                               "coalesce('=' || \"Note\"::text, '-')"};
  table.target.key = {"\"id\""};
  table.target.key_texts = {"textin(int4out(\"id\"))"};
  return table;
}

constexpr char kIsTheRow[] =
    " WHERE ctid = '(0,7)' AND textin(int4out(\"id\")) = '17' AND "
    "hashtextextended(coalesce('=' || \"Note\"::text, '-') COLLATE \"C\", "
    "hashtextextended(textin(int4out(\"id\")) COLLATE \"C\", 0)) = -42";

TEST(RepairSql, DeletesTheRowThatWasCompared) {
  EXPECT_EQ(DeleteRowSql(Orders(), RowHash::kHashText,
                         {.ctid = "(0,7)", .hash = "-42", .key = {"17"}}),
            std::string("DELETE FROM ONLY \"public\".\"orders\"") + kIsTheRow);
}

TEST(RepairSql, NamesThePartitionThatHasTheRow) {
  EXPECT_THAT(DeleteRowSql(Orders(), RowHash::kHashText,
                           {.table = "public.part",
                            .ctid = "(0,7)",
                            .hash = "-42",
                            .key = {"17"}}),
              std::string("DELETE FROM ONLY public.part") + kIsTheRow);
}

TEST(RepairSql, NamesARowWithoutAKeyByItsHash) {
  TablePair table = Orders();
  table.key.clear();
  table.target.key_texts.clear();
  EXPECT_THAT(
      DeleteRowSql(table, RowHash::kMd5, {.ctid = "(0,7)", .hash = "9"}),
      EndsWith(" WHERE ctid = '(0,7)' AND ('x' || left(md5(convert_to("
               "ROW(\"id\", \"Note\")::text, 'UTF8')), "
               "16))::bit(64)::bigint = 9"));
}

TEST(RepairSql, WritesValuesAsLiteralsOfNoType) {
  EXPECT_EQ(UpdateRowSql(Orders(), RowHash::kHashText,
                         {.ctid = "(0,7)", .hash = "-42", .key = {"17"}},
                         {{"Note", "it's \\"}, {"b", std::nullopt}}),
            std::string("UPDATE ONLY \"public\".\"orders\" SET \"Note\" = "
                        "E'it''s \\\\', \"b\" = NULL") +
                kIsTheRow);
}

TEST(RepairSql, InsertsManyRowsAtOnce) {
  const std::vector<std::string> tuples = {TupleSql({"1", std::nullopt}),
                                           TupleSql({"2", ""})};
  EXPECT_EQ(InsertRowsSql({"public", "orders"}, {"id", "Note"}, tuples),
            "INSERT INTO \"public\".\"orders\" (\"id\", \"Note\") OVERRIDING "
            "SYSTEM VALUE VALUES\n  ('1', NULL),\n  ('2', '')");
}

TEST(RepairSql, InsertsRowsOfNoColumn) {
  EXPECT_EQ(InsertRowsSql({"s", "t"}, {}, {TupleSql({}), TupleSql({})}),
            "INSERT INTO \"s\".\"t\" DEFAULT VALUES;\n"
            "INSERT INTO \"s\".\"t\" DEFAULT VALUES");
}

TEST(RepairSql, BeginsWithWhatTheRoleMay) {
  EXPECT_THAT(BeginRepairSql(/*replica_role=*/true),
              ElementsAre("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
                          "SET LOCAL session_replication_role = 'replica'",
                          "SET CONSTRAINTS ALL DEFERRED"));
  EXPECT_THAT(BeginRepairSql(/*replica_role=*/false),
              ElementsAre("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
                          "SET CONSTRAINTS ALL DEFERRED"));
  EXPECT_EQ(LockTableSql(Orders()),
            "LOCK TABLE ONLY \"public\".\"orders\" IN SHARE ROW EXCLUSIVE "
            "MODE");
  TablePair tree = Orders();
  tree.target.storage = {{.oid = 1, .name = {"s", "a"}},
                         {.oid = 2, .name = {"s", "b"}}};
  EXPECT_EQ(LockTableSql(tree),
            "LOCK TABLE ONLY \"s\".\"a\", ONLY \"s\".\"b\" IN SHARE ROW "
            "EXCLUSIVE MODE");
}

TEST(RepairSql, PinsWhatValuesMean) {
  const std::string settings =
      RepairSettingsSql(180000, "UTF8", /*round_floats=*/false);
  EXPECT_THAT(settings, HasSubstr("SET search_path = '';"));
  EXPECT_THAT(settings, HasSubstr("SET datestyle = 'ISO, MDY';"));
  EXPECT_THAT(settings, EndsWith("SET client_encoding = 'UTF8'"));
  EXPECT_THAT(settings, Not(HasSubstr("SET extra_float_digits = 0;")));
  EXPECT_THAT(RepairSettingsSql(180000, "UTF8", /*round_floats=*/true),
              HasSubstr("SET extra_float_digits = 0;"));
}

}  // namespace
}  // namespace walferry
