// Whatever is applied ahead of its turn, and in whatever order: the target goes
// through the source's states.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/ahead_fixture.h"

namespace walferry {
namespace {

using AheadApplierTest = AheadTest;

INSTANTIATE_AHEAD_TEST(AheadApplierTest);

TEST_P(AheadApplierTest, WhatIsIndependentIsAhead) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0 FROM "
                             "generate_series(1, 300) i")));
  std::vector<std::unique_ptr<ChangeBatch>> batches;
  for (size_t which = 0; which < kAppliers; ++which) {
    batches.push_back(BatchOf(absl::StrCat(
        "UPDATE t SET v = 1 WHERE id / 100 = ", which, "; DELETE FROM t ",
        "WHERE id % 100 = 50 AND id / 100 = ", which,
        "; INSERT INTO t VALUES (1000 + ", which, ", 0)")));
    sides_[which].applier->Enter(*batches.back());
  }
  sides_[2].applier->ApplyAhead(*batches[2]);
  EXPECT_EQ(Ahead(), "1");
  sides_[1].applier->ApplyAhead(*batches[1]);
  EXPECT_EQ(Ahead(), "2");
  EXPECT_THAT(pair_->target().QueryValue("SELECT sum(v) FROM t"),
              IsOkAndHolds("0"));
  for (size_t which = 0; which < batches.size(); ++which) {
    ASSERT_OK(Turn(which, *batches[which]));
  }
  EXPECT_EQ(Ahead(), "0");
  EXPECT_TRUE(pair_->Equal());
}

TEST_P(AheadApplierTest, TheSameRowsAgainAndAgain) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int, w int)");
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    const std::string own =
        absl::StrCat("INSERT INTO t SELECT 1000 * ", round + 1,
                     " + i, 0 FROM generate_series(1, 50) i;");
    if (round == 0) {
      return {own + "INSERT INTO t VALUES (1, 0, 0), (2, 0, 0)",
              "UPDATE t SET v = v + 1, w = id WHERE id < 3",
              "UPDATE t SET v = v * 2"};
    }
    return {own + "UPDATE t SET v = v + 1 WHERE id = 1",
            "UPDATE t SET w = v WHERE id < 3; UPDATE t SET v = 5 WHERE id = 2",
            "UPDATE t SET v = v + w WHERE id = 1;"
            "UPDATE t SET w = 0 WHERE id % 10 = 3"};
  });
}

TEST_P(AheadApplierTest, KeysThatAreFreedAndTaken) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)");
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    if (round == 0) {
      return {"INSERT INTO t SELECT i, 'x' FROM generate_series(1, 20) i",
              "DELETE FROM t WHERE id = 5", "INSERT INTO t VALUES (5, 'new')"};
    }
    const std::string to = absl::StrCat(100 * round + 7);
    return {absl::StrCat("DELETE FROM t WHERE id = 5;"
                         "UPDATE t SET id = ",
                         to, " WHERE id = 7"),
            absl::StrCat("INSERT INTO t VALUES (5, 'a", round,
                         "');"
                         "UPDATE t SET v = 'moved' WHERE id = ",
                         to),
            absl::StrCat("UPDATE t SET v = 'b' WHERE id = 5;"
                         "UPDATE t SET id = 7 WHERE id = ",
                         to, "; UPDATE t SET v = v || '!' WHERE id = 7")};
  });
}

TEST_P(AheadApplierTest, ValuesOfASecondKeyThatChangeHands) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, i, 0 FROM "
                             "generate_series(1, 40) i")));
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    const std::string others =
        absl::StrCat(";UPDATE t SET v = ", round, " WHERE id > 20 AND id % 3 ");
    return {
        "UPDATE t SET u = -1 WHERE id = 1;"
        "UPDATE t SET u = -2 WHERE id = 2" +
            others + "= 0",
        "UPDATE t SET u = u - 10 WHERE id = 1;"
        "UPDATE t SET u = 1 WHERE id = 2" +
            others + "= 1",
        "UPDATE t SET u = 2 WHERE id = 1;"
        "UPDATE t SET u = -2 WHERE id = 2; UPDATE t SET u = 1 WHERE id = 1;"
        "UPDATE t SET u = 2 WHERE id = 2" +
            others + "= 2"};
  });
}

