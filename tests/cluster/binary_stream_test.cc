// A stream asks for binary values where every type allows it, and goes on as
// text where what comes does not: tables that were altered before or meanwhile.

#include <string>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// With batches applied by one session, and by several.
class BinaryStreamTest
    : public AppTest,
      public ::testing::WithParamInterface<std::tuple<std::string, int>> {
 protected:
  void SetUp() override {
    const std::string& bin_dir = std::get<0>(GetParam());
    StartServers({.bin_dir = bin_dir}, {.bin_dir = bin_dir});
    if (!HasFatalFailure()) CreateApp();
  }

  void CreateTables(const std::string& on_source,
                    const std::string& on_target) {
    ASSERT_OK(OnSource(on_source));
    ASSERT_OK(OnTarget(on_target));
    ASSERT_OK(OnSource("CREATE PUBLICATION pub FOR ALL TABLES"));
    ASSERT_OK(OnSource(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')"));
  }
  void CreateTables(const std::string& on_both) {
    CreateTables(on_both, on_both);
  }

  FollowOptions Options() const {
    FollowOptions options;
    options.endpoints = Both();
    options.slot = "slot";
    options.publications = {"pub"};
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    options.stream.apply_jobs = std::get<1>(GetParam());
    return options;
  }

  // How the stream was begun that runs now.
  std::string Command() const {
    return SourceValue(
               "SELECT coalesce(max(query), '') FROM pg_stat_activity WHERE "
               "backend_type = 'walsender'")
        .value_or("");
  }

  bool TargetComesTo(const std::string& sql, const std::string& value) const {
    return WaitUntil([&] { return TargetValue(sql).value_or("") == value; });
  }

  void ExpectSameRows(const std::string& rows) const {
    EXPECT_EQ(TargetValue(rows).value_or("target"),
              SourceValue(rows).value_or("source"));
  }

  // It was told once that text is needed, and nothing went wrong.
  static void ExpectTurnedToText(const EventRecorder& events) {
    int turned = 0;
    for (const Notice& notice : events.All<Notice>()) {
      EXPECT_EQ(notice.level, Notice::Level::kInfo) << notice.text;
      if (absl::StartsWith(notice.text, "going on with a stream of text")) {
        ++turned;
      }
    }
    EXPECT_EQ(turned, 1);
  }
};

INSTANTIATE_TEST_SUITE_P(
    Servers, BinaryStreamTest,
    ::testing::Combine(::testing::ValuesIn(TestServerBinDirs()),
                       ::testing::Values(1, 3)),
    [](const auto& test) {
      return absl::StrCat(ServerName(std::get<0>(test.param)), "_jobs",
                          std::get<1>(test.param));
    });

constexpr char kRows[] =
    "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ' ' ORDER BY "
    "id)), '') FROM t";

TEST_P(BinaryStreamTest, AsksForBinaryValuesAndAppliesThem) {
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, v text, n numeric, a int[], j "
      "jsonb, at timestamptz)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), HasSubstr("binary 'true'"));
  ASSERT_OK(
      OnSource("INSERT INTO t SELECT i, 'v' || i, i / 8.0, ARRAY[i, NULL], "
               "'{\"a\": 1.50}', now() FROM generate_series(1, 2000) i"));
  ASSERT_OK(OnSource("UPDATE t SET v = NULL WHERE id % 3 = 0"));
  ASSERT_OK(OnSource("DELETE FROM t WHERE id % 7 = 0"));
  ASSERT_OK(OnSource("INSERT INTO t (id) VALUES (0)"));
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  EXPECT_EQ(report.inserts, 2001);
  ExpectSameRows(kRows);
  EXPECT_TRUE(run.events().All<Notice>().empty());
}

TEST_P(BinaryStreamTest, AsksForTextWhereATypeIsNotPortable) {
  CreateTables(
      "CREATE TABLE other (id int PRIMARY KEY, m money); CREATE TABLE t (id "
      "int PRIMARY KEY, v text)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), HasSubstr("START_REPLICATION"));
  EXPECT_THAT(Command(), Not(HasSubstr("binary")));
}

TEST_P(BinaryStreamTest, AsksForTextWhereTheTargetsTypeDiffers) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)",
               "CREATE TABLE t (v numeric, id int PRIMARY KEY)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), Not(HasSubstr("binary")));
  ASSERT_OK(OnSource("INSERT INTO t VALUES (1, 7)"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_THAT(TargetValue("SELECT v FROM t"), IsOkAndHolds("7"));
}

// It is sent all the same.
TEST_P(BinaryStreamTest, AsksForTextWhereATypeOfAnAbsentTableIsNotPortable) {
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, v text); "
      "CREATE TABLE absent (id int PRIMARY KEY, m money[])",
      "CREATE TABLE t (id int PRIMARY KEY, v text)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), HasSubstr("START_REPLICATION"));
  EXPECT_THAT(Command(), Not(HasSubstr("binary")));
}

TEST_P(BinaryStreamTest, AsksForTextIfToldTo) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY)");
  if (HasFatalFailure()) return;
  FollowOptions options = Options();
  options.stream.binary = BinaryMode::kOff;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), Not(HasSubstr("binary")));
}

