#include "engine/server/globals_plan.h"

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Both servers as they begin, and a superuser.
class GlobalsPlanTest : public ::testing::Test {
 protected:
  GlobalsPlanTest() {
    for (Globals* globals : {&source_, &target_}) {
      globals->server_version = 180000;
      globals->bootstrap_superuser = "postgres";
      globals->roles = {{.name = "postgres", .superuser = true}};
      globals->reserved_roles = {"pg_monitor"};
      globals->verifiers_read = true;
    }
    rights_ = {.role = "mover",
               .superuser = true,
               .create_role = true,
               .create_db = true,
               .replication = true,
               .bypass_rls = true,
               .parameters = {{"work_mem", true}, {"search_path", true}}};
  }

  void Downgrade() {
    rights_ = {
        .role = "mover", .create_role = true, .parameters = rights_.parameters};
  }

  GlobalsPlan Plan(const GlobalsPlanOptions& options = {}) const {
    return PlanGlobals({.source = source_,
                        .target = target_,
                        .rights = rights_,
                        .existing_directories = directories_},
                       options);
  }

  static std::vector<std::string> Sql(
      const std::vector<GlobalStatement>& statements) {
    std::vector<std::string> sql;
    for (const GlobalStatement& one : statements) sql.push_back(one.sql);
    return sql;
  }

  // All but what is the same in every test.
  static std::vector<std::string> Texts(const GlobalsPlan& plan) {
    std::vector<std::string> texts;
    for (const Finding& finding : plan.findings) {
      if (finding.subject == "role postgres") continue;
      texts.push_back(absl::StrCat(finding.id,
                                   finding.acceptable ? " (acceptable) " : " ",
                                   SeverityName(finding.severity), " ",
                                   finding.subject, ": ", finding.text));
    }
    return texts;
  }

  Globals source_;
  Globals target_;
  TargetRights rights_;
  absl::flat_hash_set<std::string> directories_;
};

TEST_F(GlobalsPlanTest, SaysOnlyWhatIsNotSoByItself) {
  source_.roles.push_back({.name = "plain"});
  source_.roles.push_back({.name = "Odd \"one\"",
                           .inherit = false,
                           .create_db = true,
                           .login = true,
                           .connection_limit = 0,
                           .valid_until = "2031-01-01 00:00:00+00",
                           .comment = "it's",
                           .verifier = "SCRAM-SHA-256$x"});
  const GlobalsPlan plan = Plan();
  EXPECT_THAT(Sql(plan.statements),
              ElementsAre("CREATE ROLE \"plain\"",
                          "CREATE ROLE \"Odd \"\"one\"\"\" NOINHERIT CREATEDB "
                          "LOGIN CONNECTION LIMIT 0 VALID UNTIL '2031-01-01 "
                          "00:00:00+00' PASSWORD 'SCRAM-SHA-256$x'",
                          "COMMENT ON ROLE \"Odd \"\"one\"\"\" IS 'it''s'"));
  EXPECT_EQ(plan.statements[1].shown,
            "CREATE ROLE \"Odd \"\"one\"\"\" NOINHERIT CREATEDB LOGIN "
            "CONNECTION LIMIT 0 VALID UNTIL '2031-01-01 00:00:00+00' PASSWORD "
            "'***'");
  EXPECT_THAT(Texts(plan), IsEmpty());
}

TEST_F(GlobalsPlanTest, KeepsWhoMigratesAndTheFirstSuperuser) {
  source_.roles.push_back({.name = "mover", .login = true, .verifier = "x"});
  target_.roles.push_back({.name = "mover", .superuser = true});
  const GlobalsPlan plan = Plan({.update_existing = true});
  EXPECT_THAT(plan.statements, IsEmpty());
  EXPECT_THAT(Texts(plan),
              ElementsAre("role-kept info role mover: migrates, so it is left "
                          "as it is on the target"));
}

