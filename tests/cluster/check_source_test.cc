#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "tests/cluster/check_fixture.h"
#include "tests/testing/fake_pooler.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CheckSourceTest : public CheckTest {
 protected:
  // A server of this test alone instead of the shared one.
  void StartOwnSource(
      std::vector<std::pair<std::string, std::string>> settings) {
    ASSERT_OK_AND_ASSIGN(
        own_, PgServer::Start({.bin_dir = GetParam(), .settings = settings}));
    source_ = own_.get();
    ASSERT_OK(source_->Exec(absl::StrCat("CREATE DATABASE ", dbname_)));
    source_conninfo_ = source_->ConnInfo(dbname_);
  }

  std::unique_ptr<PgServer> own_;
};

TEST_P(CheckSourceTest, KnowsADatabaseFromItself) {
  target_conninfo_ = source_conninfo_;
  EXPECT_THAT(Found(RunCheck(), "same-database"),
              ElementsAre(absl::StrCat(
                  "blocking target: source and target are the same database, ",
                  dbname_, " on 127.0.0.1:", source_->port())));
  target_conninfo_ = source_->ConnInfo("postgres");
  EXPECT_THAT(Found(RunCheck(), "same-database"),
              ElementsAre(absl::StrCat("info target: source and target are two "
                                       "databases of one server, 127.0.0.1:",
                                       source_->port())));
}

TEST_P(CheckSourceTest, FindsSettingsThatHurt) {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"wal_level", "replica"},
      {"max_wal_senders", "2"},
      {"max_replication_slots", "1"},
      {"max_slot_wal_keep_size", "1GB"},
      {"wal_sender_timeout", "2s"},
      {"synchronous_standby_names", "*"},
      {"synchronous_commit", "local"},
      {"max_connections", "8"},
      {"max_locks_per_transaction", "10"},
      {"max_prepared_transactions", "0"}};
  if (ServerIsAtLeast(18)) {
    settings.emplace_back("idle_replication_slot_timeout", "1d");
  }
  StartOwnSource(settings);
  OnSource(R"(DO $$ BEGIN FOR i IN 1..40 LOOP
      EXECUTE 'CREATE TABLE t' || i || ' (a int PRIMARY KEY)';
      END LOOP; END $$)");
  const CheckReport report = RunCheck();
  EXPECT_THAT(
      Found(report, "wal-level"),
      ElementsAre("blocking source: wal_level is replica, not logical"));
  EXPECT_THAT(Found(report, "replication-slots"),
              ElementsAre("warning source: 0 of max_replication_slots = 1 are "
                          "in use: an interrupted copy could not go on, which "
                          "takes a second slot for a moment"));
  EXPECT_THAT(Found(report, "wal-senders"),
              ElementsAre("ok source: 0 of max_wal_senders = 2 are in use"));
  EXPECT_THAT(
      Found(report, "wal-room"),
      ElementsAre(AllOf(
          StartsWith("warning source: the slot is lost, and the migration with "
                     "it, once it has to keep more than 1GB of log "
                     "(max_slot_wal_keep_size) ("),
          HasSubstr("pg_wal holds "), EndsWith(" now)"))));
  EXPECT_THAT(Found(report, "wal-sender-timeout"),
              ElementsAre("warning source: wal_sender_timeout is 2000 ms: a "
                          "short pause of the network ends the stream"));
  EXPECT_THAT(Found(report, "synchronous-standby"),
              ElementsAre("warning source: synchronous_standby_names is '*': "
                          "walferry's stream may count as a standby, and "
                          "commits then wait for the target"));
  EXPECT_THAT(Found(report, "locks"),
              ElementsAre("warning source: the lock table holds about 80 "
                          "locks, 40 tables will be locked at once"));
  EXPECT_THAT(Found(report, "connections"),
              ElementsAre(AllOf(StartsWith("warning source: "),
                                EndsWith(" more connections are possible, the "
                                         "migration opens up to 8")),
                          StartsWith("ok target: ")));
  if (ServerIsAtLeast(18)) {
    EXPECT_THAT(Found(report, "idle-slot-timeout"),
                ElementsAre("warning source: the slot of a migration that is "
                            "interrupted for 1d is lost "
                            "(idle_replication_slot_timeout)"));
  }
}

