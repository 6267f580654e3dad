// What the target has already under the names of what will be created.

#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

class CheckNamesTest : public CheckTest {};

TEST_P(CheckNamesTest, FindsObjectsOfEveryKindThatAreThereAlready) {
  const std::string schema = R"(CREATE TYPE mood AS ENUM ('ok');
      CREATE FUNCTION num(mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE FUNCTION same(mood, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
      CREATE CAST (mood AS int) WITH FUNCTION num(mood);
      CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = int, PROCEDURE = same);
      CREATE COLLATION plain (locale = 'C');
      CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
      CREATE FOREIGN DATA WRAPPER far; CREATE SERVER there
        FOREIGN DATA WRAPPER far)";
  OnSource(schema);
  EXPECT_THAT(Found(RunCheck(), "target-not-empty"),
              ElementsAre("ok target: nothing there has the name of anything "
                          "that will be created"));
  OnTarget(schema);
  options_.scope.exclude_schemas = {"public"};
  EXPECT_THAT(Found(RunCheck(), "target-not-empty"),
              ElementsAre("blocking target: 3 objects of the source exist "
                          "there already: cast (public.mood AS integer), "
                          "foreign-data wrapper far, server there"));
}

TEST_P(CheckNamesTest, UsesSchemasThatExist) {
  OnSource("CREATE SCHEMA app; CREATE TABLE app.t (a int PRIMARY KEY)");
  EXPECT_THAT(Found(RunCheck(), "target-schema"),
              ElementsAre("ok target: the schemas will be created"));
  OnTarget(
      "CREATE ROLE keeper; CREATE SCHEMA app AUTHORIZATION keeper;"
      "CREATE TABLE app.theirs ()");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "target-schema"),
              ElementsAre("ok target: schemas that exist there and will be "
                          "used: app"));
  EXPECT_THAT(Complaints(report), ElementsAre("target-not-empty"));
  EXPECT_THAT(Found(report, "target-not-empty"),
              ElementsAre("warning target: tables are there that the source "
                          "does not have: app.theirs; they stay, and a "
                          "comparison will say that they are too many"));
  options_.scope.exclude_tables = {"theirs"};
  // But that the source has none of them.
  EXPECT_THAT(Complaints(RunCheck()), ElementsAre("scope"));
  options_.scope.exclude_tables.clear();
  UseRoleOnTarget("names_guest", "");
  EXPECT_THAT(Found(RunCheck(), "target-schema"),
              ElementsAre("blocking target: schema app exists there, and the "
                          "role may not give it to postgres: must be owner of "
                          "schema app (SQLSTATE 42501)"));
  options_.no_owner = true;
  EXPECT_THAT(Found(RunCheck(), "target-schema"),
              ElementsAre("ok target: schemas that exist there and will be "
                          "used: app"));
}

TEST_P(CheckNamesTest, FindsExtensionsInAnotherSchema) {
  OnSource("CREATE EXTENSION citext");
  OnTarget("CREATE SCHEMA \"Ext\"; CREATE EXTENSION citext SCHEMA \"Ext\"");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "extension"),
              ElementsAre("blocking target: extension citext is in schema "
                          "public on the source and in schema \"Ext\" on the "
                          "target"));
  EXPECT_EQ(HintFor(report, "extension"),
            "on the target: ALTER EXTENSION \"citext\" SET SCHEMA public; or "
            "drop it there");
  OnTarget("ALTER EXTENSION citext SET SCHEMA public");
  EXPECT_THAT(Found(RunCheck(), "extension"),
              ElementsAre("ok source: extensions: citext, plpgsql"));
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckNamesTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
