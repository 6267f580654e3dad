// RunServerCheck: what would stop the databases of a server, seen before the
// first of them is begun.

#include <future>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/server/servers.h"
#include "protocol/status.h"
#include "tests/cluster/server_online_fixture.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

CheckReport Look(const ServerMigrateOptions& options) {
  Control control;
  absl::StatusOr<CheckReport> report = RunServerCheck(options, control);
  EXPECT_OK(report);
  if (!report.ok()) return {};
  for (const Finding& finding : report->findings) {
    EXPECT_NE(finding.subject, "check") << finding.id << ": " << finding.text;
  }
  return *std::move(report);
}

// "shop: large-object source", "-: server-slots source".
std::string Line(const Finding& finding) {
  return absl::StrCat(finding.database.empty() ? "-" : finding.database, ": ",
                      finding.id, " ", finding.subject);
}

std::vector<std::string> Blocking(const CheckReport& report,
                                  const std::vector<std::string>& accept = {}) {
  std::vector<std::string> lines;
  for (const Finding* const finding : report.Blocking(accept)) {
    lines.push_back(Line(*finding));
  }
  return lines;
}

// What is of one database alone.
std::vector<std::string> OfOne(const CheckReport& report) {
  std::vector<std::string> lines;
  for (const Finding& finding : report.findings) {
    if (!finding.database.empty()) lines.push_back(Line(finding));
  }
  return lines;
}

std::vector<std::string> TextsOf(const CheckReport& report,
                                 absl::string_view id) {
  std::vector<std::string> texts;
  for (const Finding& finding : report.findings) {
    if (finding.id == id) texts.push_back(finding.text);
  }
  return texts;
}

// The others go on meanwhile.
std::string FailureOf(const BackgroundMove& move, absl::string_view database) {
  EXPECT_TRUE(
      WaitUntil([&] { return !move.events().All<Failed>(database).empty(); }));
  const std::vector<Failed> failed = move.events().All<Failed>(database);
  return failed.empty() ? "" : std::string(failed.front().status.message());
}

class ServerCheckTest : public ServerOnlineTest {
 protected:
  // "crm,large,postgres,shop false".
  static std::string WhatIsThere(const PgServer& server) {
    return server
        .QueryValue(
            "SELECT string_agg(datname, ',' ORDER BY datname) || ' ' ||"
            " (to_regnamespace('walferry') IS NOT NULL) FROM pg_database"
            " WHERE NOT datistemplate")
        .value_or("error");
  }

  void ExpectNothingMade() const {
    EXPECT_EQ(WhatIsThere(*target_), "postgres false");
    EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_roles WHERE "
                                    "rolname = 'owner'"),
                IsOkAndHolds("0"));
    ExpectNothingLeftOnSource();
  }
};

TEST_F(ServerCheckTest, HasNothingAgainstDatabasesThatCanBeMoved) {
  ASSERT_OK(source_->Exec("ALTER TABLE accounts OWNER TO owner", "crm"));
  const CheckReport report = Look(Options());
  EXPECT_THAT(Blocking(report), IsEmpty());
  EXPECT_THAT(OfOne(report), IsEmpty());
  EXPECT_TRUE(report.ladder->replica_role);
  EXPECT_TRUE(report.ladder->create_schema);
  // What is of the servers is said once, and what is counted for all not for
  // each, and of the target's databases, which are to come, nothing.
  std::map<std::string, int> told;
  for (const Finding& finding : report.findings) ++told[finding.id];
  for (const char* once :
       {"source-version", "pg-dump", "wal-room", "long-transaction", "clock",
        "publication", "read-rights", "replica-identity", "encoding",
        "replica-role", "target-rights", "target-role", "server-space"}) {
    EXPECT_EQ(told[once], 1) << once;
  }
  for (const char* never :
       {"wal-level", "replication-slots", "wal-senders", "connections",
        "target-space", "same-database", "collation", "target-not-empty",
        "target-schema", "database-setting"}) {
    EXPECT_EQ(told[never], 0) << never;
  }
  ExpectNothingMade();
}