// The second batch takes values that the first frees, which nobody can know
// from its changes: the target says whose they are. The blind one has to be
// undone.
TEST_P(AheadApplierTest, AValueThatIsNotFreeYetIsLate) {
  CreateTables(
      "CREATE TABLE t (gone int, id int PRIMARY KEY, \"Ordinal\" int, "
      "a int, b text, UNIQUE (a, b)); ALTER TABLE t DROP gone;"
      "CREATE UNIQUE INDEX ON t (\"Ordinal\")");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, i, i, 'x' FROM "
                             "generate_series(1, 100) i")));
  const auto first = BatchOf(
      "DELETE FROM t WHERE id = 1; UPDATE t SET a = -2 WHERE id = 2;"
      "UPDATE t SET \"Ordinal\" = -3 WHERE id = 3");
  const auto second = BatchOf(
      "INSERT INTO t VALUES (101, 1, 1, 'x'), (102, 102, 2, 'x');"
      "UPDATE t SET \"Ordinal\" = 3 WHERE id = 50;"
      "UPDATE t SET b = 'ahead' WHERE id > 50");
  sides_[0].applier->Enter(*first);
  sides_[1].applier->Enter(*second);
  sides_[1].applier->ApplyAhead(*second);
  EXPECT_EQ(Ahead(), GetParam().blind ? "0" : "1");
  ASSERT_OK(Turn(0, *first));
  ASSERT_OK(Turn(1, *second));
  EXPECT_EQ(Undone(), GetParam().blind ? 1 : 0);
  EXPECT_TRUE(pair_->Equal());
}

// Looking a value up there would be a walk through the table for each row.
TEST_P(AheadApplierTest, AnIndexOfAnotherCollationIsNotAsked) {
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, u text COLLATE \"POSIX\");"
      "CREATE UNIQUE INDEX ON t (u COLLATE \"C\")");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, i FROM "
                             "generate_series(1, 100) i")));
  ASSERT_NO_FATAL_FAILURE(RunSecondAhead(
      "DELETE FROM t WHERE id = 1",
      "INSERT INTO t VALUES (101, '1'); DELETE FROM t WHERE id IN (50, 60)"));
  EXPECT_EQ(Undone(), 1);
}

// What is late may collide with itself as any batch.
TEST_P(AheadApplierTest, ValuesThatAreExchangedLate) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, i, 0 FROM "
                             "generate_series(1, 100) i")));
  ASSERT_NO_FATAL_FAILURE(RunSecondAhead(
      "UPDATE t SET v = 1 WHERE id < 3",
      "UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2;"
      "UPDATE t SET u = 2 WHERE id = 1; UPDATE t SET v = 2 WHERE id > 50"));
  if (!GetParam().blind) {
    EXPECT_EQ(Undone(), 0);
  }
}

// The first batch gives a row a value that the second moves on: the values that
// rows get are known, and so is who comes first.
TEST_P(AheadApplierTest, AValueThatIsOnItsWayIsLate) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, i FROM "
                             "generate_series(1, 100) i")));
  ASSERT_NO_FATAL_FAILURE(RunSecondAhead(
      "UPDATE t SET u = 1000 WHERE id = 1",
      "DELETE FROM t WHERE id = 1; UPDATE t SET u = 1000 WHERE id = 2;"
      "UPDATE t SET u = u + 10000 WHERE id > 50"));
  EXPECT_EQ(Undone(), GetParam().blind ? 1 : 0);
}

TEST_P(AheadApplierTest, EqualKeysThatLookDifferent) {
  CreateTables("CREATE TABLE t (id numeric PRIMARY KEY, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0 FROM "
                             "generate_series(1, 20) i")));
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    return {
        "UPDATE t SET v = v + 1 WHERE id = 1; DELETE FROM t WHERE id = 2;"
        "UPDATE t SET v = 1 WHERE id = 3",
        absl::StrCat("UPDATE t SET id = 1.", std::string(round + 1, '0'),
                     ", v = v + 2 WHERE id = 1;"
                     "INSERT INTO t VALUES (2.00, ",
                     round, ")"),
        "UPDATE t SET v = v * 2 WHERE id = 1.0;"
        "DELETE FROM t WHERE id = 2.0; INSERT INTO t VALUES (2, 0);"
        "UPDATE t SET v = v + 1 WHERE id IN (2, 3)"};
  });
}

// Behind the first change of a row that is late, the row's others are.
TEST_P(AheadApplierTest, ARowsChangesStayInOrderWithinABatch) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0 FROM "
                             "generate_series(1, 30) i")));
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    const std::string value = absl::StrCat(round);
    return {"UPDATE t SET v = 1 WHERE id = 8; DELETE FROM t WHERE id = 9",
            // Through 9, which the batch before has had.
            "UPDATE t SET v = 2 WHERE id = 7; UPDATE t SET id = 9 WHERE id = 7;"
            "UPDATE t SET v = 3 WHERE id = 9; UPDATE t SET id = 7 WHERE id = 9;"
            "UPDATE t SET v = 4 + " +
                value +
                " WHERE id = 7;"
                "INSERT INTO t VALUES (9, 9)",
            "UPDATE t SET id = 100 WHERE id = 8; UPDATE t SET id = 8 WHERE id "
            "= 10; UPDATE t SET id = 10, v = " +
                value +
                " WHERE id = 100;"
                "UPDATE t SET v = 5 WHERE id = 8"};
  });
}