TEST_P(CheckSourceTest, CountsWhatIsLeftOfSlotsAndSenders) {
  StartOwnSource({{"max_wal_senders", "1"}, {"max_replication_slots", "1"}});
  EXPECT_THAT(Found(RunCheck(), "wal-senders"),
              ElementsAre("warning source: 0 of max_wal_senders = 1 are in "
                          "use: an interrupted copy could not go on, which "
                          "takes a second one for a moment"));
  OnSource("SELECT pg_create_physical_replication_slot('theirs')");
  ASSERT_OK_AND_ASSIGN(
      const PgConnection walsender,
      PgConnection::Open({.conninfo = source_conninfo_, .replication = true}));
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "replication-slots"),
              ElementsAre("blocking source: 1 of max_replication_slots = 1 are "
                          "in use"));
  EXPECT_THAT(
      Found(report, "wal-senders"),
      ElementsAre("blocking source: 1 of max_wal_senders = 1 are in use"));
  EXPECT_THAT(Found(report, "replication-connection"),
              ElementsAre(StartsWith("blocking source: no replication "
                                     "connection: ")));
}

TEST_P(CheckSourceTest, TellsARoleWhatItLacks) {
  OnSource(R"(CREATE SCHEMA closed; CREATE TABLE closed.t (a int PRIMARY KEY);
      CREATE TABLE "Secret" (a int PRIMARY KEY); CREATE SEQUENCE s;
      CREATE TABLE open (a int PRIMARY KEY))");
  UseRoleOnSource("check_nobody", "");
  OnSource("GRANT SELECT ON open TO check_nobody");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "replication-connection"),
              ElementsAre(StartsWith("blocking source: no replication "
                                     "connection: ")));
  EXPECT_THAT(
      Found(report, "publication-rights"),
      ElementsAre(
          absl::StrCat("blocking source: the role may not create a "
                       "publication: permission denied for database ",
                       dbname_, " (SQLSTATE 42501)"),
          "blocking source: only its owner may publish a table, and the role "
          "does not own closed.t, public.\"Secret\", public.open"));
  EXPECT_EQ(
      HintFor(report, "publication-rights"),
      absl::StrCat(
          "GRANT CREATE ON DATABASE \"", dbname_,
          "\" TO \"check_nobody\"; or let a superuser run: CREATE "
          "PUBLICATION \"walferry\" FOR TABLE ONLY \"closed\".\"t\", ONLY "
          "\"public\".\"Secret\", ONLY \"public\".\"open\" WITH (publish "
          "= 'insert, update, delete, truncate', "
          "publish_via_partition_root = false); and name it with "
          "--publication walferry"));
  EXPECT_THAT(
      Found(report, "read-rights"),
      ElementsAre(
          "blocking closed: the role may not look into this schema of the "
          "source",
          "blocking closed.t: the role may not read this table of the source",
          "blocking public.\"Secret\": the role may not read this table of the "
          "source",
          "blocking public.s: the role may not read this sequence of the "
          "source"));
  EXPECT_THAT(Found(report, "long-transaction"),
              ElementsAre("info source: the role does not see the transactions "
                          "of other roles, which creating the slot waits for"));
  // The hints do help.
  for (const Finding& finding : report.findings) {
    if (finding.id != "read-rights") continue;
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(finding.hint, absl::MaxSplits(" or, ", 1));
    const auto& [hint, for_all] = parts;
    OnSource(hint);
    EXPECT_EQ(for_all,
              finding.subject == "closed" && report.source_version >= 140000
                  ? "for all schemas: GRANT pg_read_all_data TO "
                    "\"check_nobody\";"
                  : "");
  }
  EXPECT_THAT(Found(RunCheck(), "read-rights"),
              ElementsAre("ok source: the role may read 3 tables and lock them "
                          "against being altered"));
}

