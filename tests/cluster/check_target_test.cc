#include "tests/cluster/check_fixture.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CheckTargetTest : public CheckTest {
 protected:
  // Makes the test's databases anew.
  void RecreateDatabases(const std::string& source_options,
                         const std::string& target_options) {
    Recreate(*source_, source_options);
    Recreate(*target_, target_options);
  }

 private:
  void Recreate(const PgServer& server, const std::string& options) {
    ASSERT_OK(server.Exec(absl::StrCat("DROP DATABASE ", dbname_)));
    ASSERT_OK(server.Exec(absl::StrCat("CREATE DATABASE ", dbname_,
                                       " TEMPLATE template0 ", options)));
  }
};

TEST_P(CheckTargetTest, FindsWhatIsThereAlready) {
  const std::string schema = R"(CREATE TABLE t (a serial PRIMARY KEY);
      CREATE TYPE mood AS ENUM ('ok'); CREATE VIEW v AS SELECT 1 AS a;
      CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';)";
  OnSource(schema);
  OnTarget(
      "CREATE TABLE theirs (a int); CREATE TYPE u AS ENUM ();"
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  EXPECT_THAT(Found(RunCheck(), "target-not-empty"),
              ElementsAre("warning target: tables are there that the source "
                          "does not have: public.theirs; they stay, and a "
                          "comparison will say that they are too many"));
  OnTarget(schema);
  EXPECT_THAT(Found(RunCheck(), "target-not-empty"),
              ElementsAre("blocking target: 5 objects of the source exist "
                          "there already: public.t, public.t_a_seq, public.v, "
                          "function public.f(integer), type public.mood"));
  resuming_ = true;
  EXPECT_THAT(Found(RunCheck(), "target-not-empty"),
              ElementsAre("ok target: the migration has begun: its objects are "
                          "there"));
}

TEST_P(CheckTargetTest, TellsARoleWhatItLacks) {
  OnSource(R"(CREATE TABLE t (a int PRIMARY KEY);
      CREATE SCHEMA app; CREATE TABLE app.t (a int PRIMARY KEY))");
  OnTarget(absl::StrCat("CREATE SCHEMA app; REVOKE TEMPORARY ON DATABASE ",
                        dbname_, " FROM PUBLIC"));
  UseRoleOnTarget("check_guest", "");
  OnTarget("GRANT CREATE ON SCHEMA public TO check_guest");
  const CheckReport report = RunCheck();
  EXPECT_FALSE(report.ladder->replica_role);
  EXPECT_FALSE(report.ladder->replication_origin);
  EXPECT_FALSE(report.ladder->create_schema);
  EXPECT_FALSE(report.ladder->temporary_tables);
  EXPECT_TRUE(report.ladder->timeouts_settable);
  EXPECT_THAT(
      Found(report, "target-rights"),
      ElementsAre(absl::StrCat("blocking target: the role may not create "
                               "schemas, and the ledger needs one: permission "
                               "denied for database ",
                               dbname_, " (SQLSTATE 42501)"),
                  "blocking target: the role may not create anything in schema "
                  "app"));
  EXPECT_EQ(HintFor(report, "target-rights"),
            absl::StrCat("GRANT CREATE ON DATABASE \"", dbname_,
                         "\" TO \"check_guest\";"));
  EXPECT_THAT(Found(report, "replica-role"),
              ElementsAre("warning target: the role may not set "
                          "session_replication_role: foreign keys and triggers "
                          "are created only at the cutover, which takes longer "
                          "for it"));
  EXPECT_THAT(Found(report, "replication-origin"),
              ElementsAre("info target: the role may not use replication "
                          "origins: the position is kept in a row of the "
                          "ledger alone, and what was applied is not marked"));
  EXPECT_THAT(Found(report, "temporary-table"),
              ElementsAre("info target: the role may not create temporary "
                          "tables: a copy that is interrupted begins anew with "
                          "the tables that were not finished"));
  EXPECT_THAT(Found(report, "target-superuser"),
              ElementsAre("ok target: role check_guest is not a superuser"));
  EXPECT_THAT(
      Found(report, "target-membership"),
      ElementsAre("blocking target: the role is no member of postgres and "
                  "cannot give objects to it"));
}

TEST_P(CheckTargetTest, TriesToCreateEventTriggersWhereTheSourceHasOne) {
  OnSource(R"(CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql
        AS 'BEGIN END';
      CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION e())");
  EXPECT_THAT(Found(RunCheck(), "event-trigger"),
              ElementsAre("ok source: created on the target after everything "
                          "else: watch"));
  UseRoleOnTarget("check_blunt", "");
  OnTarget(
      absl::StrCat("GRANT CREATE ON DATABASE ", dbname_, " TO check_blunt"));
  EXPECT_THAT(Found(RunCheck(), "event-trigger"),
              ElementsAre("blocking target: the role may not create event "
                          "triggers: permission denied to create event trigger "
                          "\"walferry_probe\" (SQLSTATE 42501); the source "
                          "has watch"));
  OnSource("DROP EVENT TRIGGER watch");
  EXPECT_THAT(Found(RunCheck(), "event-trigger"),
              ElementsAre("ok source: there is no event trigger"));
}

TEST_P(CheckTargetTest, ClimbsEachRungByItself) {
  OnSource("CREATE TABLE t (a int PRIMARY KEY)");
  UseRoleOnTarget("check_climber", "");
  OnTarget(absl::StrCat("GRANT CREATE ON DATABASE ", dbname_,
                        " TO check_climber; GRANT CREATE ON SCHEMA public TO "
                        "check_climber"));
  for (const std::string function :
       {"create(text)", "drop(text)", "oid(text)", "session_setup(text)",
        "session_reset()", "xact_setup(pg_lsn, timestamptz)"}) {
    const CheckReport before = RunCheck();
    EXPECT_FALSE(before.ladder->replication_origin) << function;
    OnTarget(absl::StrCat("GRANT EXECUTE ON FUNCTION pg_replication_origin_",
                          function, " TO check_climber"));
  }
  if (ServerIsAtLeast(15)) {
    OnTarget(
        "GRANT SET ON PARAMETER session_replication_role TO "
        "check_climber");
  }
  options_.no_owner = true;
  const CheckReport report = RunCheck();
  EXPECT_TRUE(report.ladder->replication_origin);
  EXPECT_TRUE(report.ladder->create_schema);
  EXPECT_TRUE(report.ladder->temporary_tables);
  EXPECT_EQ(report.ladder->replica_role, ServerIsAtLeast(15));
  if (ServerIsAtLeast(15)) {
    // The test's servers flush nothing, and this role cannot see why.
    EXPECT_THAT(Complaints(report), ElementsAre("target-durability"))
        << FormatCheckReport(report, {}, false);
  }
}

TEST_P(CheckTargetTest, NamesRolesThatAreMissing) {
  OnSource(R"(CREATE ROLE src_owner; CREATE ROLE src_reader;
      CREATE ROLE src_column; CREATE ROLE src_default; CREATE ROLE src_policy;
      CREATE ROLE src_typist; CREATE ROLE src_schema;
      CREATE TABLE t (a int PRIMARY KEY);
      ALTER TABLE t OWNER TO src_owner; GRANT SELECT ON t TO src_reader;
      GRANT SELECT (a) ON t TO src_column;
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO src_default;
      CREATE POLICY p ON t TO src_policy;
      CREATE TYPE y AS ENUM (); ALTER TYPE y OWNER TO src_typist;
      CREATE SCHEMA src AUTHORIZATION src_schema)");
  options_.no_acl = false;
  EXPECT_THAT(
      Found(RunCheck(), "target-role"),
      ElementsAre("blocking target: role src_owner does not exist: it owns "
                  "objects of the source",
                  "blocking target: role src_schema does not exist: it owns "
                  "objects of the source",
                  "blocking target: role src_typist does not exist: it owns "
                  "objects of the source",
                  "blocking target: role src_column does not exist: objects of "
                  "the source are granted to it",
                  "blocking target: role src_default does not exist: objects "
                  "of the source are granted to it",
                  "blocking target: role src_reader does not exist: objects of "
                  "the source are granted to it",
                  "blocking target: role src_policy does not exist: policies "
                  "of the source name it"));
  options_.no_acl = true;
  options_.no_owner = true;
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "target-role"),
              ElementsAre("blocking target: role src_policy does not exist: "
                          "policies of the source name it"));
  EXPECT_EQ(HintFor(report, "target-role"),
            "CREATE ROLE \"src_policy\"; or `walferry globals`, which brings "
            "all roles");
  options_.scope.exclude_tables = {"t"};
  EXPECT_THAT(Found(RunCheck(), "target-role"),
              ElementsAre("ok target: the roles exist"));
}