TEST_F(ServerCheckTest, NamesTheDatabaseThatWouldStop) {
  ASSERT_OK(source_->Exec("CREATE TABLE log (line text)", "crm"));
  ASSERT_OK(source_->Exec("SELECT lo_create(0)", "shop"));
  ServerMigrateOptions options = Options();
  const CheckReport report = Look(options);
  EXPECT_THAT(Blocking(report), ElementsAre("crm: replica-identity public.log",
                                            "shop: large-object source"));
  EXPECT_THAT(OfOne(report), ElementsAre("crm: replica-identity public.log",
                                         "shop: large-object source"));
  EXPECT_THAT(FormatCheckReport(report, {}, /*color=*/false),
              HasSubstr("  replica-identity  database crm: public.log\n"));
  EXPECT_THAT(Blocking(report, {"large-object", "replica-identity:public.t"}),
              ElementsAre("crm: replica-identity public.log"));
  const std::vector<std::string> accept = {"large-object",
                                           "replica-identity:public.log"};
  EXPECT_THAT(Blocking(report, accept), IsEmpty());
  ExpectNothingMade();

  // Which is what the databases' own checks say, too.
  {
    BackgroundMove move(options);
    EXPECT_THAT(FailureOf(move, "crm"),
                AllOf(HasSubstr("public.log: it has no primary key"),
                      HasSubstr("[replica-identity]")));
    EXPECT_THAT(FailureOf(move, "shop"),
                AllOf(HasSubstr("source: 1 large object will not be carried"),
                      HasSubstr("[large-object]")));
    EXPECT_FALSE(move.Stop().ok());
  }
  options.migrate.accept = accept;
  BackgroundMove move(options);
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  // The move itself carries shop's settings.
  std::vector<std::string> told;
  for (const Notice& notice : move.events().All<Notice>("shop")) {
    told.push_back(notice.text);
  }
  EXPECT_THAT(told, Each(Not(HasSubstr("work_mem"))));
  EXPECT_THAT(told, Contains(HasSubstr("which was accepted (--accept "
                                       "large-object)")));
  EXPECT_TRUE(absl::IsCancelled(move.Stop()));

  // Begun, its objects on both sides are in nobody's way.
  EXPECT_THAT(Blocking(Look(options), accept), IsEmpty());
  EXPECT_THAT(TextsOf(Look(options), "target-not-empty"),
              ElementsAre("the migration has begun: its objects are there"));
}

TEST_F(ServerCheckTest, TellsOnceWhatAllDatabasesHave) {
  for (const char* name : kNames) {
    ASSERT_OK(source_->Exec("CREATE TABLE log (line text)", name));
  }
  EXPECT_THAT(Blocking(Look(Options())),
              ElementsAre("-: replica-identity public.log"));
  ASSERT_OK(source_->Exec("DROP TABLE log", "shop"));
  EXPECT_THAT(Blocking(Look(Options())),
              ElementsAre("crm: replica-identity public.log",
                          "large: replica-identity public.log"));
  // Alone, it is named, too.
  ServerMigrateOptions options = Options();
  options.databases.databases = {"crm"};
  EXPECT_THAT(Blocking(Look(options)),
              ElementsAre("crm: replica-identity public.log"));
}

TEST_F(ServerCheckTest, LooksIntoDatabasesThatTheTargetHas) {
  ASSERT_OK(target_->Exec("CREATE DATABASE crm"));
  ASSERT_OK(target_->Exec("CREATE TABLE accounts (i int)", "crm"));
  ServerMigrateOptions options = Options();
  EXPECT_THAT(Blocking(Look(options)),
              ElementsAre("-: database-exists database crm",
                          "crm: target-not-empty target"));
  options.use_existing = true;
  const CheckReport report = Look(options);
  EXPECT_THAT(Blocking(report), ElementsAre("crm: target-not-empty target"));
  EXPECT_THAT(TextsOf(report, "target-not-empty"),
              ElementsAre(HasSubstr("exist there already: public.accounts")));
  ASSERT_OK(target_->Exec("DROP TABLE accounts", "crm"));
  EXPECT_THAT(Blocking(Look(options)), IsEmpty());
}

TEST_F(ServerCheckTest, KnowsWhichRolesWillBeThere) {
  ASSERT_OK(source_->Exec("ALTER TABLE accounts OWNER TO owner", "crm"));
  EXPECT_THAT(Blocking(Look(Options())), IsEmpty());
  ServerMigrateOptions options = Options();
  options.globals = false;
  EXPECT_THAT(Blocking(Look(options), {"database-owner"}),
              ElementsAre("crm: target-role target"));

  // Whoever creates a role can do no more with it than the server lets him.
  ASSERT_OK(
      target_->Exec("CREATE ROLE mover LOGIN CREATEDB CREATEROLE; "
                    "GRANT CREATE ON DATABASE postgres TO mover"));
  options.globals = true;
  options.migrate.endpoints.target = target_->ConnInfoAs("mover", "");
  EXPECT_THAT(Blocking(Look(options), {"database-owner"}),
              ElementsAre("-: target-membership target",  // Of postgres.
                          "crm: target-membership target"));
  if (target_->major_version() >= 16) {
    ASSERT_OK(target_->Exec(
        "ALTER ROLE mover SET createrole_self_grant = 'set, inherit'"));
    EXPECT_THAT(Blocking(Look(options), {"database-owner"}),
                ElementsAre("-: target-membership target"));
  }
  ASSERT_OK(target_->Exec("REVOKE CREATE ON DATABASE postgres FROM mover"));
  EXPECT_THAT(Blocking(Look(options), {"database-owner"}),
              Contains("-: target-rights target"));
}

