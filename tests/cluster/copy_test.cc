#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/copy_session.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class CopyTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    Pair();
  }

  void Pair(CopyPairOptions options = {}) {
    pair_.reset();
    ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_, std::move(options)));
    pair_->copy.split_bytes = 64 << 10;
  }

  // The tables of `schema`, with `rows` on the source, arrive as they are.
  void ExpectCarries(const std::string& schema, const std::string& rows) {
    ASSERT_OK(pair_->Both(schema));
    ASSERT_OK(pair_->Source(rows));
    ASSERT_OK(pair_->Begin());
    ASSERT_OK(pair_->Copy());
    EXPECT_TRUE(pair_->Equal());
  }

  // Copies and expects it to fail; how it ended is returned.
  absl::Status CopyFails() {
    const absl::Status status = pair_->Copy().status();
    EXPECT_FALSE(status.ok());
    return status;
  }

  std::unique_ptr<PgServer> server_;
  std::unique_ptr<CopyPair> pair_;
};

INSTANTIATE_TEST_SUITE_P(Servers, CopyTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

constexpr char kManyRows[] =
    "CREATE TABLE big (id int PRIMARY KEY, x text);"
    "CREATE TABLE other (id int PRIMARY KEY, x text)";
constexpr char kManyRowsData[] =
    "INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 20000) "
    "i; INSERT INTO other SELECT i, 'y' FROM generate_series(1, 2000) i";

// ---- What is carried ----

TEST_P(CopyTest, ALargeTableArrivesInRangesAndEachIsInTheLedger) {
  ExpectCarries(kManyRows, kManyRowsData);
  ASSERT_OK_AND_ASSIGN(const std::string ranges, pair_->Ranges("big"));
  EXPECT_THAT(ranges, AllOf(StartsWith("0-"), HasSubstr("--1(")));
  EXPECT_THAT(pair_->target().QueryValue(
                  "SELECT sum(rows) || ' ' || count(*) FILTER (WHERE rows > "
                  "0) || ' ' || bool_and(copied) FROM walferry.copy_range JOIN "
                  "walferry.table_copy USING (migration, schema_name, "
                  "table_name) WHERE table_name = 'big'"),
              IsOkAndHolds(MatchesRegex("20000 4[0-9] true")));
}

constexpr char kEveryType[] = R"sql(
  CREATE TYPE mood AS ENUM ('so so', 'it''s, {fine}', '"');
  CREATE DOMAIN positive AS numeric(20,5) CHECK (VALUE > 0);
  CREATE TYPE pair AS (a int, b text);
  CREATE TYPE span AS RANGE (subtype = float8);
  CREATE TABLE types (
    id int PRIMARY KEY, t text, v varchar(20), c char(5), oc "char", n name,
    b bytea, bo bool, i2 int2, i8 int8, f4 float4, f8 float8, num numeric,
    m money, d date, ti time, tz timetz, ts timestamp, tsz timestamptz,
    iv interval, u uuid, ip inet, ci cidr, mac macaddr, mac8 macaddr8,
    bi bit(3), vb varbit, j json, jb jsonb, jp jsonpath, x xml, p point,
    l line, ls lseg, bx box, pa path, po polygon, cr circle, tv tsvector,
    tq tsquery, ir int4range, nr numrange, dr tstzrange, mr int4multirange,
    ai int[], at text[], lsn pg_lsn, snap pg_snapshot, o oid, rc regclass,
    rt regtype, e mood, ae mood[], dom positive, comp pair, acomp pair[],
    r span, iv2 int2vector, ov oidvector, xi xid, ti2 tid);
)sql";