// The first of them is late; once the batch before is committed, no lock would
// keep the second from being ahead of it.
TEST_P(AheadApplierTest, ARowThatIsChangedTwiceIsLateTwice) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int, w int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0, 0 FROM "
                             "generate_series(1, 30) i")));
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    return {"UPDATE t SET v = v + 1 WHERE id = 7",
            "UPDATE t SET v = v + 1 WHERE id = 8",
            absl::StrCat("UPDATE t SET v = ", round, " WHERE id IN (7, 9);",
                         "UPDATE t SET v = 5, w = ", round,
                         " WHERE id IN (7, 10); UPDATE t SET w = w + 1 "
                         "WHERE id = 7")};
  });
}

TEST_P(AheadApplierTest, ValuesThatAreNotSentStayAsTheyAre) {
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, v int, big text);"
      "ALTER TABLE t ALTER big SET STORAGE EXTERNAL");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0, repeat('x', 3000) "
                             "FROM generate_series(1, 20) i")));
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    return {absl::StrCat("UPDATE t SET big = repeat('", round,
                         "', 3000) WHERE id < 5"),
            "UPDATE t SET v = v + 1 WHERE id < 8",
            "UPDATE t SET v = v + 10, big = big || 'y' WHERE id = 3;"
            "UPDATE t SET v = v + 1 WHERE id = 3"};
  });
}

TEST_P(AheadApplierTest, ATruncateIsAWall) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  RunInEveryOrder([](int round) -> std::vector<std::string> {
    return {absl::StrCat("INSERT INTO t SELECT i, ", round,
                         " FROM generate_series(1, 30) i"),
            "UPDATE t SET v = 7 WHERE id < 10; TRUNCATE t;"
            "INSERT INTO t VALUES (1, 1)",
            absl::StrCat("INSERT INTO t SELECT i, 3 FROM generate_series(2, 9)"
                         " i; UPDATE t SET v = 4 WHERE id < 5;",
                         round == 9 ? "" : "DELETE FROM t")};
  });
}

TEST_P(AheadApplierTest, RowsWithoutAKeyAndTriggersAreWalls) {
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, v int);"
      "CREATE TABLE loose (v int); ALTER TABLE loose REPLICA IDENTITY FULL");
  // What it does depends on all that came before.
  ASSERT_OK(pair_->Target(
      "CREATE TABLE log (n bigint);"
      "CREATE TABLE watched (id int PRIMARY KEY);"
      "CREATE FUNCTION count_t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "INSERT INTO public.log SELECT count(*) FROM public.t; RETURN NEW; END "
      "$$; CREATE TRIGGER w AFTER INSERT ON watched FOR EACH ROW EXECUTE "
      "FUNCTION count_t(); ALTER TABLE watched ENABLE ALWAYS TRIGGER w"));
  ASSERT_OK(pair_->Source("CREATE TABLE watched (id int PRIMARY KEY)"));
  ASSERT_OK(pair_->Receive().status());
  ASSERT_NO_FATAL_FAILURE(
      Run({"INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) i;"
           "INSERT INTO loose VALUES (1), (1), (2)",
           "INSERT INTO watched VALUES (1); INSERT INTO t VALUES (11, 0);"
           "INSERT INTO watched VALUES (2)",
           "INSERT INTO t VALUES (12, 0); UPDATE loose SET v = 3 WHERE v = 2;"
           "DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose)"},
          {2, 1, 0}));
  EXPECT_THAT(pair_->target().QueryValue(
                  "SELECT string_agg(n::text, ' ' ORDER BY n) FROM log"),
              IsOkAndHolds("10 11"));
  EXPECT_THAT(pair_->target().QueryValue(
                  "SELECT string_agg(v::text, ' ' ORDER BY v) FROM loose"),
              IsOkAndHolds("1 3"));
}

// Found by its values a row belongs to no key, so nobody goes past it.
TEST_P(AheadApplierTest, RowsWithoutAKeyAreAWall) {
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, v int);"
      "CREATE TABLE loose (v int);"
      "ALTER TABLE loose REPLICA IDENTITY FULL");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO loose VALUES (1), (2)")));
  const auto wall = BatchOf("UPDATE loose SET v = 3 WHERE v = 2");
  const auto behind = BatchOf("INSERT INTO t VALUES (1, 1)");
  sides_[0].applier->Enter(*wall);
  sides_[1].applier->Enter(*behind);
  sides_[0].applier->ApplyAhead(*wall);
  EXPECT_EQ(Ahead(), "0");
  sides_[1].applier->ApplyAhead(*behind);
  // One that is blind does not see the wall.
  EXPECT_EQ(Ahead(), GetParam().blind ? "1" : "0");
  ASSERT_OK(Turn(0, *wall));
  ASSERT_OK(Turn(1, *behind));
  EXPECT_TRUE(pair_->Equal());
}

}  // namespace
}  // namespace walferry
