#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using CheckScopeTest = CheckTest;

TEST_P(CheckScopeTest, NamesPatternsThatMatchNothing) {
  OnSource(
      "CREATE TABLE t (a int PRIMARY KEY); CREATE SCHEMA empty;"
      "CREATE TABLE p (a int PRIMARY KEY) PARTITION BY LIST (a)");
  options_.scope.schemas = {"public", "PUBLIC"};
  options_.scope.exclude_schemas = {"empty", "vacant"};
  options_.scope.tables = {"public.t", "p", "u"};
  options_.scope.exclude_tables = {"v"};
  options_.scope.exclude_table_data = {"public.w", "p"};
  EXPECT_THAT(
      Found(RunCheck(), "scope"),
      ElementsAre(
          "warning source: nothing on the source matches --schema PUBLIC",
          "warning source: nothing on the source matches --exclude-schema "
          "vacant",
          "warning source: nothing on the source matches --table u",
          "warning source: nothing on the source matches --exclude-table v",
          "warning source: nothing on the source matches --exclude-table-data "
          "public.w",
          "ok source: 1 table, 1 partitioned parent, 0 materialized views and "
          "0 sequences take part"));
}

TEST_P(CheckScopeTest, WarnsWhenNothingTakesPart) {
  OnSource("CREATE SEQUENCE s");
  EXPECT_THAT(Found(RunCheck(), "scope"),
              ElementsAre("warning source: 0 tables, 0 partitioned parents, 0 "
                          "materialized views and 1 sequence take part"));
}

TEST_P(CheckScopeTest, RefusesAScopeOfNoTable) {
  OnSource("CREATE TABLE t (a int PRIMARY KEY)");
  options_.scope.tables = {"u"};
  EXPECT_THAT(
      Found(RunCheck(), "scope"),
      ElementsAre("warning source: nothing on the source matches --table u",
                  "blocking? source: 0 tables, 0 partitioned parents, 0 "
                  "materialized views and 0 sequences take part"));
}

TEST_P(CheckScopeTest, FindsFunctionsThatAreLeftOut) {
  OnSource(R"(CREATE SCHEMA audit; CREATE SCHEMA sales;
      CREATE FUNCTION audit.log() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RETURN NEW; END';
      CREATE FUNCTION audit.one(int) RETURNS int LANGUAGE sql IMMUTABLE AS
        'SELECT 1';
      CREATE TABLE sales.t (a int PRIMARY KEY DEFAULT audit.one(1),
        CONSTRAINT small CHECK (audit.one(a) < 5));
      CREATE INDEX ones ON sales.t (audit.one(a));
      CREATE VIEW sales.v AS SELECT audit.one(2) AS one;
      CREATE POLICY mine ON sales.t USING (audit.one(a) = 1);
      CREATE TRIGGER logged AFTER INSERT ON sales.t FOR EACH ROW
        EXECUTE FUNCTION audit.log())");
  EXPECT_THAT(Complaints(RunCheck()), IsEmpty());
  options_.scope.schemas = {"sales"};
  EXPECT_THAT(
      Found(RunCheck(), "scope-dependency"),
      ElementsAre("blocking sales.t: a default calls audit.one(integer), whose "
                  "schema is not in scope: it cannot be created on the target",
                  "blocking sales.t: constraint small calls "
                  "audit.one(integer), whose schema is not in scope: it cannot "
                  "be created on the target",
                  "blocking sales.t: index ones calls audit.one(integer), "
                  "whose schema is not in scope: it cannot be created on the "
                  "target",
                  "blocking sales.t: policy mine calls audit.one(integer), "
                  "whose schema is not in scope: it cannot be created on the "
                  "target",
                  "blocking sales.t: trigger logged calls audit.log(), whose "
                  "schema is not in scope: it cannot be created on the target",
                  "blocking sales.v: its query calls audit.one(integer), whose "
                  "schema is not in scope: it cannot be created on the "
                  "target"));
}

TEST_P(CheckScopeTest, FindsForeignKeysThatLeaveTheScope) {
  OnSource(R"(CREATE TABLE parent (a int PRIMARY KEY);
      CREATE TABLE child (a int PRIMARY KEY REFERENCES parent))");
  EXPECT_THAT(Complaints(RunCheck()), IsEmpty());
  options_.scope.exclude_tables = {"parent"};
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "foreign-key-scope"),
              ElementsAre("warning public.child: foreign key child_a_fkey is "
                          "left out: it refers to public.parent, which is not "
                          "in scope"));
  EXPECT_THAT(Complaints(report), ElementsAre("foreign-key-scope"));
  options_.scope = {.exclude_table_data = {"parent"}};
  EXPECT_THAT(Found(RunCheck(), "foreign-key-data"),
              ElementsAre("blocking? public.child: foreign key child_a_fkey "
                          "refers to public.parent, whose rows are left out: "
                          "it cannot be created on the target unless all its "
                          "columns are NULL"));
  options_.scope.exclude_table_data = {"parent", "child"};
  EXPECT_THAT(Complaints(RunCheck()), IsEmpty());
}

TEST_P(CheckScopeTest, FindsForeignKeysToPartitionsWithoutRows) {
  OnSource(R"(CREATE TABLE p (a int PRIMARY KEY) PARTITION BY LIST (a);
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
      CREATE TABLE child (a int PRIMARY KEY REFERENCES p))");
  options_.scope.exclude_table_data = {"p"};
  const CheckReport report = RunCheck();
  EXPECT_THAT(Complaints(report), ElementsAre("foreign-key-data"));
}

TEST_P(CheckScopeTest, FindsObjectsThatNeedWhatIsLeftOut) {
  OnSource(R"(CREATE SCHEMA other;
      CREATE TYPE other.mood AS ENUM ('ok');
      CREATE SEQUENCE other.numbers;
      CREATE TABLE base (a int PRIMARY KEY);
      CREATE VIEW v AS SELECT a FROM base;
      CREATE TABLE inheritor (PRIMARY KEY (a)) INHERITS (base);
      CREATE TABLE typed (a int PRIMARY KEY DEFAULT nextval('other.numbers'),
        m other.mood[], n other.mood);
      CREATE EXTENSION citext SCHEMA other)");
  EXPECT_THAT(Found(RunCheck(), "scope-dependency"),
              ElementsAre("ok source: everything is in scope"));
  options_.scope.exclude_tables = {"base"};
  options_.scope.exclude_schemas = {"other"};
  const CheckReport report = RunCheck();
  EXPECT_THAT(
      Found(report, "scope-dependency"),
      ElementsAre(
          "blocking public.inheritor: it inherits from public.base, which is "
          "not in scope: it cannot be created on the target",
          "blocking public.typed: it draws from other.numbers, which is not in "
          "scope: it cannot be created on the target",
          "blocking public.v: it reads public.base, which is not in scope: it "
          "cannot be created on the target",
          "blocking public.typed: a column's type, other.mood, is in schema "
          "other, which is not in scope: the table cannot be created on the "
          "target",
          "blocking public.typed: a column's type, other.mood[], is in schema "
          "other, which is not in scope: the table cannot be created on the "
          "target",
          "blocking extension citext: its schema, other, is not in scope and "
          "not on the target"));
  OnTarget("CREATE SCHEMA other");
  options_.scope.exclude_tables = {"base", "v", "inheritor", "typed"};
  EXPECT_THAT(Found(RunCheck(), "scope-dependency"),
              ElementsAre("ok source: nothing in scope needs what is left "
                          "out"));
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckScopeTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
