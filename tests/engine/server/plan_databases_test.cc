#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/server/create_database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PlanDatabasesTest : public ::testing::Test {
 protected:
  PlanDatabasesTest() {
    database_ = {.name = "shop",
                 .encoding = "UTF8",
                 .collate = "C",
                 .ctype = "C",
                 .owner = "app",
                 .tablespace = "pg_default"};
    target_ = {.server_version = 180000,
               .has_icu = true,
               .rights = {.role = "postgres",
                          .superuser = true,
                          .create_role = true,
                          .create_db = true,
                          .parameters = {{"work_mem", true}}},
               .databases = {"postgres"},
               .tablespaces = {"pg_default"},
               .roles = {"postgres", "app"},
               .possible_owners = {"postgres", "app"},
               .locales = {"C"},
               .encodings = {"UTF8"}};
  }

  DatabasesPlan Plan(const CreateDatabaseOptions& options = {}) const {
    return PlanDatabases({database_}, target_, options);
  }
  std::string Create() const { return Plan().databases.front().create; }

  std::vector<std::string> Properties(
      const CreateDatabaseOptions& options = {}) const {
    std::vector<std::string> sql;
    const DatabasesPlan plan = Plan(options);
    for (const GlobalStatement& one : plan.databases.front().properties) {
      sql.push_back(one.sql);
    }
    return sql;
  }

  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    const DatabasesPlan plan = Plan();
    for (const Finding& finding : plan.findings) {
      EXPECT_EQ(finding.subject, "database shop");
      texts.push_back(absl::StrCat(
          finding.id, finding.acceptable ? " (acceptable): " : ": ",
          finding.text));
    }
    return texts;
  }

  ServerDatabase database_;
  TargetDatabases target_;
};

TEST_F(PlanDatabasesTest, SaysProviderAndLocaleAsTheTargetKnowsThem) {
  EXPECT_EQ(Create(),
            "CREATE DATABASE \"shop\" WITH TEMPLATE template0 ENCODING 'UTF8' "
            "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' OWNER \"app\"");
  target_.server_version = 140000;
  EXPECT_EQ(Create(),
            "CREATE DATABASE \"shop\" WITH TEMPLATE template0 ENCODING 'UTF8' "
            "LC_COLLATE 'C' LC_CTYPE 'C' OWNER \"app\"");
  EXPECT_THAT(Texts(), IsEmpty());
  database_.provider = LocaleProvider::kIcu;
  database_.locale = "de-DE";
  database_.icu_rules = "&a < b";
  EXPECT_THAT(Texts(),
              ElementsAre("database-locale: needs locale provider ICU for "
                          "databases, which comes with PostgreSQL 15",
                          "database-locale: needs ICU rules, which comes with "
                          "PostgreSQL 16"));
  target_.server_version = 160000;
  EXPECT_EQ(Create(),
            "CREATE DATABASE \"shop\" WITH TEMPLATE template0 ENCODING 'UTF8' "
            "LOCALE_PROVIDER icu LC_COLLATE 'C' LC_CTYPE 'C' ICU_LOCALE "
            "'de-DE' ICU_RULES '&a < b' OWNER \"app\"");
  target_.has_icu = false;
  EXPECT_THAT(Texts(),
              ElementsAre("database-locale: has ICU locale de-DE, and the "
                          "target's server was built without ICU"));
}

TEST_F(PlanDatabasesTest, KnowsTheBuiltinProvider) {
  database_.provider = LocaleProvider::kBuiltin;
  database_.locale = "PG_UNICODE_FAST";
  EXPECT_EQ(Create(),
            "CREATE DATABASE \"shop\" WITH TEMPLATE template0 ENCODING 'UTF8' "
            "LOCALE_PROVIDER builtin LC_COLLATE 'C' LC_CTYPE 'C' "
            "BUILTIN_LOCALE 'PG_UNICODE_FAST' OWNER \"app\"");
  target_.server_version = 170000;
  EXPECT_THAT(Texts(),
              ElementsAre("database-locale: needs the built-in locale "
                          "PG_UNICODE_FAST, which comes with PostgreSQL 18"));
  target_.server_version = 160000;
  EXPECT_THAT(Texts(), ElementsAre("database-locale: needs the built-in locale "
                                   "provider, which comes with PostgreSQL 17"));
}

TEST_F(PlanDatabasesTest, RefusesOneThatExistsUnlessTold) {
  target_.databases.insert("shop");
  EXPECT_THAT(Texts(), ElementsAre("database-exists (acceptable): exists on "
                                   "the target already"));
  EXPECT_THAT(Plan({.use_existing = true}).findings, IsEmpty());
  EXPECT_THAT(Plan({.begun = {"shop"}}).findings, IsEmpty());
  EXPECT_EQ(Create(), "");
}

