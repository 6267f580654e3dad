// PGlite as source and as target: one session, shared by all.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/archive/archives.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/fake_pg_dump.h"
#include "tests/testing/faulty_link.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/pglite_server.h"
#include "tests/testing/read_file.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// Values that a text format, a row or an array could get wrong, types that
// have no array or are not what they look like, and keys of each kind.
constexpr char kShop[] = R"sql(
  CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
  CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
  CREATE TYPE place AS (street text, "No" int);
  CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL, born date, tags text[], doc jsonb, feels mood,
    home place, seen tstzrange, price money, code char(5), bits bit varying(9),
    "Odd ""col" xml);
  CREATE TABLE orders (id serial PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers,
    total amount, at timestamptz DEFAULT now(), raw bytea, f float8,
    twice numeric GENERATED ALWAYS AS (total * 2) STORED);
  CREATE INDEX orders_customer ON orders (customer, (total + 1));
  CREATE TABLE lines ("order" int REFERENCES orders, nr int, note text,
    PRIMARY KEY ("order", nr));
  CREATE TABLE empty ();
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.note := ''stamped''; RETURN NEW; END';
  CREATE VIEW totals AS SELECT c.name, sum(o.total) AS sum
    FROM customers c JOIN orders o ON o.customer = c.id GROUP BY c.name;
  CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM orders;
  INSERT INTO customers (name, born, tags, doc, feels, home, seen, price, code,
      bits, "Odd ""col")
    SELECT 'name ' || i, date '2000-01-01' + i, ARRAY['a', NULL, '{"}', ''],
      jsonb_build_object('k', i, 'q', '"\'), 'it''s ok',
      ('a "b" \ (c), ', i)::place, tstzrange('2020-01-01', NULL, '(]'), i, 'ab',
      B'101', '<a>&lt;</a>'
    FROM generate_series(1, 1500) i;
  INSERT INTO customers (name) VALUES (E'tab\tback\\slash\r\nnewline'),
    (E'\u00e4\u20ac\U0001F600'), (''), ('\N'), ('NULL'), ('{}'), ('"'),
    (repeat('long', 100000));
  INSERT INTO orders (customer, total, raw, f)
    SELECT 1 + i % 1500, i / 7.0, decode(md5(i::text), 'hex'),
      CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE i / 3.0 END
    FROM generate_series(1, 12000) i;
  INSERT INTO lines SELECT 1 + i % 1000, i, CASE WHEN i % 3 = 0 THEN NULL
    ELSE E'\\N' || i END FROM generate_series(1, 3000) i;
  INSERT INTO empty DEFAULT VALUES;
  INSERT INTO empty DEFAULT VALUES;
  CREATE TRIGGER stamp BEFORE INSERT ON lines FOR EACH ROW
    EXECUTE FUNCTION stamp();
  REFRESH MATERIALIZED VIEW counted;
  SELECT lo_from_bytea(4711, decode(repeat('00ff5c', 500000), 'hex'));
  COMMENT ON TABLE lines IS 'what was ordered';
)sql";

// A text that is equal where rows, sequences, views and large objects are.
constexpr char kFacts[] = R"sql(
  SELECT concat_ws(' ',
    (SELECT md5(string_agg(t::text, '|' ORDER BY t::text COLLATE "C"))
      FROM public.customers t),
    (SELECT md5(string_agg(t::text, '|' ORDER BY t::text COLLATE "C"))
      FROM public.orders t),
    (SELECT md5(string_agg(t::text, '|' ORDER BY t::text COLLATE "C"))
      FROM public.lines t),
    (SELECT count(*) FROM public.empty),
    (SELECT md5(string_agg(t::text, '|' ORDER BY t::text COLLATE "C"))
      FROM public.totals t),
    (SELECT count FROM public.counted),
    (SELECT last_value || ' ' || is_called FROM public.customers_id_seq),
    (SELECT last_value || ' ' || is_called FROM public.orders_id_seq),
    (SELECT md5(lo_get(4711))),
    (SELECT string_agg(indexdef, ';' ORDER BY indexname COLLATE "C")
      FROM pg_indexes WHERE schemaname = 'public'),
    (SELECT string_agg(pg_get_constraintdef(oid), ';'
        ORDER BY conname COLLATE "C")
      FROM pg_constraint WHERE contype = 'f'),
    (SELECT obj_description('public.lines'::regclass)))
)sql";

class PgliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!PgliteServer::Missing().empty()) {
      GTEST_SKIP() << PgliteServer::Missing();
    }
    const std::string bin = TestCacheDirectory() + "/servers/18/bin";
    pg_dump_ = TestCacheDirectory() + "/clients/18/bin/pg_dump";
    if (!std::filesystem::exists(bin) || !std::filesystem::exists(pg_dump_)) {
      GTEST_SKIP() << "PGlite is PostgreSQL 18: run tools/install-servers 18 "
                      "and tools/install-clients";
    }
    ASSERT_OK_AND_ASSIGN(pglite_, PgliteServer::Start());
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = bin}));
    for (const char* name : {"first", "second"}) {
      ASSERT_OK(server_->Exec(absl::StrCat("CREATE DATABASE ", name)));
    }
  }

  MigrateOptions Options(const std::string& source,
                         const std::string& target) const {
    MigrateOptions options;
    options.endpoints = {.source = source, .target = target, .name = "test"};
    options.mode = MigrateMode::kOffline;
    options.pg_dump = pg_dump_;
    options.stream.retry_for = absl::Seconds(10);
    return options;
  }

  absl::StatusOr<Report> Migrate(const MigrateOptions& options) {
    events_.emplace();
    return Migrate(options, *events_);
  }

  // Whoever comes too soon behind the last client is not let in.
  static absl::StatusOr<Report> Migrate(const MigrateOptions& options,
                                        EventSink& events) {
    Control control;
    return Migrate(options, control, events);
  }
  static absl::StatusOr<Report> Migrate(const MigrateOptions& options,
                                        Control& control, EventSink& events) {
    absl::StatusOr<Report> result;
    WaitUntil([&] {
      result = RunMigration(options, control, events);
      return !absl::StrContains(result.status().message(),
                                "closed the connection unexpectedly");
    });
    return result;
  }

  // Nothing that walferry or pg_dump has SET or prepared is there.
  static void ExpectGivenBack(const PgliteServer& pglite) {
    EXPECT_THAT(
        pglite.QueryValue(
            "SELECT concat_ws(' ', current_setting('search_path'), "
            "current_setting('enable_seqscan'), current_setting('lock_timeout')"
            ", (SELECT count(*) FROM pg_prepared_statements), "
            "txid_current_if_assigned())"),
        IsOkAndHolds("public on 0 0"));
  }

  std::string pg_dump_;
  std::unique_ptr<PgliteServer> pglite_;
  std::unique_ptr<PgServer> server_;
  std::optional<EventRecorder> events_;
};