TEST_P(CheckTargetTest, FindsPoliciesThatWouldHideRows) {
  OnSource(R"(CREATE ROLE rls_owner;
      CREATE TABLE forced (a int PRIMARY KEY);
      ALTER TABLE forced ENABLE ROW LEVEL SECURITY;
      ALTER TABLE forced FORCE ROW LEVEL SECURITY;
      CREATE TABLE theirs (a int PRIMARY KEY);
      ALTER TABLE theirs ENABLE ROW LEVEL SECURITY;
      ALTER TABLE theirs OWNER TO rls_owner)");
  EXPECT_THAT(Found(RunCheck(), "target-row-security"),
              ElementsAre("ok target: no policy will stand in the way of "
                          "applied changes"));
  OnTarget("CREATE ROLE rls_owner");
  UseRoleOnTarget("rls_writer", "");
  EXPECT_THAT(Found(RunCheck(), "target-row-security"),
              ElementsAre("blocking target: row-level security will keep the "
                          "role from the rows of public.forced, "
                          "public.theirs"));
  OnTarget("GRANT rls_owner TO rls_writer");
  EXPECT_THAT(Found(RunCheck(), "target-row-security"),
              ElementsAre("blocking target: row-level security will keep the "
                          "role from the rows of public.forced"));
  OnTarget("ALTER ROLE rls_writer BYPASSRLS");
  EXPECT_THAT(Found(RunCheck(), "target-row-security"),
              ElementsAre("ok target: no policy will stand in the way of "
                          "applied changes"));
}