TEST_F(ServerCheckTest, GoesOnBehindADatabaseThatItCannotLookInto) {
  ASSERT_OK(source_->Exec(
      "ALTER DATABASE crm SET session_preload_libraries = 'nothing_there'"));
  ASSERT_OK(target_->Exec("CREATE DATABASE large"));
  ASSERT_OK(target_->Exec("ALTER DATABASE large ALLOW_CONNECTIONS false"));
  ASSERT_OK(source_->Exec("SELECT lo_create(0)", "shop"));
  ServerMigrateOptions options = Options();
  options.use_existing = true;
  const CheckReport report = Look(options);
  EXPECT_THAT(Blocking(report),
              UnorderedElementsAre("-: database-check database crm",
                                   "-: database-check database large",
                                   "shop: large-object source"));
  EXPECT_THAT(TextsOf(report, "database-check"),
              UnorderedElementsAre(HasSubstr("nothing_there"),
                                   HasSubstr("not currently accepting")));
}

TEST_F(ServerCheckTest, DoesNotLookIntoWhatIsDone) {
  ServerMigrateOptions options = Options();
  options.migrate.mode = MigrateMode::kOffline;
  BackgroundMove move(options);
  ASSERT_OK(move.Outcome());
  ASSERT_OK(source_->Exec("CREATE ROLE late; GRANT SELECT ON accounts TO late",
                          "crm"));
  CheckReport report = Look(options);
  EXPECT_THAT(Blocking(report), IsEmpty());
  EXPECT_THAT(TextsOf(report, "read-rights"), IsEmpty());

  // Roles have come already, and this one was not among them.
  ASSERT_OK(target_->Exec("DROP DATABASE crm"));
  report = Look(options);
  EXPECT_THAT(Blocking(report), ElementsAre("crm: target-role target"));
  EXPECT_EQ(TextsOf(report, "read-rights").size(), 1u);
}

TEST_F(ServerCheckTest, EndsWhenItIsTold) {
  ServerMigrateOptions options = Options();
  options.migrate.mode = MigrateMode::kOffline;
  options.databases.databases = {"crm"};
  BackgroundMove move(options);
  ASSERT_OK(move.Outcome());
  // Whoever looks into that database waits.
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(target_->ConnInfo("crm")));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE walferry.migration"));
  Control control;
  std::future<absl::StatusOr<CheckReport>> looking = std::async(
      std::launch::async, [&] { return RunServerCheck(options, control); });
  EXPECT_TRUE(WaitUntil([&] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                   "'crm' AND wait_event_type = 'Lock'")
               .value_or("") == "1";
  }));
  control.RequestStop();
  EXPECT_TRUE(absl::IsCancelled(looking.get().status()));
}

// Eight databases of several encodings, twelve roles and a tablespace.
class MixedServerCheckTest : public ServerTest {};

TEST_F(MixedServerCheckTest, KnowsWhatGlobalsBring) {
  ASSERT_OK(source_->Exec(
      "ALTER TABLE accounts OWNER TO owner_group; GRANT SELECT ON accounts TO "
      "readers; CREATE INDEX ON accounts (balance) TABLESPACE fast",
      "shop"));
  ServerMigrateOptions options = MoveOptions();
  CheckReport report = Look(options);
  EXPECT_THAT(Blocking(report), IsEmpty());
  EXPECT_THAT(OfOne(report),
              ElementsAre("ascii: encoding target", "shop: tablespace target"));
  EXPECT_THAT(TextsOf(report, "tablespace"),
              ElementsAre("tablespaces that are needed will be made before; "
                          "whether the server can use their directories is "
                          "only seen then"));
  options.globals = false;
  report = Look(options);
  EXPECT_THAT(
      Blocking(report,
               {"database-owner", "database-privilege", "database-parameter"}),
      ElementsAre("shop: target-role target", "shop: target-role target",
                  "shop: tablespace target"));
}

}  // namespace
}  // namespace walferry