constexpr char kEveryTypeRows[] = R"sql(
  INSERT INTO types (id) VALUES (1);
  INSERT INTO types VALUES (
    2, E'tab\t newline\n back\\slash \\. \\N ''"é🐘', E'\\x', 'ab', 'é', 'name',
    '\x00ff5c0a09', true, -32768, 9223372036854775807, 'NaN', '-Infinity',
    'NaN', '-92233720368547758.08', '4713-01-01 BC', '24:00:00',
    '23:59:59.999999-15:59', '294276-12-31 23:59:59.999999', '-infinity',
    '-178000000 years 11 mons -3 days 04:05:06.789012',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::ffff:1.2.3.4/128', '10/8',
    '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'101', B'',
    '{"b" :1, "a":[1,2 ],"b":2}', '{"z": "\u0041\\", "n": 1e400}', '$.a[*] ? (@ > 1)',
    '<a b="c">é</a><d/>', '(1e-300,-0)', '{1,2,3}', '((0,0),(1e300,1))',
    '((3,4),(1,2))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(1,2),3>',
    '''it''''s'':1A \::2', '''a'' & !''b c'':*', '(,5]', 'empty',
    '["2020-01-01 00:00+00",)', '{[1,3),[7,9)}', '[0:1]={1,NULL}',
    '{"NULL",NULL,"","a,b","\"","{x}"}', 'FF/FFFFFFFF', '10:20:10,14', 4294967295,
    'types', 'mood[]', 'it''s, {fine}', ARRAY['so so', NULL, '"']::mood[],
    0.00001, '(1,"a ""b"", (c)")', ARRAY['(1,)', NULL, '(,"")']::pair[],
    '[1.5,2.25)', '1 2 3', '4294967295 0', '4294967295', '(4294967295,65535)');
  INSERT INTO types (id, t, c, b, f4, f8, num, m, d, ts, iv, bi, ai, at, x)
    VALUES (3, '', '', '', 1e-40, -216237.00000035969, 1e-1000, 0.01,
    'infinity', '0001-01-01 00:00:00 BC', '-1 mon +1 day -00:00:00.000001',
    B'000', '{}', '{{a,b},{c,d}}', 'plain'),
    (4, repeat('x', 100000), 'abcde', decode(repeat('00ff', 100000), 'hex'),
    1.1754944e-38, 2.2250738585072014e-308, 0.10000000000000000000,
    1234567.89, '1999-12-31', '2024-02-29 12:00:00.1', '1 year', B'111',
    '{{1,2},{3,4}}', '{}', '<?xml version="1.0"?><doc/>');
)sql";

TEST_P(CopyTest, EveryTypeArrivesAsItIs) {
  ExpectCarries(kEveryType, kEveryTypeRows);
}

TEST_P(CopyTest, SettingsOfTheDatabasesChangeNoValue) {
  ASSERT_OK(pair_->Both(R"sql(
    DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET datestyle = ''SQL, DMY''',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET intervalstyle = sql_standard',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -15',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET bytea_output = escape',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET xmloption = document',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET array_nulls = off',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET quote_all_identifiers = on',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET client_encoding = LATIN1',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',
                     current_database());
      EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = '
                     'serializable', current_database());
      EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''1min''',
                     current_database());
    END $$;
  )sql"));
  ExpectCarries(kEveryType, kEveryTypeRows);
}

TEST_P(CopyTest, NamesMayHoldAnything) {
  ExpectCarries(R"sql(
    CREATE SCHEMA "my schema.""x""";
    CREATE TABLE "my schema.""x"""."Table; DROP TABLE t; --" (
      "select" int PRIMARY KEY, "a b" text, "$1" text, "é🐘" text,
      "new
line" text, "back\slash" text, "it's" text, "ctid " text,
      "123456789012345678901234567890123456789012345678901234567890123" int);
    CREATE TABLE "order" ("group" int, "user" int, PRIMARY KEY ("user"));
  )sql",
                R"sql(
    INSERT INTO "my schema.""x"""."Table; DROP TABLE t; --"
      SELECT i, 'a', '$1', 'é', E'\n', '\', '''', 'ctid', i
      FROM generate_series(1, 5000) i;
    INSERT INTO "order" VALUES (1, 2);
  )sql");
}

TEST_P(CopyTest, DroppedColumnsLeaveNoTrace) {
  ExpectCarries(
      "CREATE TABLE t (a int, gone text, b int PRIMARY KEY, gone2 int);"
      "ALTER TABLE t DROP gone; ALTER TABLE t DROP gone2",
      "INSERT INTO t SELECT i, i + 1 FROM generate_series(1, 5000) i");
}

TEST_P(CopyTest, GeneratedColumnsAreMadeAgainAndIdentitiesKept) {
  ExpectCarries(R"sql(
    CREATE TABLE first (g int GENERATED ALWAYS AS (a + 1) STORED, a int);
    CREATE TABLE alone (g int GENERATED ALWAYS AS (1 + 1) STORED);
    CREATE TABLE identity (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      other int GENERATED BY DEFAULT AS IDENTITY (START 100), x text);
  )sql",
                R"sql(
    INSERT INTO first (a) SELECT generate_series(1, 10);
    INSERT INTO alone SELECT FROM generate_series(1, 7);
    INSERT INTO identity (x) SELECT i FROM generate_series(1, 5000) i;
    DELETE FROM identity WHERE id % 3 = 0;
  )sql");
}