TEST_F(PgliteTest, MovesIntoPostgresAndBack) {
  ASSERT_OK(pglite_->Exec(kShop));
  ASSERT_OK_AND_ASSIGN(const std::string facts, pglite_->QueryValue(kFacts));
  const std::string first = server_->ConnInfo("first");
  ASSERT_OK_AND_ASSIGN(const Report report,
                       Migrate(Options(pglite_->ConnInfo(), first)));
  EXPECT_TRUE(report.offline);
  EXPECT_EQ(report.tables, 4);
  EXPECT_EQ(report.rows_copied, 1508 + 12000 + 3000 + 2);
  EXPECT_EQ(report.sequences_set, 2);
  EXPECT_EQ(report.materialized_views_refreshed, 1);
  EXPECT_THAT(server_->QueryValue(kFacts, "first"), IsOkAndHolds(facts));
  std::vector<std::string> notices;
  for (const Notice& notice : events_->All<Notice>()) {
    notices.push_back(notice.text);
  }
  EXPECT_THAT(notices, Contains(HasSubstr("it serves one session (PGlite)")));
  // The session that all share is as it was, for the application and for the
  // next dump.
  EXPECT_THAT(pglite_->QueryValue("SHOW search_path"), IsOkAndHolds("public"));
  ASSERT_OK(Migrate(Options(pglite_->ConnInfo(), server_->ConnInfo("second"))));
  ExpectDatabasesEqual(first, server_->ConnInfo("second"));

  ASSERT_OK_AND_ASSIGN(const auto other, PgliteServer::Start());
  ASSERT_OK(Migrate(Options(first, other->ConnInfo())));
  EXPECT_THAT(other->QueryValue(kFacts), IsOkAndHolds(facts));
  EXPECT_THAT(other->QueryValue("SHOW search_path"), IsOkAndHolds("public"));
  // What acts on rows is there, and has seen none of the copied ones.
  ASSERT_OK(other->Exec("INSERT INTO lines VALUES (1, -1, 'x')"));
  EXPECT_THAT(other->QueryValue("SELECT note FROM lines WHERE nr = -1"),
              IsOkAndHolds("stamped"));
  // From one PGlite to another.
  ASSERT_OK_AND_ASSIGN(const auto third, PgliteServer::Start());
  ASSERT_OK(Migrate(Options(pglite_->ConnInfo(), third->ConnInfo())));
  EXPECT_THAT(third->QueryValue(kFacts), IsOkAndHolds(facts));
}

TEST_F(PgliteTest, LeavesNothingWhenItFails) {
  ASSERT_OK(
      pglite_->Exec("CREATE TABLE a (i int PRIMARY KEY);"
                    "INSERT INTO a VALUES (1);"
                    "CREATE TABLE b (i int PRIMARY KEY)"));
  AtPhase taken(Phase::kSchema, [&] {
    EXPECT_OK(server_->Exec("CREATE TABLE b (j int)", "first"));
  });
  EXPECT_THAT(
      Migrate(Options(pglite_->ConnInfo(), server_->ConnInfo("first")), taken)
          .status()
          .message(),
      HasSubstr("relation \"b\" already exists"));
  EXPECT_THAT(server_->QueryValue("SELECT string_agg(relname, ' ') FROM "
                                  "pg_class WHERE relkind = 'r' AND "
                                  "relnamespace IN (SELECT oid FROM "
                                  "pg_namespace WHERE nspname IN ('public', "
                                  "'walferry'))",
                                  "first"),
              IsOkAndHolds("b"));
  EXPECT_THAT(pglite_->QueryValue("SHOW search_path"), IsOkAndHolds("public"));
  ASSERT_OK(server_->Exec("DROP TABLE b", "first"));
  ASSERT_OK(Migrate(Options(pglite_->ConnInfo(), server_->ConnInfo("first"))));
  EXPECT_THAT(server_->QueryValue("SELECT count(*) FROM a", "first"),
              IsOkAndHolds("1"));
}

// More than is under way at once, and no server but the first one's has a
// database of that name.
constexpr char kRefusedElsewhere[] =
    "CREATE TABLE refused (t text CHECK (current_database() = '$0'));"
    "INSERT INTO refused SELECT repeat('x', 1000) FROM "
    "generate_series(1, 20000)";