TEST_P(CheckSourceTest, TellsManyTablesThatMayNotBeReadAtOnce) {
  OnSource(R"(CREATE SCHEMA many; GRANT USAGE ON SCHEMA many TO PUBLIC;
      CREATE TABLE many.a (a serial PRIMARY KEY); CREATE TABLE many.b ();
      CREATE TABLE many.c (); CREATE TABLE open (a int PRIMARY KEY))");
  UseRoleOnSource("check_nobody_much", "");
  const CheckReport report = RunCheck();
  EXPECT_THAT(
      Found(report, "read-rights"),
      ElementsAre("blocking many: the role may not read 4 tables and sequences "
                  "in this schema of the source: a, a_a_seq, b, c",
                  "blocking public.open: the role may not read this table of "
                  "the source"));
  for (const Finding& finding : report.findings) {
    if (finding.id != "read-rights") continue;
    OnSource(std::string(finding.hint.substr(0, finding.hint.find(" or, "))));
  }
  EXPECT_THAT(Found(RunCheck(), "read-rights"),
              ElementsAre("ok source: the role may read 4 tables and lock them "
                          "against being altered"));
}

TEST_P(CheckSourceTest, IsContentWithAnOwnerWhoMayReplicate) {
  UseRoleOnSource("check_owner", "REPLICATION");
  OnSource(absl::StrCat("GRANT CREATE ON DATABASE ", dbname_,
                        " TO check_owner; GRANT pg_read_all_stats TO "
                        "check_owner; CREATE TABLE t (a int PRIMARY KEY);"
                        "ALTER TABLE t OWNER TO check_owner"));
  options_.no_owner = true;
  const CheckReport report = RunCheck();
  EXPECT_THAT(Complaints(report), IsEmpty())
      << FormatCheckReport(report, {}, false);
}

TEST_P(CheckSourceTest, FindsRowsThatAreHiddenFromTheRole) {
  OnSource(R"(CREATE TABLE t (a int PRIMARY KEY);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE TABLE free (a int PRIMARY KEY))");
  EXPECT_THAT(Found(RunCheck(), "row-security"),
              ElementsAre("ok source: no policy hides rows from the role"));
  UseRoleOnSource("check_half_blind", "");
  OnSource("GRANT SELECT ON t, free TO check_half_blind");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "row-security"),
              ElementsAre("blocking source: row-level security may hide rows "
                          "from the role in public.t"));
  EXPECT_EQ(HintFor(report, "row-security"),
            "ALTER ROLE \"check_half_blind\" BYPASSRLS; or connect as the "
            "tables' owner");
}

TEST_P(CheckSourceTest, FindsNamesThatAreTaken) {
  options_.endpoints.name = "orders";
  OnSource("CREATE PUBLICATION walferry_orders");
  OnSource(
      "SELECT pg_create_logical_replication_slot('walferry_orders',"
      " 'pgoutput')");
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "slot"),
              ElementsAre("blocking source: a slot walferry_orders exists"));
  EXPECT_THAT(
      Found(report, "publication"),
      ElementsAre("blocking source: a publication walferry_orders exists"));
  EXPECT_EQ(HintFor(report, "publication"),
            "choose another --name, or use it with --publication "
            "walferry_orders, or, if it is a leftover: DROP PUBLICATION "
            "\"walferry_orders\";");
  resuming_ = true;
  const CheckReport resumed = RunCheck();
  EXPECT_THAT(Found(resumed, "slot"),
              ElementsAre("ok source: slot walferry_orders is there"));
  EXPECT_THAT(Found(resumed, "publication"),
              ElementsAre("ok source: the publication is walferry_orders"));
  OnSource("SELECT pg_drop_replication_slot('walferry_orders')");
  EXPECT_THAT(Found(RunCheck(), "slot"),
              ElementsAre("warning source: the migration has begun, but its "
                          "slot walferry_orders does not exist"));
  options_.slot = "Bad";
  EXPECT_THAT(Found(RunCheck(), "slot"),
              ElementsAre("blocking source: a slot cannot be called \"Bad\": 1 "
                          "to 63 of a-z, 0-9 and _"));
}

