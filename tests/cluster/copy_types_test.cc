#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

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

class CopyTypesTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        server_, PgServer::Start({.bin_dir = GetParam(),
                                  .settings = {{"log_statement", "all"}}}));
    ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_));
    pair_->copy.min_binary_bytes = 0;
  }

  // Whether a COPY into the table has asked for binary format.
  bool BinaryWasCopied(const std::string& table = "types") const {
    const std::string copy = absl::StrCat("COPY \"public\".\"", table, "\" (");
    for (const absl::string_view line : absl::StrSplit(server_->Log(), '\n')) {
      if (absl::StrContains(line, copy) &&
          absl::StrContains(line, "FROM STDIN") &&
          absl::StrContains(line, "FORMAT binary")) {
        return true;
      }
    }
    return false;
  }

  void MakeTypes() {
    ASSERT_OK(pair_->Both(kEveryType));
    ASSERT_OK(pair_->Source(kEveryTypeRows));
    // Before 15 a "char" that is no ASCII is printed as half a character.
    if (server_->major_version() < 15) {
      ASSERT_OK(pair_->Source("UPDATE types SET oc = 'e' WHERE id = 2"));
    }
  }

  // The table types, with its rows on the source, arrives as it is.
  void ExpectCarriesEveryType() {
    MakeTypes();
    ASSERT_OK(pair_->Begin());
    ASSERT_OK(pair_->Copy());
    EXPECT_TRUE(pair_->Equal());
  }

  std::unique_ptr<PgServer> server_;
  std::unique_ptr<CopyPair> pair_;
};

INSTANTIATE_TEST_SUITE_P(Servers, CopyTypesTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(CopyTypesTest, EveryTypeArrivesAsItIs) {
  ExpectCarriesEveryType();
  EXPECT_FALSE(BinaryWasCopied());
}

TEST_P(CopyTypesTest, PortableTypesArriveInBinaryFormAsTheyAre) {
  MakeTypes();
  ASSERT_OK(pair_->Both(
      "ALTER TABLE types DROP oc, DROP n, DROP m, DROP iv, DROP jp, DROP x, "
      "DROP tq, DROP lsn, "
      "DROP snap, DROP rc, DROP rt, DROP e, DROP ae, DROP dom, DROP comp, DROP "
      "acomp, DROP r, DROP iv2, DROP ov, DROP xi, DROP ti2"));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(pair_->Copy());
  EXPECT_TRUE(pair_->Equal());
  EXPECT_TRUE(BinaryWasCopied());
}

TEST_P(CopyTypesTest, TextIsCopiedWhereTheTargetHasAnotherTypeOrItIsAskedFor) {
  ASSERT_OK(
      pair_->Both("CREATE TABLE wider (id int PRIMARY KEY, n int);"
                  "CREATE TABLE same (id int PRIMARY KEY, n int)"));
  ASSERT_OK(pair_->Target("ALTER TABLE wider ALTER n TYPE bigint"));
  ASSERT_OK(pair_->Source("INSERT INTO wider VALUES (1, -7), (2, NULL)"));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(pair_->Copy());
  EXPECT_TRUE(pair_->Equal());
  EXPECT_FALSE(BinaryWasCopied("wider"));
  EXPECT_TRUE(BinaryWasCopied("same"));
  ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_));
  pair_->copy.min_binary_bytes = 0;
  pair_->copy.binary = BinaryMode::kOff;
  ASSERT_OK(pair_->Both("CREATE TABLE other (id int PRIMARY KEY)"));
  ASSERT_OK(pair_->Source("INSERT INTO other VALUES (1), (2)"));
  ASSERT_OK(pair_->Begin());
  ASSERT_OK(pair_->Copy());
  EXPECT_TRUE(pair_->Equal());
  EXPECT_FALSE(BinaryWasCopied("other"));
}

TEST_P(CopyTypesTest, SettingsOfTheDatabasesChangeNoValue) {
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
  ExpectCarriesEveryType();
}

}  // namespace
}  // namespace walferry