TEST_P(CopyTest, RowsWithoutColumnsAreCounted) {
  ExpectCarries("CREATE TABLE none (); CREATE TABLE empty (a int)",
                "INSERT INTO none SELECT FROM generate_series(1, 1000)");
  EXPECT_THAT(pair_->target().QueryValue("SELECT count(*) FROM none"),
              IsOkAndHolds("1000"));
}

TEST_P(CopyTest, PartitionsAndInheritedTablesAreCarriedEachByItself) {
  ExpectCarries(R"sql(
    CREATE TABLE events (id int, at date, PRIMARY KEY (id, at))
      PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events
      FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (id);
    CREATE TABLE events_1a PARTITION OF events_1 FOR VALUES IN (1, 2, 3);
    CREATE TABLE events_1b PARTITION OF events_1 DEFAULT;
    CREATE TABLE events_2 (at date NOT NULL, junk int, id int NOT NULL);
    ALTER TABLE events_2 DROP junk;
    ALTER TABLE events ATTACH PARTITION events_2 DEFAULT;
    CREATE TABLE parent (id int PRIMARY KEY, x text);
    CREATE TABLE child (y text, PRIMARY KEY (id)) INHERITS (parent);
  )sql",
                R"sql(
    INSERT INTO events SELECT i, date '2024-06-01' + i
      FROM generate_series(1, 3000) i;
    INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 3000) i;
    INSERT INTO child SELECT i, 'c', 'y' FROM generate_series(1, 3000) i;
  )sql");
  EXPECT_THAT(pair_->target().QueryValue("SELECT count(*) FROM ONLY parent"),
              IsOkAndHolds("3000"));
}

TEST_P(CopyTest, LongRowsArriveWhole) {
  ExpectCarries(
      "CREATE TABLE wide (id int PRIMARY KEY, a text, b bytea)",
      "INSERT INTO wide SELECT i, CASE WHEN i % 20 = 0 THEN repeat(md5(i::text)"
      ", 3000) ELSE 'short' END, CASE WHEN i % 97 = 0 THEN decode(repeat(md5("
      "i::text), 20000), 'hex') END FROM generate_series(1, 2000) i;"
      "INSERT INTO wide VALUES (0, repeat('z', 20000000))");
}

TEST_P(CopyTest, TheWidestTableArrives) {
  std::string columns;
  for (int column = 1; column <= 1600; ++column) {
    absl::StrAppend(&columns, column == 1 ? "" : ", ", "column_", column,
                    " bool");
  }
  ExpectCarries(absl::StrCat("CREATE TABLE wide (", columns, ")"),
                "INSERT INTO wide (column_1, column_1600) SELECT true, i % 2 = "
                "0 FROM generate_series(1, 100) i");
}

// ---- Encodings ----