TEST_P(CheckSourceTest, LooksAtThePublicationThatIsNamed) {
  OnSource(
      "CREATE TABLE a (i int PRIMARY KEY);"
      "CREATE TABLE b (i int PRIMARY KEY)");
  options_.publication = "mine";
  EXPECT_THAT(Found(RunCheck(), "publication"),
              ElementsAre("blocking source: publication mine does not exist"));
  OnSource("CREATE PUBLICATION mine FOR TABLE a");
  EXPECT_THAT(Found(RunCheck(), "publication"),
              ElementsAre("blocking source: publication mine does not publish "
                          "public.b"));
  OnSource("ALTER PUBLICATION mine ADD TABLE b");
  const CheckReport report = RunCheck();
  EXPECT_THAT(
      Found(report, "publication"),
      ElementsAre("ok source: publication mine publishes all that is needed"));
  EXPECT_THAT(Found(report, "publication-rights"), IsEmpty());
}

TEST_P(CheckSourceTest, NamesTransactionsThatTheSlotWillWaitFor) {
  OnSource("CREATE TABLE t (a int PRIMARY KEY)");
  ASSERT_OK_AND_ASSIGN(
      SqlConnection prepared,
      SqlConnection::Open(absl::StrCat(source_->ConnInfo(dbname_))));
  ASSERT_OK(
      prepared.Exec("BEGIN; INSERT INTO t VALUES (1);"
                    "PREPARE TRANSACTION 'it''s'"));
  ASSERT_OK_AND_ASSIGN(
      SqlConnection open,
      SqlConnection::Open(absl::StrCat(source_->ConnInfo(dbname_))));
  ASSERT_OK(
      open.Exec("SET application_name = 'nightly';"
                "BEGIN; INSERT INTO t VALUES (2)"));
  ASSERT_OK_AND_ASSIGN(const std::string pid,
                       open.QueryValue("SELECT pg_backend_pid()"));
  CheckReport report;
  ASSERT_TRUE(WaitUntil([&] {
    report = RunCheck();
    return HintFor(report, "long-transaction") != "";
  }));
  EXPECT_THAT(
      Found(report, "long-transaction"),
      ElementsAre(AllOf(
          StartsWith(absl::StrCat(
              "warning source: process ", pid,
              " (role postgres, application \"nightly\", database ", dbname_,
              ", idle in transaction) has been in a transaction for 00:00:0")),
          EndsWith(": creating the slot waits for its end"))));
  EXPECT_EQ(
      HintFor(report, "long-transaction"),
      absl::StrCat("end it, or: SELECT pg_terminate_backend(", pid, ");"));
  EXPECT_THAT(
      Found(report, "prepared-transaction"),
      ElementsAre(AllOf(
          StartsWith(absl::StrCat("warning source: transaction 'it''s' (role "
                                  "postgres, database ",
                                  dbname_, ") is prepared since ")),
          EndsWith(": creating the slot waits until it is ended"))));
  ASSERT_OK(source_->Exec("ROLLBACK PREPARED 'it''s'", dbname_));
  EXPECT_THAT(Found(RunCheck(), "prepared-transaction"),
              ElementsAre("ok source: no transaction waits for COMMIT "
                          "PREPARED"));
}

