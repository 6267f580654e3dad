#include "apply/delete_by_values.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TargetColumn Hashes(TargetColumn column) {
  column.hashes = true;
  return column;
}

TargetColumn Indexed(TargetColumn column) {
  column.indexed = true;
  return column;
}

const TargetColumn kA = Hashes(TypedColumn("a", "pg_catalog.int8"));
const TargetColumn kB = TypedColumn("B", "pg_catalog.json");

std::string Build(std::vector<TargetColumn> columns, bool partitioned = false) {
  return BuildDeleteByValues(
      MapColumns(std::move(columns), /*full=*/true, partitioned));
}

TEST(DeleteByValuesTest, IsOneStatement) {
  EXPECT_EQ(Build({kA, kB, GeneratedColumn(TypedColumn("g", "int4"))}),
            absl::StrReplaceAll(
                R"(WITH sent AS MATERIALIZED (
SELECT r.*, pg_catalog.row_number() OVER (PARTITION BY r.image) AS nth
 FROM (SELECT v."a" AS v0, ROW(v."a", v."B")::pg_catalog.text COLLATE
 pg_catalog."C" AS image FROM pg_catalog.unnest($1::"public"."t"[]) AS v)
 AS r),
 found AS MATERIALIZED (
SELECT r.*, pg_catalog.row_number() OVER (PARTITION BY r.image) AS nth
 FROM (SELECT o.tableoid AS part, o.ctid AS place,
 ROW(o."a", o."B")::pg_catalog.text COLLATE pg_catalog."C" AS image
 FROM ONLY "public"."t" AS o
 WHERE (o."a" OPERATOR(pg_catalog.=) ANY (SELECT sent.v0 FROM sent
 WHERE sent.v0 IS NOT NULL) OR o."a" IS NULL)) AS r
 WHERE (r.image OPERATOR(pg_catalog.=) ANY (SELECT sent.image FROM sent))
 IS TRUE)
 DELETE FROM ONLY "public"."t" AS o USING found
 WHERE o.tableoid OPERATOR(pg_catalog.=) found.part
 AND o.ctid OPERATOR(pg_catalog.=) found.place
 AND ROW(o."a", o."B")::pg_catalog.text COLLATE pg_catalog."C"
 OPERATOR(pg_catalog.=) found.image
 AND (ROW(found.image, found.nth) OPERATOR(pg_catalog.=) ANY
 (SELECT sent.image, sent.nth FROM sent)) IS TRUE)",
                {{"\n", ""}}));
  EXPECT_THAT(Build({kA}, /*partitioned=*/true),
              AllOf(HasSubstr("DELETE FROM \"public\".\"t\" AS o "),
                    Not(HasSubstr("ONLY"))));
}

// The table needs no pass where an index tells which rows it may be.
TEST(DeleteByValuesTest, AnIndexComesFirst) {
  EXPECT_THAT(
      Build({kA, Indexed(Hashes(TypedColumn("i", "pg_catalog.int4")))}),
      HasSubstr(" WHERE (o.\"i\" OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT "
                "DISTINCT sent.v0 FROM sent)) OR o.\"i\" IS NULL) AND "
                "(o.\"a\" OPERATOR(pg_catalog.=) ANY (SELECT sent.v1 FROM "
                "sent WHERE sent.v1 IS NOT NULL) OR o.\"a\" IS NULL))"));
  EXPECT_THAT(Build({Indexed(kB)}), Not(HasSubstr("ARRAY")));
}

TEST(DeleteByValuesTest, AFewValuesLeaveOutEnough) {
  std::vector<TargetColumn> columns;
  for (int column = 0; column < 20; ++column) {
    columns.push_back(
        Hashes(TypedColumn(absl::StrCat("c", column), "pg_catalog.int8")));
  }
  const std::string sql = Build(columns);
  EXPECT_THAT(sql, HasSubstr("sent.v7 FROM"));
  EXPECT_THAT(sql, Not(HasSubstr("sent.v8 FROM")));
  EXPECT_THAT(sql, HasSubstr("o.\"c19\""));
}

TEST(DeleteByValuesTest, AValueIsComparedAsWhatItsDomainIsMadeOf) {
  TargetColumn domain = Hashes(TypedColumn("d", "public.feeling"));
  domain.base_type = "public.mood";
  EXPECT_THAT(Build({domain}),
              AllOf(HasSubstr("SELECT v.\"d\"::public.mood AS v0"),
                    HasSubstr("(o.\"d\"::public.mood OPERATOR(pg_catalog.=) "
                              "ANY (SELECT sent.v0 FROM sent WHERE ")));
}

}  // namespace
}  // namespace walferry
