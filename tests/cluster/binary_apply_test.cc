// Values in binary form are taken for nothing but the type that was sent: the
// target's tables are compared with it, also when they are altered meanwhile.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/portable_types.h"
#include "apply/text_needed.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

class BinaryApplyTest : public ReplicaPairTest {
 protected:
  void SetUp() override {
    ReplicaPairTest::SetUp();
    if (!HasFatalFailure()) UsePair({.binary = true});
  }

  // Changes came that must come as text; nothing of them is on the target.
  void ExpectTextNeeded(absl::string_view table) {
    const std::string rows = absl::StrCat("SELECT count(*) FROM ", table);
    const std::string before = TargetValue(rows);
    const absl::Status status = pair().Replicate().status();
    EXPECT_TRUE(IsTextNeeded(status)) << status;
    EXPECT_FALSE(pair().applier().conflict().has_value());
    EXPECT_EQ(TargetValue(rows), before);
    ASSERT_OK(pair().Open());
  }
};

INSTANTIATE_REPLICA_PAIR_TEST(BinaryApplyTest);

TEST_P(BinaryApplyTest, RefusesTypesThatAreNotPortable) {
  ASSERT_OK(
      pair().Both("CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN small AS "
                  "int4; CREATE TYPE pair AS (a int)"));
  const std::vector<std::pair<std::string, std::string>> values = {
      {"mood", "'ok'"},        {"small", "1"},        {"pair", "ROW(1)"},
      {"small[]", "'{1}'"},    {"money", "1"},        {"xml", "'<a/>'"},
      {"interval", "'1 day'"}, {"regclass", "'t_0'"}, {"aclitem", "NULL"},
      {"int2vector", "'1'"},
  };
  for (size_t index = 0; index < values.size(); ++index) {
    const std::string table = absl::StrCat("t_", index);
    ASSERT_OK(pair().Both(absl::StrCat("CREATE TABLE ", table,
                                       " (id int PRIMARY KEY, v ",
                                       values[index].first, ")")));
    ASSERT_OK(pair().Source(absl::StrCat("INSERT INTO ", table, " VALUES (1, ",
                                         values[index].second, ")")));
    ExpectTextNeeded(table);
  }
}

TEST_P(BinaryApplyTest, RefusesAnotherTypeOfTheTarget) {
  const std::vector<std::pair<std::string, std::string>> types = {
      {"int4", "int8"},    {"int4", "float4"}, {"int8", "timestamp"},
      {"text", "varchar"}, {"json", "text"},   {"int4[]", "float4[]"},
  };
  for (size_t index = 0; index < types.size(); ++index) {
    const std::string table = absl::StrCat("t_", index);
    const std::string create =
        absl::StrCat("CREATE TABLE ", table, " (id int PRIMARY KEY, v ");
    ASSERT_OK(pair().Source(absl::StrCat(create, types[index].first, ")")));
    ASSERT_OK(pair().Target(absl::StrCat(create, types[index].second, ")")));
    ASSERT_OK(pair().Source(absl::StrCat(
        "INSERT INTO ", table, " (id) SELECT generate_series(1, 3)")));
    ExpectTextNeeded(table);
  }
}

TEST_P(BinaryApplyTest, MatchesColumnsByName) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (id int PRIMARY KEY, a int, b float4, c "
                    "text)"));
  ASSERT_OK(
      pair().Target("CREATE TABLE t (gone int, c text, own money DEFAULT 1, b "
                    "float4, id int PRIMARY KEY, a int); ALTER TABLE t DROP "
                    "gone"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, -i, i / 8.0, 'c' || i FROM "
                    "generate_series(1, 9) i"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Source("UPDATE t SET a = a * 2 WHERE id < 4; DELETE FROM t WHERE "
                    "id > 7; UPDATE t SET id = 100 WHERE id = 1"));
  ASSERT_OK(pair().Replicate());
  const std::string rows =
      "SELECT string_agg(concat_ws(',', id, a, b, c), ' ' ORDER BY id) FROM t";
  EXPECT_THAT(pair().source().QueryValue(rows),
              IsOkAndHolds(TargetValue(rows)));
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE own = 1::money"), "7");
}

// One row at a time, so by INSERT, and several, so by COPY where sets are used.
TEST_P(BinaryApplyTest, NoticesThatTheTargetWasAlteredMeanwhile) {
  const std::vector<std::pair<std::string, std::string>> types = {
      {"int4", "float4"},                          // COPY would take the bytes.
      {"int8", "timestamp"}, {"numeric", "int4"},  // An assignment would round.
      {"float4", "numeric"}, {"timestamptz", "date"},
  };
  for (size_t index = 0; index < types.size(); ++index) {
    for (const char* rows : {"1", "5"}) {
      const std::string table = absl::StrCat("t_", index, "_", rows);
      ASSERT_OK(pair().Both(absl::StrCat("CREATE TABLE ", table,
                                         " (id int PRIMARY KEY, v ",
                                         types[index].first, ")")));
      const std::string insert =
          absl::StrCat("INSERT INTO ", table,
                       index == 4 ? " SELECT $0 + i, '2024-02-01 03:04'"
                                  : " SELECT $0 + i, 1.5 * i");
      const auto add = [&](int offset) {
        std::string sql =
            absl::StrCat(insert, " FROM generate_series(1, ", rows, ") i");
        sql.replace(sql.find("$0"), 2, absl::StrCat(offset));
        return pair().Source(sql);
      };
      ASSERT_OK(add(0));
      ASSERT_OK(pair().Replicate());
      ASSERT_OK(
          pair().Target(absl::StrCat("ALTER TABLE ", table, " ALTER v TYPE ",
                                     types[index].second, " USING NULL")));
      ASSERT_OK(add(10));
      ExpectTextNeeded(table);
    }
  }
}

TEST_P(BinaryApplyTest, GoesOnWhereTheTargetWasAlteredOtherwise) {
  ASSERT_OK(pair().Both("CREATE TABLE t (id int PRIMARY KEY, v numeric)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i FROM generate_series(1, 9) i"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Target("ALTER TABLE t ADD own int DEFAULT 7; CREATE INDEX ON t "
                    "(v)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i FROM generate_series(11, 19) i; "
                    "UPDATE t SET v = 1.5 WHERE id = 3"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT count(*) || ' ' || sum(own) FROM t"), "18 126");
  EXPECT_EQ(TargetValue("SELECT v FROM t WHERE id = 3"), "1.5");
}

TEST_P(BinaryApplyTest, PortableTypesAreWhatTheirOidsSay) {
  // Built in, with functions of PostgreSQL's own, and nothing that is made by
  // users.
  ASSERT_OK_AND_ASSIGN(
      const SqlRows rows,
      pair().target().Query(
          "SELECT t.oid, t.typname, t.typtype IN ('b', 'r', 'm') AND t.typsend "
          "<> 0 AND t.typreceive <> 0 AND t.typrelid = 0 AND t.typname !~ "
          "'^_?(reg|money|xml|interval|aclitem|oidvector|int2vector)|^_?(name|"
          "char)$' "
          "FROM pg_type t"));
  int portable = 0;
  for (const SqlRow& row : rows) {
    const auto oid = static_cast<uint32_t>(std::stoul(*row[0]));
    if (!IsPortableType(oid)) continue;
    ++portable;
    EXPECT_EQ(*row[2], "t") << *row[1];
  }
  EXPECT_EQ(portable, server().major_version() < 14 ? 80 : 92);
}

}  // namespace
}  // namespace walferry