// What the publication leaves out does not matter.
TEST_P(BinaryStreamTest, DoesNotAskForColumnsThatAreNotSent) {
  if (source_->major_version() < 15) GTEST_SKIP() << "no column lists";
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text, m money)");
  if (HasFatalFailure()) return;
  ASSERT_OK(OnSource("CREATE PUBLICATION narrow FOR TABLE t (id, v)"));
  ASSERT_OK(OnSource(
      "SELECT pg_create_logical_replication_slot('narrow', 'pgoutput')"));
  FollowOptions options = Options();
  options.slot = "narrow";
  options.publications = {"narrow"};
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), HasSubstr("binary 'true'"));
  ASSERT_OK(OnSource("INSERT INTO t VALUES (1, 'v', 1)"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_THAT(TargetValue("SELECT v FROM t"), IsOkAndHolds("v"));
}

TEST_P(BinaryStreamTest, TurnsToTextWhereTheSourcesTypeIsAltered) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_THAT(Command(), HasSubstr("binary 'true'"));
  ASSERT_OK(
      OnSource("INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i"));
  ASSERT_OK(OnSource("ALTER TABLE t ALTER v TYPE float4"));
  ASSERT_OK(
      OnSource("INSERT INTO t SELECT i, i FROM generate_series(1001, 2000) "
               "i"));
  ASSERT_TRUE(TargetComesTo("SELECT count(*) FROM t", "2000"));
  EXPECT_THAT(Command(), Not(HasSubstr("binary")));
  // And stays with it.
  ASSERT_OK(OnSource("ALTER TABLE t ALTER v TYPE int"));
  ASSERT_OK(OnSource("UPDATE t SET v = 5 WHERE id = 5"));
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  EXPECT_EQ(report.inserts, 2000);
  ExpectSameRows(kRows);
  ExpectTurnedToText(run.events());
}

// The catalogs agree on the newer type, the log begins with the older one.
TEST_P(BinaryStreamTest, TurnsToTextWhereTheLogIsOlderThanTheTypes) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  if (HasFatalFailure()) return;
  ASSERT_OK(
      OnSource("INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i"));
  FollowOptions options = Options();
  options.until_lsn = Now();
  {
    Control control;
    EventRecorder events;
    ASSERT_OK(RunFollow(options, control, events));
    EXPECT_TRUE(events.All<Notice>().empty());
  }
  ASSERT_OK(OnSource("UPDATE t SET v = -v WHERE id < 500"));
  for (PgServer* server : {source_.get(), target_.get()}) {
    ASSERT_OK(server->Exec("ALTER TABLE t ALTER v TYPE float4", "app"));
  }
  ASSERT_OK(OnSource("UPDATE t SET v = v + 0.5 WHERE id > 400"));
  options.until_lsn = Now();
  Control control;
  EventRecorder events;
  ASSERT_OK_AND_ASSIGN(const Report report,
                       RunFollow(options, control, events));
  EXPECT_EQ(report.updates, 499 + 600);
  ExpectSameRows(kRows);
  ExpectTurnedToText(events);
}

// Parts of the transaction are applied before, and undone.
TEST_P(BinaryStreamTest, TurnsToTextInsideATransactionThatIsCut) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  if (HasFatalFailure()) return;
  FollowOptions options = Options();
  options.stream.batch_bytes = 64 << 10;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(
      OnSource("BEGIN; INSERT INTO t SELECT i, i FROM generate_series(1, "
               "20000) i; ALTER TABLE t ALTER v TYPE int8; INSERT INTO t "
               "VALUES (0, 0); UPDATE t SET v = 7 WHERE id = 8; COMMIT"));
  ASSERT_OK(OnSource("INSERT INTO t VALUES (-1, -1)"));
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  // Before PostgreSQL 15 those without changes come, too.
  if (source_->major_version() >= 15) {
    EXPECT_EQ(report.transactions_applied, 2);
  }
  EXPECT_EQ(report.inserts, 20002);
  ExpectSameRows(kRows);
  ExpectTurnedToText(run.events());
}

TEST_P(BinaryStreamTest, TurnsToTextWhereTheTargetIsAltered) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(OnSource("INSERT INTO t VALUES (1, 1)"));
  ASSERT_TRUE(TargetComesTo("SELECT count(*) FROM t", "1"));
  ASSERT_OK(OnTarget("ALTER TABLE t ALTER v TYPE float4"));
  ASSERT_OK(
      OnSource("INSERT INTO t SELECT i, i FROM generate_series(2, 2000) i"));
  ASSERT_TRUE(TargetComesTo("SELECT count(*) FROM t WHERE v = id", "2000"));
  EXPECT_THAT(Command(), Not(HasSubstr("binary")));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectTurnedToText(run.events());
}

TEST_P(BinaryStreamTest, GoesOnWithTablesAndColumnsThatComeLater) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  if (HasFatalFailure()) return;
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  const std::string later =
      "ALTER TABLE t ADD w text; CREATE TABLE u (id int PRIMARY KEY)";
  ASSERT_OK(OnTarget(later));
  ASSERT_OK(OnSource(later));
  ASSERT_OK(OnSource("INSERT INTO t VALUES (1, 1, 'w')"));
  ASSERT_OK(OnSource("INSERT INTO u VALUES (1)"));
  ASSERT_TRUE(TargetComesTo("SELECT count(*) FROM u", "1"));
  EXPECT_THAT(Command(), HasSubstr("binary 'true'"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectSameRows(kRows);
}

}  // namespace
}  // namespace walferry