TEST_P(CheckTargetTest, ComparesExtensions) {
  OnSource(R"(CREATE EXTENSION citext; CREATE EXTENSION amcheck;
      UPDATE pg_extension SET extversion = '0.5' WHERE extname = 'citext')");
  const CheckReport report = RunCheck();
  ASSERT_OK_AND_ASSIGN(
      const std::string version,
      target_->QueryValue("SELECT default_version FROM pg_available_extensions"
                          " WHERE name = 'citext'"));
  EXPECT_THAT(Found(report, "extension-version"),
              ElementsAre(absl::StrCat("info target: extension citext is 0.5 "
                                       "on the source and will be ",
                                       version, " on the target")));
  EXPECT_THAT(Found(report, "extension"),
              ElementsAre("ok source: extensions: amcheck, citext, plpgsql"));
  OnSource(
      "UPDATE pg_extension SET extname = 'nowhere'"
      " WHERE extname = 'citext'");
  EXPECT_THAT(Found(RunCheck(), "extension"),
              ElementsAre("blocking target: extension nowhere 0.5 of the "
                          "source is not installed on the target's server"));
  OnSource("DELETE FROM pg_extension WHERE extname = 'nowhere'");
  UseRoleOnTarget("check_untrusted", "");
  OnTarget(absl::StrCat("GRANT CREATE ON DATABASE ", dbname_,
                        " TO check_untrusted"));
  EXPECT_THAT(Found(RunCheck(), "extension"),
              ElementsAre("blocking target: the role may not create extension "
                          "amcheck: permission denied to create extension "
                          "\"amcheck\" (SQLSTATE 42501)"));
  OnTarget("CREATE EXTENSION amcheck");
  EXPECT_THAT(Found(RunCheck(), "extension"),
              ElementsAre("ok source: extensions: amcheck, plpgsql"));
}

TEST_P(CheckTargetTest, FindsTablespacesThatAreMissing) {
  OnSource("CREATE TABLE t (a int, b int)");
  // In place of a directory that only a superuser of the machine could make.
  OnSource(R"(UPDATE pg_class SET reltablespace =
      (SELECT oid FROM pg_tablespace WHERE spcname = 'pg_global')
      WHERE relname = 't' AND relkind = 'r')");
  EXPECT_THAT(Found(RunCheck(), "tablespace"),
              ElementsAre("ok target: the tablespaces that are needed exist"));
  UseRoleOnTarget("check_homeless", "");
  EXPECT_THAT(Found(RunCheck(), "tablespace"),
              ElementsAre("blocking? target: the role cannot use these "
                          "tablespaces of the source: pg_global"));
}

TEST_P(CheckTargetTest, ComparesEncodings) {
  RecreateDatabases("ENCODING 'SQL_ASCII' LOCALE 'C'",
                    "ENCODING 'UTF8' LOCALE 'C'");
  EXPECT_THAT(Found(RunCheck(), "encoding"),
              ElementsAre("blocking? target: the source's encoding is "
                          "SQL_ASCII, the target's UTF8: bytes that are not "
                          "valid there stop the migration"));
  RecreateDatabases("ENCODING 'SQL_ASCII' LOCALE 'C'",
                    "ENCODING 'SQL_ASCII' LOCALE 'C'");
  EXPECT_THAT(Found(RunCheck(), "encoding"),
              ElementsAre("warning target: both encodings are SQL_ASCII: bytes "
                          "are carried as they are, nobody checks them"));
  RecreateDatabases("ENCODING 'LATIN1' LOCALE 'C'",
                    "ENCODING 'UTF8' LOCALE 'C'");
  EXPECT_THAT(Found(RunCheck(), "encoding"),
              ElementsAre("info target: the source's encoding is LATIN1, the "
                          "target's UTF8: text is converted"));
  RecreateDatabases("ENCODING 'UTF8' LOCALE 'C'",
                    "ENCODING 'LATIN1' LOCALE 'C'");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "encoding"),
              ElementsAre("blocking? target: the source's encoding is UTF8, "
                          "the target's LATIN1: a character that is not in it "
                          "stops the migration"));
  EXPECT_EQ(HintFor(report, "encoding"),
            "create the target database with ENCODING 'UTF8'");
}

