#include "engine/target/database_statements.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

constexpr char kScript[] =
    "--\n"
    "-- PostgreSQL database dump\n"
    "--\n"
    "\n"
    "\\restrict key\n"
    "\n"
    "SET client_encoding = 'UTF8';\n"
    "\n"
    "--\n"
    "-- TOC entry 3480 (class 1262 OID 16388)\n"
    "-- Name: app; Type: DATABASE; Schema: -; Owner: ada\n"
    "--\n"
    "\n"
    "CREATE DATABASE app WITH TEMPLATE = template0 ENCODING = 'UTF8' "
    "LOCALE_PROVIDER = libc LOCALE = 'C';\n"
    "\n"
    "\n"
    "ALTER DATABASE app OWNER TO ada;\n"
    "\n"
    "\\unrestrict key\n"
    "\\connect app\n"
    "\\restrict key\n"
    "\n"
    "SET client_encoding = 'UTF8';\n"
    "\n"
    "--\n"
    "-- TOC entry 3481 (class 0 OID 0)\n"
    "-- Dependencies: 3480\n"
    "-- Name: DATABASE app; Type: COMMENT; Schema: -; Owner: ada\n"
    "--\n"
    "\n"
    "COMMENT ON DATABASE app IS 'two;\n"
    "lines';\n"
    "\n"
    "--\n"
    "-- TOC entry 3482 (class 0 OID 0)\n"
    "-- Dependencies: 3480\n"
    "-- Name: app; Type: DATABASE PROPERTIES; Schema: -; Owner: ada\n"
    "--\n"
    "\n"
    "ALTER DATABASE app SET work_mem TO '1MB';\n"
    "ALTER ROLE bob IN DATABASE app SET work_mem TO '2MB';\n"
    "\n"
    "--\n"
    "-- TOC entry 2 (class 3079 OID 16389)\n"
    "-- Name: hstore; Type: EXTENSION; Schema: -; Owner: -\n"
    "--\n"
    "\n"
    "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;\n"
    "\n"
    "--\n"
    "-- PostgreSQL database dump complete\n"
    "--\n"
    "\n"
    "\\unrestrict key\n";

TEST(DatabaseStatements, AreTheDatabasesOwnOneByOne) {
  EXPECT_THAT(
      DatabaseStatements(kScript),
      IsOkAndHolds(ElementsAre(
          "CREATE DATABASE app WITH TEMPLATE = template0 ENCODING = 'UTF8' "
          "LOCALE_PROVIDER = libc LOCALE = 'C';",
          "ALTER DATABASE app OWNER TO ada;",
          "COMMENT ON DATABASE app IS 'two;\nlines';",
          "ALTER DATABASE app SET work_mem TO '1MB';",
          "ALTER ROLE bob IN DATABASE app SET work_mem TO '2MB';")));
}

std::string ScriptOf(const std::string& sql) {
  return absl::StrCat(
      "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = "
      "'UTF8';\n\n--\n-- TOC entry 3480 (class 1262 OID 16388)\n"
      "-- Name: app; Type: DATABASE; Schema: -; Owner: ada\n--\n\n",
      sql, "\n\n--\n-- PostgreSQL database dump complete\n--\n\n");
}

TEST(DatabaseStatements, KeepWhoHasGivenAPrivilege) {
  EXPECT_THAT(
      DatabaseStatements(ScriptOf("SET SESSION AUTHORIZATION bob;\n"
                                  "GRANT CONNECT ON DATABASE app TO carl;\n"
                                  "RESET SESSION AUTHORIZATION;")),
      IsOkAndHolds(ElementsAre("SET SESSION AUTHORIZATION bob;",
                               "GRANT CONNECT ON DATABASE app TO carl;",
                               "RESET SESSION AUTHORIZATION;")));
}

TEST(DatabaseStatements, KeepLinesThatLookLikeCommands) {
  EXPECT_THAT(DatabaseStatements(ScriptOf(
                  "COMMENT ON DATABASE app IS 'one\n\\connect other\ntwo';")),
              IsOkAndHolds(ElementsAre("COMMENT ON DATABASE app IS 'one\n"
                                       "\\connect other\ntwo';")));
}

TEST(DatabaseStatements, AreWholeOrNone) {
  EXPECT_THAT(
      DatabaseStatements(ScriptOf("ALTER DATABASE app OWNER TO ada")),
      StatusIs(absl::StatusCode::kDataLoss, "DATABASE app, line 1: malformed"));
}

TEST(CreatedUnder, PutsAnotherNameInItsPlace) {
  EXPECT_EQ(CreatedUnder("CREATE DATABASE app WITH TEMPLATE = template0;", "b"),
            "CREATE DATABASE \"b\" WITH TEMPLATE = template0;");
  EXPECT_EQ(
      CreatedUnder("CREATE DATABASE \"a \"\" WITH b\" WITH C = 'd';", "b"),
      "CREATE DATABASE \"b\" WITH C = 'd';");
}

}  // namespace
}  // namespace walferry