TEST_F(GlobalsPlanTest, AltersOnlyWhatDiffers) {
  source_.roles.push_back({.name = "app", .login = true, .comment = "c"});
  target_.roles.push_back({.name = "app", .create_db = true, .comment = "c"});
  EXPECT_THAT(Texts(Plan()),
              ElementsAre("role-exists warning role app: exists on the target "
                          "and is left as it is; on the source it differs: "
                          "NOCREATEDB, LOGIN"));
  EXPECT_THAT(Sql(Plan({.update_existing = true}).statements),
              ElementsAre("ALTER ROLE \"app\" NOCREATEDB LOGIN"));
}

TEST_F(GlobalsPlanTest, TellsWhatARoleMayNotGive) {
  source_.roles.push_back({.name = "root", .superuser = true});
  source_.roles.push_back({.name = "maker", .create_db = true});
  Downgrade();
  const GlobalsPlan plan = Plan();
  EXPECT_THAT(Sql(plan.statements),
              ElementsAre("CREATE ROLE \"root\"", "CREATE ROLE \"maker\""));
  EXPECT_THAT(
      Texts(plan),
      ElementsAre("role-attributes (acceptable) blocking role root: is "
                  "SUPERUSER on the source, which role mover may not give on "
                  "the target",
                  "role-attributes (acceptable) blocking role maker: is "
                  "CREATEDB on the source, which role mover may not give on "
                  "the target"));
  // Before PostgreSQL 16 CREATEROLE was enough for the second.
  target_.server_version = 150000;
  EXPECT_THAT(
      Sql(Plan().statements),
      ElementsAre("CREATE ROLE \"root\"", "CREATE ROLE \"maker\" CREATEDB"));
  rights_.create_role = false;
  EXPECT_THAT(Texts(Plan()),
              ElementsAre("role-rights blocking target: role mover may not "
                          "create roles, and the target lacks 2 roles: root, "
                          "maker"));
}

TEST_F(GlobalsPlanTest, NamesRolesWithoutTheirPassword) {
  source_.verifiers_read = false;
  source_.roles.push_back({.name = "app", .login = true});
  source_.roles.push_back({.name = "group"});
  EXPECT_THAT(Texts(Plan()),
              ElementsAre("role-password warning source: the role may not read "
                          "pg_authid, so these roles come without a password: "
                          "app"));
  EXPECT_THAT(Plan().roles_without_password, ElementsAre("app"));
  // One that has none on the source lacks nothing.
  source_.verifiers_read = true;
  EXPECT_THAT(Texts(Plan()), IsEmpty());
  EXPECT_THAT(Plan({.passwords = false}).roles_without_password,
              ElementsAre("app"));
}

TEST_F(GlobalsPlanTest, GrantsInAnOrderInWhichGrantorsMay) {
  for (const char* name : {"a", "b", "c", "g"}) {
    source_.roles.push_back({.name = name});
  }
  source_.memberships = {
      {.role = "g",
       .member = "a",
       .grantor = "b",
       .inherit = true,
       .set = false},
      {.role = "g",
       .member = "b",
       .grantor = "c",
       .admin = true,
       .inherit = false,
       .set = true},
      {.role = "g",
       .member = "c",
       .grantor = "postgres",
       .admin = true,
       .inherit = true,
       .set = true},
  };
  EXPECT_THAT(
      Sql(Plan().statements),
      ElementsAre(
          "CREATE ROLE \"a\"", "CREATE ROLE \"b\"", "CREATE ROLE \"c\"",
          "CREATE ROLE \"g\"",
          "GRANT \"g\" TO \"c\" WITH ADMIN OPTION, INHERIT TRUE, SET TRUE",
          "GRANT \"g\" TO \"b\" WITH ADMIN OPTION, INHERIT FALSE, SET TRUE "
          "GRANTED BY \"c\"",
          "GRANT \"g\" TO \"a\" WITH INHERIT TRUE, SET FALSE GRANTED BY "
          "\"b\""));
  // Whoever lost the right since: the grant stays, in another's name.
  source_.memberships.resize(2);
  const GlobalsPlan plan = Plan();
  EXPECT_EQ(plan.statements[4].sql,
            "GRANT \"g\" TO \"a\" WITH INHERIT TRUE, SET FALSE");
  EXPECT_THAT(Texts(plan).front(),
              "role-membership info role a: was made a member of g by b, who "
              "may not do so on the target; there it is the server's first "
              "superuser");
}