TEST_F(PgliteTest, HasItsSessionBackAfterARefusedRow) {
  ASSERT_OK(pglite_->Exec(absl::Substitute(kRefusedElsewhere, "postgres")));
  MigrateOptions options =
      Options(pglite_->ConnInfo(), server_->ConnInfo("first"));
  options.inserts = true;  // So that it is refused before all were read.
  EXPECT_THAT(Migrate(options).status().message(), HasSubstr("refused_check"));
  ExpectGivenBack(*pglite_);
  ASSERT_OK(
      server_->Exec(absl::Substitute(kRefusedElsewhere, "first"), "first"));
  ASSERT_OK_AND_ASSIGN(const auto other, PgliteServer::Start());
  EXPECT_THAT(Migrate(Options(server_->ConnInfo("first"), other->ConnInfo()))
                  .status()
                  .message(),
              HasSubstr("refused_check"));
  ExpectGivenBack(*other);
  EXPECT_THAT(other->QueryValue("SELECT to_regclass('refused') IS NULL"),
              IsOkAndHolds("t"));
}

TEST_F(PgliteTest, HasItsSessionBackWhenTheRunIsStopped) {
  ASSERT_OK(pglite_->Exec("CREATE TABLE a (i int)"));
  Control control;
  AtPhase stop(Phase::kCopy, [&] { control.RequestStop(); });
  ASSERT_OK_AND_ASSIGN(const auto other, PgliteServer::Start());
  EXPECT_THAT(
      Migrate(Options(pglite_->ConnInfo(), other->ConnInfo()), control, stop)
          .status(),
      StatusIs(absl::StatusCode::kCancelled, "stopped on request"));
  ExpectGivenBack(*pglite_);
  ExpectGivenBack(*other);
}

TEST_F(PgliteTest, HasItsSessionBackWhenPgDumpFailsAndIsNotAskedAgain) {
  ASSERT_OK(pglite_->Exec("CREATE TABLE a (i int)"));
  ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
  MigrateOptions options =
      Options(pglite_->ConnInfo(), server_->ConnInfo("first"));
  options.pg_dump = WritePgDumpAround(
      directory.path(), pg_dump_,
      absl::Substitute("echo >>'$0/runs'; echo 'pg_dump: error: out of ideas' "
                       ">&2; exit 1",
                       directory.path()));
  EXPECT_THAT(Migrate(options).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "pg_dump failed with exit code 1: pg_dump: error: out "
                       "of ideas"));
  EXPECT_EQ(ReadFile(directory.path() + "/runs"), "\n");
  ExpectGivenBack(*pglite_);
}

// What a database sets for everybody steers how rows are read, and whether they
// are on disk.
TEST_F(PgliteTest, CarriesValuesWhateverTheTargetSets) {
  ASSERT_OK(
      pglite_->Exec("CREATE TABLE a (i serial, tags text[], m money);"
                    "INSERT INTO a (tags, m) VALUES ('{x,NULL}', 1234.5)"));
  ASSERT_OK(server_->Exec(
      "ALTER DATABASE first SET array_nulls = off;"
      "ALTER DATABASE first SET default_transaction_isolation = serializable;"
      "ALTER DATABASE first SET idle_in_transaction_session_timeout = '1ms'"));
  ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
  MigrateOptions options =
      Options(pglite_->ConnInfo(), server_->ConnInfo("first"));
  options.sequence_sync = false;
  options.pg_dump =
      WritePgDumpAround(directory.path(), pg_dump_,
                        "echo 'pg_dump: warning: something is odd' >&2");
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(options));
  EXPECT_THAT(server_->QueryValue("SELECT tags[2] IS NULL FROM a", "first"),
              IsOkAndHolds("t"));
  EXPECT_THAT(
      report.remarks,
      Contains("sequences were left as the schema made them "
               "(--no-sequence-sync): set them before anything is inserted"));
  EXPECT_TRUE(events_->WaitFor<Notice>([](const Notice& notice) {
    return notice.text == "pg_dump: something is odd" &&
           notice.level == Notice::Level::kWarning;
  }));
}

