// What completes a target: sequences, materialized views, statistics.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/schema/analyze.h"
#include "engine/schema/matviews.h"
#include "engine/schema/sequences.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// One server: its database a is the source, b the target.
class FinishTargetTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    absl::StatusOr<std::unique_ptr<PgServer>> server = PgServer::Start();
    ASSERT_OK(server);
    server_ = server->release();
  }
  static void TearDownTestSuite() { delete server_; }

  void SetUp() override {
    for (const std::string name : {"a", "b"}) {
      ASSERT_OK(server_->Exec("DROP DATABASE IF EXISTS " + name));
      ASSERT_OK(server_->Exec("CREATE DATABASE " + name));
    }
    ASSERT_OK_AND_ASSIGN(
        PgConnection source,
        PgConnection::Open({.conninfo = server_->ConnInfo("a")}));
    ASSERT_OK_AND_ASSIGN(
        PgConnection target,
        PgConnection::Open({.conninfo = server_->ConnInfo("b")}));
    source_.emplace(std::move(source));
    target_.emplace(std::move(target));
  }
  void TearDown() override {
    source_.reset();
    target_.reset();
  }

  void OnBoth(const std::string& sql) {
    ASSERT_OK(source_->Exec(sql));
    ASSERT_OK(target_->Exec(sql));
  }

  absl::StatusOr<Catalog> ReadSource() {
    ASSIGN_OR_RETURN(const Scope scope, Scope::Create({}));
    return ReadCatalog(*source_, scope);
  }

  static PgServer* server_;
  std::optional<PgConnection> source_;
  std::optional<PgConnection> target_;
};

PgServer* FinishTargetTest::server_ = nullptr;