// It would be a gift that nobody has asked for.
TEST_F(GlobalsPlanTest, MakesNobodyAMemberOfARoleThatMayDoMoreThere) {
  source_.roles.push_back({.name = "a"});
  source_.roles.push_back({.name = "boss"});
  target_.roles.push_back({.name = "boss", .superuser = true});
  source_.memberships = {{.role = "boss", .member = "a", .grantor = "a"}};
  const GlobalsPlan plan = Plan();
  EXPECT_THAT(Sql(plan.statements), ElementsAre("CREATE ROLE \"a\""));
  EXPECT_THAT(Texts(plan),
              testing::Contains(
                  "role-membership (acceptable) blocking role a: is a member "
                  "of boss, which may do more on the target than on the "
                  "source, and does not become one"));
  source_.roles.back().superuser = true;
  EXPECT_EQ(Sql(Plan().statements).back(), "GRANT \"boss\" TO \"a\"");
}

TEST_F(GlobalsPlanTest, GrantsWithoutOptionsWhereThereAreNone) {
  source_.roles.push_back({.name = "a"});
  source_.memberships = {{.role = "pg_monitor", .member = "a", .grantor = "a"}};
  source_.server_version = 150000;
  EXPECT_EQ(Plan().statements.back().sql, "GRANT \"pg_monitor\" TO \"a\"");
  source_.memberships[0].role = "pg_gone";
  EXPECT_THAT(Texts(Plan()),
              ElementsAre("role-membership (acceptable) blocking role a: is a "
                          "member of pg_gone, which the target does not have"));
}

TEST_F(GlobalsPlanTest, LeavesOutSettingsThatTheTargetDoesNotKnow) {
  source_.roles.push_back({.name = "a"});
  source_.settings = {
      {.role = "a", .name = "work_mem", .value = "1MB"},
      {.role = "a", .name = "default_with_oids", .value = "on"},
      {.role = "a", .name = "my.own", .value = "x"},
      {.name = "work_mem", .value = "2MB"},
  };
  const GlobalsPlan plan = Plan();
  EXPECT_THAT(Sql(plan.statements),
              ElementsAre("CREATE ROLE \"a\"",
                          "ALTER ROLE \"a\" SET \"work_mem\" TO '1MB'",
                          "ALTER ROLE \"a\" SET \"my.own\" TO 'x'",
                          "ALTER ROLE ALL SET \"work_mem\" TO '2MB'"));
  EXPECT_THAT(Texts(plan),
              ElementsAre("role-setting (acceptable) blocking role a: has "
                          "default_with_oids set, which the target does not "
                          "know"));
  Downgrade();
  EXPECT_THAT(Sql(Plan().statements),
              ElementsAre("CREATE ROLE \"a\"",
                          "ALTER ROLE \"a\" SET \"work_mem\" TO '1MB'"));
}

TEST_F(GlobalsPlanTest, GivesPrivilegesOnParameters) {
  source_.roles.push_back({.name = "a"});
  source_.parameters = {
      {.parameter = "work_mem",
       .privileges = {{.grantor = "postgres",
                       .grantee = "a",
                       .names = "SET, ALTER SYSTEM",
                       .grantable = true},
                      {.grantor = "a", .grantee = "", .names = "SET"}}}};
  EXPECT_THAT(Sql(Plan().statements),
              ElementsAre("CREATE ROLE \"a\"",
                          "GRANT SET, ALTER SYSTEM ON PARAMETER \"work_mem\" "
                          "TO \"a\" WITH GRANT OPTION",
                          "SET LOCAL ROLE \"a\"; GRANT SET ON PARAMETER "
                          "\"work_mem\" TO PUBLIC; RESET ROLE"));
}