// Answers come late, so that the link can be cut when all is committed and the
// run does not know it yet.
TEST_F(PgliteTest, AsksWhetherItHasCommittedIfTheAnswerIsLost) {
  ASSERT_OK(
      pglite_->Exec("CREATE TABLE a AS SELECT 1 AS i;"
                    "CREATE MATERIALIZED VIEW v AS SELECT i FROM a"));
  ASSERT_OK_AND_ASSIGN(const auto link, FaultyLink::Start(server_->port()));
  std::optional<std::jthread> cutter;
  EventHook hook([&](const Event& event) {
    const Notice* const notice = std::get_if<Notice>(&event);
    if (notice == nullptr || cutter ||
        !absl::StartsWith(notice->text, "refreshing ")) {
      return;
    }
    link->SetDelay(LinkDirection::kToClient, absl::Milliseconds(500));
    cutter.emplace([&] {
      EXPECT_TRUE(WaitUntil([&] {
        return server_
                   ->QueryValue(
                       "SELECT count(*) FROM pg_class WHERE "
                       "relname = 'v'",
                       "first")
                   .value_or("") == "1";
      }));
      link->CutNow();
      link->SetDelay(LinkDirection::kToClient, absl::ZeroDuration());
    });
  });
  const absl::StatusOr<Report> report = Migrate(
      Options(pglite_->ConnInfo(), server_->ConnInfoVia(link->port(), "first")),
      hook);
  ASSERT_TRUE(cutter);
  cutter->join();
  ASSERT_OK(report);
  EXPECT_EQ(report->rows_copied, 1);
  EXPECT_THAT(server_->QueryValue("SELECT count(*) FROM a", "first"),
              IsOkAndHolds("1"));
}

TEST_F(PgliteTest, IsComparedByTheCommandThatMovesIt) {
  ASSERT_OK(pglite_->Exec(kShop));
  const auto move = [&](const std::string& source, const std::string& target,
                        const std::string& method) {
    CommandResult result;
    // Whoever comes too soon behind the last client is not let in.
    WaitUntil([&] {
      absl::StatusOr<CommandResult> ran =
          RunCommand({.command = {WalferryBinary(), "migrate", "--mode",
                                  "offline", "--retry-for", "10s", "--pg-dump",
                                  pg_dump_, "--verify", method},
                      .environment = {"WALFERRY_SOURCE=" + source,
                                      "WALFERRY_TARGET=" + target}},
                     absl::Minutes(2));
      EXPECT_OK(ran);
      if (!ran.ok()) return true;
      result = *std::move(ran);
      return result.exit_code == 0 ||
             !absl::StrContains(result.output,
                                "closed the connection unexpectedly");
    });
    return result;
  };
  const std::string first = server_->ConnInfo("first");
  const CommandResult into = move(pglite_->ConnInfo(), first, "checksum");
  EXPECT_EQ(into.exit_code, 0) << into.output;
  EXPECT_THAT(into.output, HasSubstr("info    all rows of "));
  ASSERT_OK_AND_ASSIGN(const auto other, PgliteServer::Start());
  const CommandResult from = move(first, other->ConnInfo(), "counts");
  EXPECT_EQ(from.exit_code, 0) << from.output;
  EXPECT_THAT(from.output, HasSubstr("have as many rows"));
  ExpectGivenBack(*other);
}

TEST_F(PgliteTest, IsNeitherFollowedNorPutIntoAnArchive) {
  MigrateOptions online =
      Options(pglite_->ConnInfo(), server_->ConnInfo("first"));
  online.mode = MigrateMode::kOnline;
  const absl::Status refused = Migrate(online).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                "source: it serves one session, and changes "
                                "cannot be followed there"));
  EXPECT_EQ(HintOf(refused), "move it with --mode offline");
  Control control;
  EventRecorder events;
  EXPECT_TRUE(WaitUntil([&] {
    return absl::StrContains(
        RunDump({.source = pglite_->ConnInfo()}, control, events)
            .status()
            .message(),
        "source: it serves one session (PGlite)");
  }));
}

}  // namespace
}  // namespace walferry
