// ReadServerDatabases, PlanDatabases and CreateDatabase between real servers.

#include "engine/server/server_databases.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/server/create_database.h"
#include "engine/server/target_databases.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_upgrades.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

// What no migration may change, a line for each database.
std::string FactsSql(bool providers) {
  return absl::StrCat(
      R"sql(
  SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
    SELECT concat_ws('|', datname, pg_encoding_to_char(encoding), datcollate,
                     datctype, datdba::regrole, datconnlimit,
                     (SELECT array_agg(a::text ORDER BY a::text)
                        FROM unnest(datacl) a), shobj_description(oid, 'pg_database'),
                     (SELECT string_agg(setting, ',' ORDER BY setting)
                        FROM (SELECT concat_ws(' ', s.setrole::regrole,
                                               s.setconfig)
                                FROM pg_db_role_setting s
                               WHERE setdatabase = d.oid)
                          AS settings (setting)))sql",
      providers ? R"(, datlocprovider,
                     coalesce(to_jsonb(d) ->> 'datlocale',
                              to_jsonb(d) ->> 'daticulocale'))"
                : "",
      R"sql() FROM pg_database d
    WHERE datname ~ '^db') AS facts (line)
)sql");
}

class ServerDatabasesTest : public ::testing::TestWithParam<ServerUpgrade> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(source_,
                         PgServer::Start({.bin_dir = GetParam().source}));
    ASSERT_OK_AND_ASSIGN(target_,
                         PgServer::Start({.bin_dir = GetParam().target}));
    for (PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec("CREATE ROLE app LOGIN; CREATE ROLE keeper"));
    }
    for (const char* encoding : {"UTF8", "LATIN1", "LATIN2"}) {
      ASSERT_OK(MakeDatabase(encoding));
    }
    ASSERT_OK(source_->Exec(R"sql(
      COMMENT ON DATABASE "db UTF8" IS 'the shop''s';
      ALTER DATABASE "db UTF8" SET search_path TO a, "b c";
      ALTER DATABASE "db UTF8" SET default_transaction_deferrable = on;
      ALTER ROLE app IN DATABASE "db UTF8" SET work_mem = '3MB';
      REVOKE ALL ON DATABASE "db UTF8" FROM PUBLIC;
      GRANT CONNECT ON DATABASE "db UTF8" TO keeper WITH GRANT OPTION;
      REVOKE TEMPORARY ON DATABASE "db LATIN1" FROM app;
      CREATE TABLE t AS SELECT generate_series(1, 200000) AS i;
    )sql",
                            "postgres"));
    ASSERT_OK(
        source_->Exec("CREATE TABLE t AS SELECT generate_series(1, "
                      "100000) AS i",
                      "db LATIN2"));
    ASSERT_OK(source_->Exec("CREATE DATABASE locked ALLOW_CONNECTIONS false"));
    ASSERT_OK_AND_ASSIGN(found_, Read({.databases = {"db*", "locked"}}));
  }

  absl::Status MakeDatabase(const std::string& encoding) const {
    return source_->Exec(
        absl::StrCat("CREATE DATABASE \"db ", encoding,
                     "\" OWNER app TEMPLATE template0 ENCODING '", encoding,
                     "' LOCALE 'C' CONNECTION LIMIT 9"));
  }

  // Five more: other encodings, and what else may order strings.
  void MakeOddDatabases() {
    for (const char* encoding : {"SQL_ASCII", "EUC_JP", "WIN1251"}) {
      ASSERT_OK(MakeDatabase(encoding));
    }
    std::string provider;
    std::string builtin;
    if (providers()) provider = " LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'";
    if (source_->major_version() >= 17) {
      builtin = " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'";
    }
    ASSERT_OK(source_->Exec(absl::StrCat(
        "CREATE DATABASE \"db \"\"locale\"\"\" TEMPLATE template0 ENCODING "
        "'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
        provider)));
    ASSERT_OK(source_->Exec(
        absl::StrCat("CREATE DATABASE db_c TEMPLATE template0 ENCODING 'UTF8' "
                     "LC_COLLATE 'C' LC_CTYPE 'C'",
                     builtin)));
    ASSERT_OK_AND_ASSIGN(found_, Read({.databases = {"db*"}}));
  }

  absl::StatusOr<ServerDatabases> Read(const DatabaseScope& scope) const {
    absl::StatusOr<PgConnection> source =
        PgConnection::Open({.conninfo = source_->ConnInfo()});
    if (!source.ok()) return source.status();
    return ReadServerDatabases(*source, scope);
  }

  // Over the session that is given, which is the target's.
  absl::StatusOr<DatabasesPlan> Plan(PgConnection& target,
                                     const CreateDatabaseOptions& options) {
    const absl::StatusOr<TargetDatabases> facts =
        ReadTargetDatabases(target, found_.databases);
    if (!facts.ok()) return facts.status();
    return PlanDatabases(found_.databases, *facts, options);
  }

  static std::vector<std::string> Texts(const std::vector<Finding>& findings) {
    std::vector<std::string> texts;
    for (const Finding& finding : findings) {
      texts.push_back(
          absl::StrCat(finding.id, " ", finding.subject, ": ", finding.text));
    }
    return texts;
  }

  bool providers() const {
    return source_->major_version() >= 15 && target_->major_version() >= 15;
  }

  std::string Facts(const PgServer& server) const {
    return server.QueryValue(FactsSql(providers())).value_or("error");
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
  ServerDatabases found_;
};