TEST_F(GlobalsPlanTest, MakesTablespacesWhereTheirDirectoryIs) {
  source_.tablespaces = {
      {.name = "fast",
       .owner = "postgres",
       .location = "/nvme",
       .options = {"random_page_cost=1.1"},
       .comment = "quick"},
      {.name = "inside", .owner = "postgres"},
      {.name = "slow", .owner = "postgres", .location = "/disk"}};
  directories_ = {"/ssd"};
  const GlobalsPlan plan =
      Plan({.tablespaces = {{.from = "/nvme/", .to = "/ssd"}}});
  ASSERT_EQ(plan.tablespaces.size(), 1u);
  EXPECT_EQ(plan.tablespaces[0].create.sql,
            "CREATE TABLESPACE \"fast\" OWNER \"postgres\" LOCATION '/ssd' "
            "WITH (\"random_page_cost\" = '1.1')");
  EXPECT_THAT(Sql(plan.tablespaces[0].properties),
              ElementsAre("COMMENT ON TABLESPACE \"fast\" IS 'quick'"));
  EXPECT_THAT(plan.skipped_tablespaces, ElementsAre("inside", "slow"));
  EXPECT_THAT(
      Texts(plan),
      ElementsAre("tablespace-skipped warning tablespace inside: lies inside "
                  "the source's data directory, and no location on the target "
                  "is given; it is not made, and what lies in it goes to the "
                  "target's default tablespace",
                  "tablespace-skipped warning tablespace slow: the target has "
                  "no directory /disk; it is not made, and what lies in it "
                  "goes to the target's default tablespace"));
}

// Whoever made it was killed before the rest.
TEST_F(GlobalsPlanTest, CompletesATablespaceThatWasJustMade) {
  source_.tablespaces = {
      {.name = "fast",
       .owner = "postgres",
       .location = "/nvme",
       .comment = "quick",
       .privileges = std::vector<Privilege>{
           {.grantor = "postgres", .grantee = "", .names = "CREATE"}}}};
  target_.tablespaces = {
      {.name = "fast", .owner = "postgres", .location = "/nvme"}};
  const GlobalsPlan plan = Plan();
  EXPECT_THAT(Texts(plan), testing::IsEmpty());
  ASSERT_EQ(plan.tablespaces.size(), 1u);
  EXPECT_EQ(plan.tablespaces[0].create.sql, "");
  EXPECT_EQ(Sql(plan.tablespaces[0].properties).front(),
            "COMMENT ON TABLESPACE \"fast\" IS 'quick'");
  EXPECT_GE(plan.tablespaces[0].properties.size(), 2u);
  // One of somebody's own stays as it is.
  for (const ServerTablespace& other :
       {ServerTablespace{
            .name = "fast", .owner = "postgres", .location = "/elsewhere"},
        ServerTablespace{.name = "fast",
        .owner = "postgres",
        .location = "/nvme",
        .comment = "mine"}}) {
    target_.tablespaces = {other};
    EXPECT_THAT(Plan().tablespaces, testing::IsEmpty());
    EXPECT_EQ(Texts(Plan()).size(), 1u);
  }
}

TEST_F(GlobalsPlanTest, RefusesAMappingOfNothing) {
  EXPECT_THAT(Texts(Plan({.tablespaces = {{.from = "fsat", .to = "/ssd"}}})),
              ElementsAre("tablespace-mapping blocking tablespace fsat: the "
                          "source has none of that name or at that place, to "
                          "be mapped"));
}

TEST(GlobalsFindings, HaveTheirIdsInOrder) {
  EXPECT_TRUE(absl::c_is_sorted(GlobalsFindingIds()));
}

}  // namespace
}  // namespace walferry