TEST_P(CopyTest, Latin1BecomesUtf8) {
  Pair({.source_options = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"});
  ASSERT_OK(pair_->source().Exec("SET client_encoding = 'UTF8'"));
  ExpectCarries(
      "CREATE TABLE \"Stra\xc3\x9f"
      "e\" (\"\xc3\xa9\" text)",
      "INSERT INTO \"Stra\xc3\x9f"
      "e\" SELECT chr(i) || '\xc3\xa4' "
      "FROM generate_series(32, 126) i");
  EXPECT_EQ(pair_->snapshot->encoding(), "LATIN1");
}

TEST_P(CopyTest, BytesOfSqlAsciiArriveAsTheyAre) {
  Pair({.source_options = "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
        .target_options = "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE "
                          "template0"});
  ASSERT_OK(pair_->Both("CREATE TABLE t (a text)"));
  ASSERT_OK(pair_->Source("INSERT INTO t VALUES (E'\\xff\\xfe \\xc3\\xa9')"));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(pair_->Copy());
  EXPECT_THAT(
      pair_->target().QueryValue("SELECT encode(a::bytea, 'hex') FROM t"),
      IsOkAndHolds("fffe20c3a9"));
}

TEST_P(CopyTest, BytesOfSqlAsciiThatAreNotUtf8AreAnErrorThatSaysWhere) {
  Pair({.source_options = "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE "
                          "template0"});
  ASSERT_OK(pair_->Both("CREATE TABLE t (id int, a text)"));
  ASSERT_OK(pair_->Source(
      "INSERT INTO t VALUES (1, E'fine \\xc3\\xa9'), (2, E'\\xff')"));
  ASSERT_OK(pair_->Begin());
  EXPECT_THAT(CopyFails(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "table public.t: target: invalid byte sequence for "
                       "encoding \"UTF8\": 0xff (SQLSTATE 22021): COPY t, "
                       "line 2"));
}

// ---- What is refused ----

TEST_P(CopyTest, RowSecurityOnTheSourceIsAnErrorAndHidesNothing) {
  ASSERT_OK(server_->Exec("CREATE ROLE reader LOGIN REPLICATION"));
  Pair({.source_user = "reader"});
  ASSERT_OK(pair_->Both("CREATE TABLE t (id int)"));
  ASSERT_OK(pair_->Source(
      "INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY odd ON t USING (id % 2 = 1); GRANT SELECT ON t TO "
      "reader"));
  ASSERT_OK(pair_->Begin());
  EXPECT_THAT(CopyFails(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "table public.t: source: query would be affected by "
                       "row-level security policy for table \"t\" (SQLSTATE "
                       "42501)"));
}

TEST_P(CopyTest, RowsThatWereThereBeforeAreLeftAloneAndRefused) {
  ASSERT_OK(pair_->Both(kManyRows));
  ASSERT_OK(pair_->Target("INSERT INTO other VALUES (1, 'mine')"));
  ASSERT_OK(pair_->Source(kManyRowsData));
  ASSERT_OK(pair_->Begin());
  const absl::Status refused = CopyFails();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                "target: table public.other holds rows that "
                                "walferry has not copied"));
  EXPECT_EQ(HintOf(refused),
            "truncate it, or leave it out with --exclude-table");
  EXPECT_THAT(pair_->target().QueryValue("SELECT count(*) FROM big"),
              IsOkAndHolds("0"));
}

TEST_P(CopyTest, ARowThatTheTargetRefusesIsNamedByItsPlace) {
  ASSERT_OK(pair_->Source(kManyRows));
  ASSERT_OK(
      pair_->Target("CREATE TABLE big (id int, x varchar(10));"
                    "CREATE TABLE other (id smallint, x text)"));
  ASSERT_OK(pair_->Source(
      "INSERT INTO big VALUES (1, 'ten bytes.'), (2, 'eleven bytes')"));
  ASSERT_OK(pair_->Begin());
  EXPECT_THAT(CopyFails(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "table public.big: target: value too long for type "
                       "character varying(10) (SQLSTATE 22001): COPY big, "
                       "line 2, column x"));
}

TEST_P(CopyTest, ARangeIsNamedInItsError) {
  ASSERT_OK(pair_->Source(kManyRows));
  ASSERT_OK(
      pair_->Target("CREATE TABLE big (id smallint, x text);"
                    "CREATE TABLE other (id int, x text)"));
  ASSERT_OK(pair_->Source(
      "INSERT INTO big SELECT CASE i WHEN 9 THEN 99999 ELSE i END, repeat('x', "
      "100) FROM generate_series(1, 5000) i"));
  ASSERT_OK(pair_->Begin());
  pair_->copy.jobs = 1;
  EXPECT_THAT(
      CopyFails(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               MatchesRegex("table public.big, blocks 0 to [0-9]+: target: "
                            "value \"99999\" is out of range for type "
                            "smallint \\(SQLSTATE 22003\\): COPY big, line "
                            "9, column id")));
}

TEST_P(CopyTest, ATriggerOnTheTargetThatDropsRowsIsNoticed) {
  ASSERT_OK(pair_->Both("CREATE TABLE t (id int)"));
  ASSERT_OK(pair_->Target(
      "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF "
      "NEW.id % 2 = 1 THEN RETURN NEW; END IF; RETURN NULL; END';"
      "CREATE TRIGGER odd BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION "
      "odd(); ALTER TABLE t ENABLE ALWAYS TRIGGER odd"));
  ASSERT_OK(pair_->Source("INSERT INTO t SELECT generate_series(1, 10)"));
  ASSERT_OK(pair_->Begin());
  const absl::Status noticed = CopyFails();
  EXPECT_THAT(noticed, StatusIs(absl::StatusCode::kDataLoss,
                                "table public.t: the source sent 10 rows, the "
                                "target stored 5"));
  EXPECT_EQ(HintOf(noticed),
            "look for a trigger on the target that drops rows, and disable it");
  EXPECT_THAT(pair_->target().QueryValue("SELECT count(*) FROM t"),
              IsOkAndHolds("0"));
}