TEST_F(FinishTargetTest, SequencesHaveTheSourcesValues) {
  OnBoth(
      "CREATE SEQUENCE unused START 7;"
      "CREATE SEQUENCE used;"
      "CREATE SEQUENCE \"odd\"\"'\n\" AS smallint INCREMENT -1;"
      "CREATE SEQUENCE huge;"
      "CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY)");
  ASSERT_OK(
      source_->Exec("SELECT nextval('used'), nextval('used');"
                    "SELECT nextval('\"odd\"\"''\n\"');"
                    "SELECT setval('huge', 9223372036854775807);"
                    "INSERT INTO t SELECT FROM generate_series(1, 5)"));
  ASSERT_OK(target_->Exec("SELECT setval('unused', 99), setval('used', 50)"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(SyncSequences(*source_, *target_, catalog.sequences),
              IsOkAndHolds(6));
  const std::string next =
      "SELECT concat_ws(' ', nextval('unused'), nextval('used'), "
      "nextval('\"odd\"\"''\n\"'), nextval('t_a_seq'), nextval('t_b_seq'), "
      "(SELECT last_value FROM huge))";
  EXPECT_THAT(target_->QueryValue(next),
              IsOkAndHolds("7 3 -2 6 6 9223372036854775807"));
}

TEST_F(FinishTargetTest, SequencesMayBeThousands) {
  OnBoth(
      "DO $$ BEGIN FOR i IN 1..1203 LOOP "
      "EXECUTE format('CREATE SEQUENCE s%s START %s', i, i); END LOOP; "
      "END $$");
  ASSERT_OK(source_->Exec("SELECT nextval('s1'), nextval('s1203')"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(SyncSequences(*source_, *target_, catalog.sequences),
              IsOkAndHolds(1203));
  EXPECT_THAT(target_->QueryValue("SELECT concat_ws(' ', nextval('s1'), "
                                  "nextval('s2'), nextval('s1203'))"),
              IsOkAndHolds("2 2 1204"));
}

TEST_F(FinishTargetTest, SequencesThatAreMissingAreNamed) {
  ASSERT_OK(source_->Exec("CREATE SEQUENCE lost"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(SyncSequences(*source_, *target_, catalog.sequences),
              StatusIs(absl::StatusCode::kNotFound,
                       "sequences of the target: relation \"public.lost\" does "
                       "not exist (SQLSTATE 42P01)"));
}

TEST_F(FinishTargetTest, SequencesThatDoNotTakeTheValueAreAnError) {
  ASSERT_OK(source_->Exec("CREATE SEQUENCE s; SELECT setval('s', 500)"));
  ASSERT_OK(target_->Exec("CREATE SEQUENCE s MAXVALUE 100"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(
      SyncSequences(*source_, *target_, catalog.sequences),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "sequences of the target: setval: value 500 is out of bounds "
               "for sequence \"s\" (1..100) (SQLSTATE 22003)"));
}

TEST_F(FinishTargetTest, MaterializedViewsAreFilledInTheirOrder) {
  OnBoth(
      "CREATE TABLE t (i int);"
      "CREATE MATERIALIZED VIEW z AS SELECT i FROM t;"
      "CREATE MATERIALIZED VIEW a AS SELECT sum(i) AS i FROM z;"
      "CREATE MATERIALIZED VIEW \"never\n\" AS SELECT 1 WITH NO DATA");
  ASSERT_OK(target_->Exec("INSERT INTO t VALUES (1), (2)"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  std::vector<std::string> told;
  EXPECT_THAT(RefreshMaterializedViews(*target_, catalog.materialized_views,
                                       [&](absl::string_view name) {
                                         told.emplace_back(name);
                                         return absl::OkStatus();
                                       }),
              IsOkAndHolds(2));
  EXPECT_THAT(told, ElementsAre("public.z", "public.a"));
  EXPECT_THAT(target_->QueryValue("SELECT i FROM a"), IsOkAndHolds("3"));
  EXPECT_THAT(target_->QueryValue("SELECT relispopulated FROM pg_class WHERE "
                                  "relname = E'never\\n'"),
              IsOkAndHolds("f"));
}

TEST_F(FinishTargetTest, MaterializedViewsThatFailAreNamed) {
  OnBoth(
      "CREATE TABLE t (i int);"
      "CREATE MATERIALIZED VIEW ratio AS SELECT 1 / i FROM t");
  ASSERT_OK(target_->Exec("INSERT INTO t VALUES (0)"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(
      RefreshMaterializedViews(*target_, catalog.materialized_views, nullptr),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "materialized view public.ratio: division by zero (SQLSTATE "
               "22012)"));
}

TEST_F(FinishTargetTest, AnalyzeKnowsEveryTableAndPartitionedOnesAsAWhole) {
  OnBoth(
      "CREATE TABLE \"Plain\" AS SELECT generate_series(1, 10) AS i;"
      "CREATE TABLE part (i int) PARTITION BY RANGE (i);"
      "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (5)"
      " PARTITION BY RANGE (i);"
      "CREATE TABLE part_1_1 PARTITION OF part_1 FOR VALUES FROM (0) TO (3);"
      "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (5) TO (9);"
      "INSERT INTO part VALUES (1), (2), (6)");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  SchemaProgress last;
  EXPECT_THAT(
      AnalyzeTables({.conninfo = server_->ConnInfo("b")}, catalog, 4,
                    [&](const SchemaProgress& progress) { last = progress; }),
      IsOkAndHolds(testing::IsEmpty()));
  EXPECT_EQ(last.done, 2);
  EXPECT_EQ(last.total, 2);
  ASSERT_OK_AND_ASSIGN(
      const SqlRows rows,
      server_->Query("SELECT tablename, inherited FROM pg_stats WHERE "
                     "schemaname = 'public'",
                     "b"));
  EXPECT_THAT(
      rows, UnorderedElementsAre(SqlRow{"Plain", "f"}, SqlRow{"part", "t"},
                                 SqlRow{"part_1", "t"}, SqlRow{"part_1_1", "f"},
                                 SqlRow{"part_2", "f"}));
}

TEST_F(FinishTargetTest, AnalyzeDoesWithoutAForeignPartition) {
  OnBoth(
      "CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA "
      "WRAPPER nothing; CREATE TABLE far (i int) PARTITION BY RANGE (i);"
      "CREATE TABLE near PARTITION OF far FOR VALUES FROM (0) TO (5);"
      "CREATE FOREIGN TABLE away PARTITION OF far FOR VALUES FROM (5) TO (9)"
      " SERVER nowhere; INSERT INTO near VALUES (1), (2)");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(
      AnalyzeTables({.conninfo = server_->ConnInfo("b")}, catalog, 2, nullptr),
      IsOkAndHolds(testing::ElementsAre(
          "a partitioned table has no statistics as a whole, as a foreign "
          "partition could not be read (its other partitions have theirs): "
          "ANALYZE public.far: foreign-data wrapper \"nothing\" has no handler "
          "(SQLSTATE 55000); repeat it when that can be read")));
  EXPECT_THAT(
      server_->QueryValue("SELECT reltuples FROM pg_class WHERE relname "
                          "= 'near'",
                          "b"),
      IsOkAndHolds("2"));
}

TEST_F(FinishTargetTest, AnalyzeNamesATableThatIsNotThere) {
  ASSERT_OK(source_->Exec("CREATE TABLE lost (i int)"));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  EXPECT_THAT(
      AnalyzeTables({.conninfo = server_->ConnInfo("b")}, catalog, 2, nullptr),
      StatusIs(absl::StatusCode::kNotFound,
               "ANALYZE public.lost: relation \"public.lost\" does not exist "
               "(SQLSTATE 42P01)"));
}

}  // namespace
}  // namespace walferry