TEST_P(CheckTargetTest, ComparesCollations) {
  EXPECT_THAT(Found(RunCheck(), "collation"),
              ElementsAre(StartsWith("ok target: collated as the source: ")));
  RecreateDatabases("ENCODING 'UTF8' LOCALE 'C'",
                    "ENCODING 'UTF8' LOCALE 'C.UTF-8'");
  EXPECT_THAT(
      Found(RunCheck(), "collation"),
      ElementsAre(AllOf(
          StartsWith("warning target: text is sorted and compared otherwise "
                     "than on the source (there: libc C"),
          HasSubstr("; here: libc C.UTF-8"))));
}

TEST_P(CheckTargetTest, FindsCollationsThatColumnsName) {
  OnSource(R"(CREATE COLLATION pg_catalog.walferry_test (locale = 'C');
      CREATE TABLE t (a text COLLATE pg_catalog.walferry_test PRIMARY KEY))");
  EXPECT_THAT(Found(RunCheck(), "column-collation"),
              ElementsAre("blocking target: columns of the source use "
                          "collations that the target does not have: "
                          "walferry_test"));
}

TEST_P(CheckTargetTest, KeepsTheLedgersNameFree) {
  OnSource("CREATE SCHEMA walferry");
  EXPECT_THAT(Found(RunCheck(), "ledger-schema"),
              ElementsAre("blocking target: the source has a schema walferry, "
                          "which is the ledger's name on the target"));
  options_.endpoints.ledger_schema = "elsewhere";
  EXPECT_THAT(Found(RunCheck(), "ledger-schema"),
              ElementsAre("ok target: the ledger is kept in schema elsewhere"));
  options_.endpoints.ledger_schema = "walferry";
  options_.scope.exclude_schemas = {"walferry"};
  EXPECT_THAT(Found(RunCheck(), "ledger-schema"),
              ElementsAre("ok target: the ledger is kept in schema walferry"));
}

TEST_P(CheckTargetTest, NoticesReadOnlyDatabasesAndEventTriggers) {
  OnTarget(R"(CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql
        AS 'BEGIN END';
      CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION e())");
  EXPECT_THAT(Found(RunCheck(), "target-event-trigger"),
              ElementsAre("warning target: event triggers of the target fire "
                          "when the schema is created there: watch"));
  OnTarget(absl::StrCat("ALTER DATABASE ", dbname_,
                        " SET default_transaction_read_only = on"));
  EXPECT_THAT(Found(RunCheck(), "target-read-only"),
              ElementsAre("blocking target: its transactions are read-only"));
}

TEST_P(CheckTargetTest, TellsHowMuchSpaceIsNeeded) {
  OnSource(
      "CREATE TABLE t (a int PRIMARY KEY);"
      "CREATE TABLE left_out (a int PRIMARY KEY);"
      "INSERT INTO left_out SELECT generate_series(1, 100000)");
  options_.scope.exclude_table_data = {"left_out"};
  EXPECT_THAT(Found(RunCheck(), "target-space"),
              ElementsAre("info target: the tables take 0 bytes on the source "
                          "and their indexes 8192 bytes; the target's free "
                          "space cannot be asked for by SQL"));
}

TEST_P(CheckTargetTest, ComparesVersions) {
  OnSource("CREATE TABLE t (a int PRIMARY KEY)");
  std::map<int, std::string> servers;
  for (const std::string& bin_dir : TestServerBinDirs()) {
    ASSERT_OK_AND_ASSIGN(const int major, ServerMajorVersion(bin_dir));
    servers[major] = bin_dir;
  }
  for (const auto& [major, other] : {*servers.begin(), *servers.rbegin()}) {
    ASSERT_OK_AND_ASSIGN(const auto target,
                         PgServer::Start({.bin_dir = other}));
    target_conninfo_ = target->ConnInfo();
    const CheckReport report = RunCheck();
    const std::string version =
        absl::StrCat("target: PostgreSQL ", report.target_version / 10000, ".",
                     report.target_version % 10000);
    EXPECT_EQ(report.target_version / 10000, major);
    if (major < source_->major_version()) {
      EXPECT_THAT(
          Found(report, "target-version"),
          ElementsAre(absl::StrCat("warning ", version,
                                   " is older than the source: what the "
                                   "source's version has brought cannot be "
                                   "created")));
    } else {
      EXPECT_THAT(Found(report, "target-version"),
                  ElementsAre(absl::StrCat("ok ", version)));
      EXPECT_THAT(Complaints(report), IsEmpty())
          << FormatCheckReport(report, {}, false);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckTargetTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