TEST_P(CopyTest, OrdinaryTriggersOfTheTargetDoNotFire) {
  ASSERT_OK(pair_->Both("CREATE TABLE t (id int)"));
  ASSERT_OK(pair_->Target(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE "
      "EXCEPTION ''fired''; END'; CREATE TRIGGER no BEFORE INSERT ON t FOR "
      "EACH "
      "ROW EXECUTE FUNCTION no()"));
  ASSERT_OK(pair_->Source("INSERT INTO t SELECT generate_series(1, 10)"));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(pair_->Copy());
  EXPECT_TRUE(pair_->Equal());
}

TEST_P(CopyTest, ATableThatIsNotAtTheSnapshotsPositionIsABug) {
  ASSERT_OK(pair_->Both(kManyRows));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(
      pair_->Target("UPDATE walferry.table_copy SET lsn = '0/1' WHERE "
                    "table_name = 'big'"));
  EXPECT_THAT(
      CopyFails(),
      StatusIs(absl::StatusCode::kInternal,
               absl::StrCat("table public.big stands at 0/1, not at the "
                            "snapshot's ",
                            pair_->snapshot->consistent_point().ToString())));
}

// ---- What the target's role may not do ----

TEST_P(CopyTest, WithoutTheRightToTruncateRowsAreCopiedPlainly) {
  ASSERT_OK(server_->Exec("CREATE ROLE loader LOGIN"));
  Pair({.target_user = "loader"});
  ASSERT_OK(pair_->Target(absl::StrCat(
      "DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO loader', "
      "current_database()); END$$")));
  ASSERT_OK(pair_->Both(kManyRows));
  ASSERT_OK(pair_->Target("GRANT SELECT, INSERT ON big, other TO loader"));
  ASSERT_OK(pair_->Source(kManyRowsData));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(pair_->Copy());
  EXPECT_TRUE(pair_->Equal());
}

TEST_P(CopyTest, AWholeTableIsStoredFrozen) {
  ASSERT_OK(pair_->Both(kManyRows));
  ASSERT_OK(pair_->Source(kManyRowsData));
  ASSERT_OK(pair_->Begin());
  // Frozen rows show in a snapshot that is older than they are.
  ASSERT_OK_AND_ASSIGN(SqlConnection older,
                       SqlConnection::Open(pair_->target_conninfo()));
  ASSERT_OK(older.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"));
  pair_->copy.split_bytes = uint64_t{1} << 30;
  ASSERT_OK(pair_->Copy());
  EXPECT_THAT(older.QueryValue("SELECT count(*) FROM big"),
              IsOkAndHolds("20000"));
}

TEST_P(CopyTest, FewerWorkersThanAskedForCopyWhereConnectionsAreShort) {
  ASSERT_OK(
      server_->Exec("CREATE ROLE loader LOGIN SUPERUSER CONNECTION LIMIT 3;"
                    "ALTER ROLE loader NOSUPERUSER;"
                    "CREATE ROLE owner; GRANT owner TO loader"));
  Pair({.target_user = "loader"});
  ASSERT_OK(pair_->Target("GRANT CREATE ON SCHEMA public TO loader"));
  ASSERT_OK(pair_->Target(
      "DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO loader', "
      "current_database()); END$$"));
  ASSERT_OK(pair_->Both(kManyRows));
  ASSERT_OK(pair_->Target("GRANT ALL ON big, other TO loader"));
  ASSERT_OK(pair_->Source(kManyRowsData));
  ASSERT_OK(pair_->Begin());
  pair_->copy.jobs = 6;
  ASSERT_OK(pair_->Copy());
  EXPECT_TRUE(pair_->Equal());
  int fewer = 0;
  for (const Notice& notice : pair_->events.All<Notice>()) {
    fewer += absl::StartsWith(notice.text, "one worker less copies: target: ");
  }
  EXPECT_GE(fewer, 4);
}

}  // namespace
}  // namespace walferry