TEST_P(CheckSourceTest, KnowsAPoolerByItsProcessId) {
  EXPECT_THAT(Found(RunCheck(), "pooler"),
              ElementsAre("ok source: the connection goes to the server itself",
                          "ok target: the connection goes to the server "
                          "itself"));
  ASSERT_OK_AND_ASSIGN(const auto pooler, FakePooler::Start(source_->port()));
  walsender_conninfo_ = source_conninfo_;
  source_conninfo_ = absl::StrCat(source_->ConnInfoVia(pooler->port(), dbname_),
                                  "?sslmode=disable&gssencmode=disable");
  const std::vector<std::string> found = Found(RunCheck(), "pooler");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_THAT(found[0],
              AllOf(StartsWith("blocking? source: a pooler or proxy answers in "
                               "the server's stead (process "),
                    EndsWith(" at work): snapshots, session settings and locks "
                             "do not survive one that shares sessions")));
}

TEST_P(CheckSourceTest, KnowsTwoServersBehindOneName) {
  walsender_conninfo_ = target_conninfo_;
  EXPECT_THAT(
      Found(RunCheck(), "one-server"),
      ElementsAre(AllOf(
          StartsWith(absl::StrCat("blocking source: two connections reached "
                                  "two servers or databases: ",
                                  dbname_, " at 127.0.0.1:", source_->port(),
                                  " (started ")),
          HasSubstr(absl::StrCat(" UTC), ", dbname_,
                                 " at 127.0.0.1:", target_->port())))));
}

TEST_P(CheckSourceTest, KnowsAStandby) {
  StartOwnSource({});
  OnSource("CREATE TABLE t (a int PRIMARY KEY)");
  ASSERT_OK_AND_ASSIGN(const std::string directory,
                       source_->QueryValue("SHOW data_directory"));
  std::ofstream(directory + "/standby.signal").close();
  ASSERT_OK(source_->Restart());
  const CheckReport report = RunCheck();
  EXPECT_THAT(Found(report, "source-standby"),
              ElementsAre("blocking source: it is a standby: it does not see "
                          "which transactions the primary has open, so nobody "
                          "could tell when the writes have ended"));
  EXPECT_THAT(Found(report, "publication-rights"),
              ElementsAre("blocking source: the role may not create a "
                          "publication: cannot execute CREATE PUBLICATION in a "
                          "read-only transaction (SQLSTATE 25006)"));
  std::swap(source_conninfo_, target_conninfo_);
  EXPECT_THAT(Found(RunCheck(), "target-read-only"),
              ElementsAre("blocking target: it is a standby and takes no "
                          "changes"));
}

TEST_P(CheckSourceTest, MakesAFindingOfWhatCouldNotBeLookedAt) {
  UseRoleOnSource("check_barred", "");
  OnSource("REVOKE SELECT ON pg_stat_replication FROM PUBLIC");
  ASSERT_OK_AND_ASSIGN(const CheckReport report, TryCheck());
  EXPECT_THAT(Found(report, "wal-senders"),
              ElementsAre("blocking? check: this could not be looked at: "
                          "permission denied for view pg_stat_replication "
                          "(SQLSTATE 42501)"));
  EXPECT_THAT(Found(report, "locks"), ElementsAre(StartsWith("ok source: ")));
}

TEST_P(CheckSourceTest, RefusesConnectionsThatAreBusy) {
  ASSERT_OK_AND_ASSIGN(PgConnection source, Open(source_conninfo_, false));
  ASSERT_OK_AND_ASSIGN(PgConnection target, Open(target_conninfo_, false));
  ASSERT_OK(target.Exec("BEGIN"));
  EXPECT_THAT(
      Check(options_, Catalog(), {.source = &source, .target = &target}),
      StatusIs(absl::StatusCode::kInternal,
               "check: a connection is inside a transaction"));
  EXPECT_TRUE(target.in_transaction());
}

INSTANTIATE_TEST_SUITE_P(Servers, CheckSourceTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