INSTANTIATE_TEST_SUITE_P(Upgrades, ServerDatabasesTest,
                         ::testing::ValuesIn(TestServerUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

TEST_P(ServerDatabasesTest, AreFoundSmallestFirst) {
  ASSERT_EQ(found_.databases.size(), 3u);
  EXPECT_EQ(found_.databases.back().name, "db LATIN2");
  EXPECT_GT(found_.databases.back().bytes, found_.databases.front().bytes);
  EXPECT_THAT(found_.left_out,
              ::testing::ElementsAre("locked (takes no connections)"));
  EXPECT_THAT(Texts(found_.findings),
              ::testing::ElementsAre("database-left-out database locked: takes "
                                     "no connections, and is not moved"));
  // Who names it wants it.
  EXPECT_TRUE(found_.findings.at(0).acceptable);
  ASSERT_OK_AND_ASSIGN(const ServerDatabases unnamed, Read({}));
  ASSERT_EQ(unnamed.findings.size(), 1u);
  EXPECT_EQ(unnamed.findings[0].severity, Severity::kWarning);
  ASSERT_OK_AND_ASSIGN(const ServerDatabases all,
                       Read({.exclude_databases = {"db [A-Z]*", "lock??"}}));
  ASSERT_EQ(all.databases.size(), 1u);
  EXPECT_EQ(all.databases[0].name, "postgres");
  EXPECT_THAT(Read({.databases = {"shop"}}).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "source: no database matches --database shop"));
}

TEST_P(ServerDatabasesTest, AreMadeLikeTheSources) {
  MakeOddDatabases();
  ASSERT_EQ(found_.databases.size(), 8u);
  ASSERT_OK_AND_ASSIGN(PgConnection target,
                       PgConnection::Open({.conninfo = target_->ConnInfo()}));
  Ledger ledger(target, {});
  ASSERT_OK(ledger.Create());
  ASSERT_OK(ledger.Start({.kind = "server", .phase = "databases"}));
  ASSERT_OK_AND_ASSIGN(const DatabasesPlan plan, Plan(target, {}));
  EXPECT_THAT(Texts(plan.findings), ::testing::IsEmpty());
  for (const DatabasePlan& database : plan.databases) {
    ASSERT_OK(CreateDatabase(target, ledger, database));
  }
  // A run that was killed here takes them for its own, and no other run does.
  ASSERT_OK_AND_ASSIGN(const DatabasesPlan refused, Plan(target, {}));
  ASSERT_EQ(refused.findings.size(), 8u);
  EXPECT_THAT(Texts(refused.findings),
              ::testing::Contains("database-exists database db UTF8: exists on "
                                  "the target already"));
  CreateDatabaseOptions options;
  ASSERT_OK_AND_ASSIGN(options.begun, DatabasesBegun(ledger));
  ASSERT_OK_AND_ASSIGN(const DatabasesPlan resumed, Plan(target, options));
  EXPECT_THAT(Texts(resumed.findings), ::testing::IsEmpty());
  for (const DatabasePlan& database : resumed.databases) {
    EXPECT_EQ(database.create, "");
    ASSERT_OK(SetDatabaseProperties(target, database));
    ASSERT_OK(SetDatabaseProperties(target, database));
  }
  EXPECT_EQ(Facts(*target_), Facts(*source_));
}

TEST_P(ServerDatabasesTest, AreNobodyElses) {
  ASSERT_OK_AND_ASSIGN(PgConnection target,
                       PgConnection::Open({.conninfo = target_->ConnInfo()}));
  Ledger ledger(target, {});
  ASSERT_OK(ledger.Create());
  ASSERT_OK(ledger.Start({.kind = "server", .phase = "databases"}));
  ASSERT_OK_AND_ASSIGN(const DatabasesPlan plan, Plan(target, {}));
  ASSERT_OK(target_->Exec("CREATE DATABASE \"db UTF8\""));
  for (const DatabasePlan& database : plan.databases) {
    if (database.name != "db UTF8") continue;
    EXPECT_EQ(CreateDatabase(target, ledger, database).code(),
              absl::StatusCode::kAlreadyExists);
  }
  EXPECT_THAT(DatabasesBegun(ledger), IsOkAndHolds(::testing::IsEmpty()));
}

// Whoever asks again finds what he has made.
TEST_P(ServerDatabasesTest, AreOursWhenTheAnswerWasLost) {
  ASSERT_OK_AND_ASSIGN(PgConnection target,
                       PgConnection::Open({.conninfo = target_->ConnInfo()}));
  Ledger ledger(target, {});
  ASSERT_OK(ledger.Create());
  ASSERT_OK(ledger.Start({.kind = "server", .phase = "databases"}));
  ASSERT_OK_AND_ASSIGN(const DatabasesPlan plan, Plan(target, {}));
  for (const DatabasePlan& database : plan.databases) {
    if (database.name != "db UTF8") continue;
    EXPECT_OK(CreateDatabase(target, ledger, database));
    EXPECT_OK(CreateDatabase(target, ledger, database));
  }
  EXPECT_THAT(DatabasesBegun(ledger),
              IsOkAndHolds(::testing::ElementsAre("db UTF8")));
}

TEST_P(ServerDatabasesTest, StopBeforeWhatTheTargetLacks) {
  ASSERT_OK(
      target_->Exec("CREATE ROLE mover LOGIN CREATEDB; DROP ROLE keeper"));
  ASSERT_OK_AND_ASSIGN(
      PgConnection target,
      PgConnection::Open({.conninfo = target_->ConnInfoAs("mover", "")}));
  for (ServerDatabase& database : found_.databases) {
    if (database.name == "db LATIN1") database.collate = "xx_YY.latin1";
    if (database.name == "db LATIN2") {
      database.encoding = "RUNES";
      database.tablespace = "fast";
    }
  }
  ASSERT_OK_AND_ASSIGN(const DatabasesPlan plan, Plan(target, {}));
  EXPECT_THAT(
      Texts(plan.findings),
      ::testing::IsSupersetOf(
          {std::string("database-locale database db LATIN1: has locale "
                       "xx_YY.latin1, which the target's machine does not "
                       "have"),
           std::string("database-encoding database db LATIN2: is encoded in "
                       "RUNES, which the target does not know"),
           std::string("database-tablespace database db LATIN2: lies in "
                       "tablespace fast, which the target does not have; it "
                       "goes to the target's default one"),
           std::string("database-owner database db UTF8: belongs to role app, "
                       "and role mover may not act for that on the target"),
           std::string("database-privilege database db UTF8: has privileges of "
                       "role keeper, which the target does not have")}));
}

}  // namespace
}  // namespace walferry