TEST_F(PlanDatabasesTest, TakesRolesAndTablespacesThatAreToCome) {
  database_.owner = "later";
  database_.tablespace = "fast";
  EXPECT_THAT(Texts(),
              ElementsAre("database-owner (acceptable): belongs to role later, "
                          "which the target does not have",
                          "database-tablespace: lies in tablespace fast, which "
                          "the target does not have; it goes to the target's "
                          "default one"));
  const DatabasesPlan plan =
      Plan({.roles_to_come = {"later"}, .tablespaces_to_come = {"fast"}});
  EXPECT_THAT(plan.findings, IsEmpty());
  EXPECT_EQ(plan.databases.front().create,
            "CREATE DATABASE \"shop\" WITH TEMPLATE template0 ENCODING 'UTF8' "
            "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' OWNER \"later\" "
            "TABLESPACE \"fast\"");
}

TEST_F(PlanDatabasesTest, LeavesWhatCouldBeInTheWayToTheEnd) {
  database_.connection_limit = 5;
  database_.comment = "it's";
  database_.privileges = {
      {.grantor = "app", .grantee = "app", .names = "CREATE, CONNECT"}};
  database_.settings = {
      {.database = "shop", .name = "work_mem", .value = "1MB"},
      {.role = "app", .database = "shop", .name = "work_mem", .value = "2MB"}};
  EXPECT_THAT(
      Properties(),
      ElementsAre("ALTER DATABASE \"shop\" CONNECTION LIMIT 5",
                  "REVOKE ALL ON DATABASE \"shop\" FROM PUBLIC, \"app\"",
                  "GRANT CREATE, CONNECT ON DATABASE \"shop\" TO \"app\"",
                  "COMMENT ON DATABASE \"shop\" IS 'it''s'",
                  "ALTER DATABASE \"shop\" SET \"work_mem\" TO '1MB'",
                  "ALTER ROLE \"app\" IN DATABASE \"shop\" SET \"work_mem\" TO "
                  "'2MB'"));
  // Without its owner, whoever owns it stands in his place.
  EXPECT_THAT(Properties({.no_owner = true})[2],
              "GRANT CREATE, CONNECT ON DATABASE \"shop\" TO \"postgres\"");
  EXPECT_EQ(Properties({.no_acl = true}).size(), 4u);
}

TEST_F(PlanDatabasesTest, TellsWhatARoleMayNotDo) {
  target_.rights = {.role = "mover", .parameters = {{"work_mem", false}}};
  target_.possible_owners = {"mover"};
  target_.encodings.insert("SQL_ASCII");
  target_.locales.insert("de_DE");
  database_.encoding = "SQL_ASCII";
  database_.collate = "de_DE";
  database_.settings = {
      {.database = "shop", .name = "work_mem", .value = "1MB"}};
  EXPECT_THAT(
      Texts(),
      ElementsAre("database-rights: role mover may not create databases on the "
                  "target",
                  "database-encoding: is encoded in SQL_ASCII with locale "
                  "de_DE, which only a superuser may create",
                  "database-owner (acceptable): belongs to role app, and role "
                  "mover may not act for that on the target",
                  "database-parameter (acceptable): has work_mem set, which "
                  "role mover may not set for others on the target"));
}

// With --freeze read-only, also of an earlier run, the source has it.
TEST_F(PlanDatabasesTest, NeverCarriesWhatKeepsASourceStill) {
  target_.rights.parameters["default_transaction_read_only"] = true;
  database_.settings = {{.database = "shop",
                         .name = "default_transaction_read_only",
                         .value = "on"},
                        {.role = "app",
                         .database = "shop",
                         .name = "default_transaction_read_only",
                         .value = "on"}};
  EXPECT_THAT(Properties(),
              ElementsAre("ALTER ROLE \"app\" IN DATABASE \"shop\" SET "
                          "\"default_transaction_read_only\" TO 'on'"));
  EXPECT_THAT(Texts(),
              ElementsAre("database-parameter: has "
                          "default_transaction_read_only set, which is not "
                          "carried: it is how a source is kept still"));
  EXPECT_EQ(Plan().findings.front().hint,
            "if the target is meant to have it: ALTER DATABASE \"shop\" SET "
            "\"default_transaction_read_only\" TO 'on' there, once all is "
            "done");
}

TEST(DatabaseFindings, HaveTheirIdsInOrder) {
  EXPECT_TRUE(absl::c_is_sorted(DatabaseFindingIds()));
}

}  // namespace
}  // namespace walferry
