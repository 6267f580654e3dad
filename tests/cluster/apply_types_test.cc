// Every type that PostgreSQL has goes through the stream unharmed, by insert,
// update and delete, and rows are found by whole old rows of every type.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

class ApplyTypesTest : public ReplicaPairTest {
 protected:
  // A keyed and an unkeyed table of the type, each value twice in it.
  void AddType(const std::string& type,
               const std::vector<std::string>& values) {
    const std::string suffix = absl::StrCat(types_.size());
    types_.push_back({type, values.size()});
    ASSERT_OK(pair().Both(absl::StrCat(
        "CREATE TABLE keyed_", suffix, " (id serial PRIMARY KEY, v ", type,
        "); CREATE TABLE full_", suffix, " (v ", type, "); ALTER TABLE full_",
        suffix, " REPLICA IDENTITY FULL")));
    for (const char* table : {"keyed_", "full_"}) {
      for (const char* row : {"(NULL)", "(NULL)"}) {
        ASSERT_OK(pair().Source(
            absl::StrCat("INSERT INTO ", table, suffix, " (v) VALUES ", row)));
      }
      for (const std::string& value : values) {
        ASSERT_OK(pair().Source(absl::StrCat("INSERT INTO ", table, suffix,
                                             " (v) VALUES (", value, "), (",
                                             value, ")")))
            << type;
      }
    }
  }

  // Gives one of each two equal rows another value.
  void UpdateRows() {
    for (size_t type = 0; type < types_.size(); ++type) {
      for (size_t value = 0; value <= types_[type].values; ++value) {
        for (const char* table : {"keyed_", "full_"}) {
          const std::string name = absl::StrCat(table, type);
          ASSERT_OK(pair().Source(absl::StrCat(
              "UPDATE ", name, " SET v = (SELECT v FROM ", name,
              " ORDER BY ctid DESC LIMIT 1) WHERE ctid = (SELECT ctid FROM ",
              name, " ORDER BY ctid OFFSET ", value, " LIMIT 1)")));
        }
      }
    }
  }

  void DeleteRows() {
    for (size_t type = 0; type < types_.size(); ++type) {
      for (size_t value = 0; value <= types_[type].values; ++value) {
        ASSERT_OK(pair().Source(absl::StrCat(
            "DELETE FROM full_", type, " WHERE ctid = (SELECT ctid FROM full_",
            type, " ORDER BY ctid OFFSET ", value, " LIMIT 1)")));
      }
      ASSERT_OK(pair().Source(
          absl::StrCat("DELETE FROM keyed_", type, " WHERE id = 1")));
    }
  }

  void ExpectAllSurvive() {
    ASSERT_OK(pair().Replicate());
    ASSERT_TRUE(pair().Equal()) << "after the inserts";
    UpdateRows();
    ASSERT_OK(pair().Replicate());
    ASSERT_TRUE(pair().Equal()) << "after the updates";
    DeleteRows();
    ASSERT_OK(pair().Replicate());
    ASSERT_TRUE(pair().Equal()) << "after the deletes";
  }

  int version() { return server().major_version(); }

 private:
  struct AddedType {
    std::string name;
    size_t values;
  };
  std::vector<AddedType> types_;
};

INSTANTIATE_REPLICA_PAIR_TEST(ApplyTypesTest);

TEST_P(ApplyTypesTest, NumbersSurvive) {
  AddType("int2", {"-32768", "32767"});
  AddType("int4", {"-2147483648", "0"});
  AddType("int8", {"-9223372036854775808", "9223372036854775807"});
  AddType("numeric",
          {"'NaN'", "'Infinity'", "'-Infinity'", "1.0", "1.00", "0.000",
           "123456789012345678901234567890.123456789012345678901234567890",
           "1e1000"});
  AddType("numeric(20,3)", {"1.5", "-99999999999999999.999"});
  AddType("float4",
          {"'NaN'", "'Infinity'", "1e-45", "3.4028235e38", "'-0'", "0", "0.1"});
  AddType("float8",
          {"-216237.00000035969", "1e300", "1e-30", "'NaN'", "'Infinity'",
           "'-Infinity'", "'-0'", "0", "5e-324", "1.7976931348623157e308"});
  AddType("money", {"'1234.56'", "'-92233720368547758.08'"});
  AddType("bool", {"true", "false"});
  AddType("oid", {"4294967295", "0"});
  AddType("xid", {"'4294967295'", "'0'"});
  AddType("xid8", {"'18446744073709551615'"});
  AddType("cid", {"'7'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, TextSurvives) {
  AddType("text", {"''", "'O''Brien'", "E'back\\\\slash'",
                   "E'tab\\tnew\\nline'", "'quote at end'''", "'NULL'", "'\\N'",
                   "'žluťoučký 日本 🐘'", "'$1'"});
  AddType("varchar(3)", {"'abc'", "''", "'a  '"});
  AddType("varchar", {"'a'"});
  AddType("char(3)", {"'a'", "''", "'abc'"});
  AddType("bpchar", {"'a'", "'a  '"});
  AddType("\"char\"", {"'a'", "''", "'\"'"});
  AddType("name", {"repeat('n', 63)::name", "''"});
  AddType("bytea", {"''", "'\\x00ff5c27'", "decode('00', 'hex')"});
  AddType("xml", {"'<a b=\"c\">d</a>'", "'text <b/> more'", "''"});
  AddType("json", {"'{\"a\":  1, \"a\": 2}'", "'null'", "'\"\\u00e9\"'"});
  AddType("jsonb", {"'{\"a\": 1.10}'", "'1.0'", "'1.00'", "'null'"});
  AddType("jsonpath", {"'$.a[*] ? (@ > 1)'"});
  AddType("tsvector", {"'fat:1A cat:2'", "''"});
  AddType("tsquery", {"'fat & !rat'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, CharAboveAsciiSurvives) {
  if (version() < 16) GTEST_SKIP() << "no text form before 16";
  AddType("\"char\"", {"'\\200'", "'\\377'", "'\\303'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, TimesSurvive) {
  // Of a database where dates look another way; the session must not care.
  for (SqlConnection* side : {&pair().source(), &pair().target()}) {
    ASSERT_OK(side->Exec(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET datestyle = "
        "''SQL, DMY''', current_database()); EXECUTE format('ALTER DATABASE %I "
        "SET intervalstyle = ''sql_standard''', current_database()); END $$"));
  }
  AddType("date", {"'2024-03-01'", "'infinity'", "'-infinity'",
                   "'4713-01-01 BC'", "'5874897-12-31'"});
  AddType("time", {"'24:00:00'", "'00:00:00.000001'"});
  AddType("timetz", {"'23:59:59.999999+15:59'", "'00:00:00-15:59:59'"});
  AddType("timestamp", {"'infinity'", "'-infinity'", "'0044-03-15 12:00 BC'",
                        "'294276-12-31 23:59:59.999999'"});
  AddType("timestamptz",
          {"'2024-02-01 03:04:05.678901+02'", "'infinity'",
           "'4713-01-01 00:00:00+00 BC'", "'1800-01-01 00:00:00+00'"});
  AddType("timestamp(0)", {"'2024-02-01 03:04:05'"});
  AddType("interval", {"'1 year -2 months 3 days -04:05:06.789'", "'24 hours'",
                       "'1 day'", "'-178000000 years'", "'0'"});
  AddType("interval day to second(0)", {"'3 days 04:05:06'"});
  if (version() >= 17) AddType("interval", {"'infinity'", "'-infinity'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, BitStringsSurvive) {
  AddType("bit(3)", {"B'101'", "B'000'"});
  AddType("bit varying", {"B''", "B'1'", "B'0101010101010101010'"});
  AddType("varbit(5)", {"B''", "B'10101'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, AddressesAndShapesSurvive) {
  AddType("inet", {"'192.168.0.1/24'", "'::1'"});
  AddType("cidr", {"'192.168.0.0/24'"});
  AddType("macaddr", {"'08:00:2b:01:02:03'"});
  AddType("macaddr8", {"'08:00:2b:01:02:03:04:05'"});
  AddType("uuid", {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"});
  AddType("pg_lsn", {"'FFFFFFFF/FFFFFFFF'"});
  AddType("txid_snapshot", {"'10:20:10,14'"});
  AddType("pg_snapshot", {"'10:20:10,14'"});
  AddType("tid", {"'(4294967295,65535)'"});
  AddType("point", {"'(0.1,-1e300)'", "'(NaN,Infinity)'"});
  AddType("line", {"'{1,2,3}'"});
  AddType("lseg", {"'[(0,0),(1,1)]'"});
  // Boxes, paths and circles of one area or size that differ.
  AddType("box", {"'(2,2),(0,0)'", "'(4,1),(0,0)'"});
  AddType("path", {"'[(0,0),(1,1)]'", "'((0,0),(2,1))'"});
  AddType("polygon", {"'((0,0),(1,0),(0,1))'"});
  AddType("circle", {"'<(0,0),1>'", "'<(1,1),1>'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, CatalogTypesSurvive) {
  // Their OIDs differ on both sides; their names must not.
  ASSERT_OK(pair().Target("CREATE VIEW before_others AS SELECT 1"));
  ASSERT_OK(pair().Both(
      "CREATE SCHEMA \"Other\"; CREATE TABLE \"Other\".\"T\" (a int PRIMARY "
      "KEY); CREATE FUNCTION \"Other\".f(int) RETURNS int LANGUAGE sql AS "
      "'SELECT 1'"));
  AddType("regclass", {"'\"Other\".\"T\"'", "'pg_class'", "'4294967295'"});
  AddType("regtype", {"'int4'", "'numeric'"});
  AddType("regproc", {"'pg_catalog.now'", "'\"Other\".f'"});
  AddType("regprocedure", {"'pg_catalog.abs(int4)'", "'\"Other\".f(int)'"});
  AddType("regoper", {"'pg_catalog.||/'"});
  AddType("regoperator", {"'pg_catalog.+(int4,int4)'"});
  AddType("regnamespace", {"'pg_catalog'"});
  AddType("regrole", {"'postgres'"});
  AddType("regcollation", {"'\"C\"'"});
  AddType("regconfig", {"'english'"});
  AddType("regdictionary", {"'simple'"});
  AddType("aclitem", {"'postgres=arwdDxt/postgres'"});
  AddType("int2vector", {"'1 2 3'", "''"});
  AddType("oidvector", {"'1 2 3'", "''"});
  AddType("refcursor", {"'c'"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, ArraysAndRangesSurvive) {
  AddType("int[]", {"'{}'", "'{1,NULL,3}'", "'[0:1]={1,2}'", "'{1,2}'",
                    "'[-2:-1][3:4]={{1,2},{3,NULL}}'"});
  AddType("text[]", {"ARRAY['a,b', 'c\"d', E'e\\\\f', 'NULL', NULL, '']"});
  AddType("json[]", {"ARRAY['{\"a\": 1}', NULL]::json[]"});
  AddType("point[]", {"ARRAY['(1,2)', NULL]::point[]"});
  AddType("box[]",
          {"ARRAY['(2,2),(0,0)']::box[]", "ARRAY['(4,1),(0,0)']::box[]"});
  AddType("numeric(5,2)[]", {"'{1.00,2.50}'"});
  AddType("bit(3)[]", {"ARRAY[B'101']"});
  AddType("char(3)[]", {"'{a,ab}'"});
  AddType("varchar(3)[]", {"'{abc,NULL}'"});
  AddType("int4range", {"'empty'", "'[1,5)'", "'(,)'"});
  AddType("numrange", {"'(1.0,2.00]'"});
  AddType("tstzrange", {"'[2024-01-01 00:00:00+00,infinity)'"});
  AddType("int4multirange", {"'{}'", "'{[1,3),[5,7)}'"});
  AddType("daterange[]",
          {"ARRAY['[2024-01-01,2024-02-01)', NULL]::daterange[]"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, UserTypesSurvive) {
  ASSERT_OK(pair().Both(R"sql(
      CREATE SCHEMA "Sch""ema";
      CREATE TYPE "Sch""ema"."Mo""od" AS ENUM ('sad', 'it''s ok', 'a,b', '"');
      CREATE TYPE pairs AS (a int, b text);
      CREATE TYPE nested AS (p pairs, j json, n numeric[]);
      CREATE TYPE floatrange AS RANGE (subtype = float8);
      CREATE DOMAIN short AS varchar(3) CHECK (value <> 'no');
      CREATE DOMAIN shorter AS short;
      CREATE DOMAIN document AS json;
      CREATE DOMAIN bits AS bit(3);
      CREATE DOMAIN numbers AS int[];
      CREATE DOMAIN mood AS "Sch""ema"."Mo""od";
      CREATE DOMAIN span AS int4range;
      CREATE DOMAIN positive AS pairs CHECK ((value).a > 0))sql"));
  AddType("\"Sch\"\"ema\".\"Mo\"\"od\"", {"'sad'", "'it''s ok'", "'\"'"});
  AddType("\"Sch\"\"ema\".\"Mo\"\"od\"[]", {"ARRAY['a,b', NULL, '\"']"
                                            "::\"Sch\"\"ema\".\"Mo\"\"od\"[]"});
  AddType("pairs", {"ROW(1, 'a,\"b')", "ROW(NULL, NULL)", "ROW(1, '')"});
  AddType("pairs[]", {"ARRAY[ROW(1, 'a'), NULL, ROW(NULL, NULL)]::pairs[]"});
  AddType("nested", {"ROW(ROW(1, 'x'), '{\"a\":1}', '{1.0,NULL}')::nested",
                     "ROW(NULL, NULL, NULL)::nested"});
  AddType("floatrange", {"'[0.1,1e300)'", "'empty'"});
  AddType("floatmultirange", {"'{[0.1,0.2),[1,2)}'"});
  AddType("short", {"'abc'"});
  AddType("shorter", {"'abc'", "'a'"});
  AddType("shorter[]", {"ARRAY['abc', NULL]::shorter[]"});
  AddType("document", {"'{\"a\":   1}'"});
  AddType("bits", {"B'101'"});
  AddType("numbers", {"'{1,NULL}'", "'[5:6]={1,2}'"});
  AddType("mood", {"'sad'"});
  AddType("span", {"'[1,2)'"});
  AddType("positive", {"ROW(1, 'a')::positive"});
  ExpectAllSurvive();
}

TEST_P(ApplyTypesTest, TypesOfExtensionsSurvive) {
  ASSERT_OK(pair().Both("CREATE EXTENSION hstore; CREATE EXTENSION citext"));
  AddType("hstore", {"'a=>1, b=>NULL'", "''"});
  AddType("citext", {"'a'", "'A'"});
  AddType("citext[]", {"'{a,B}'"});
  ExpectAllSurvive();
}

// Modifiers are the target's: what does not fit is refused, never cut.
TEST_P(ApplyTypesTest, ValuesAreNeverCut) {
  struct Narrow {
    std::string wide, narrow, value, error;
  };
  const std::vector<Narrow> cases = {
      {"text", "varchar(3)", "'abcd'",
       "value too long for type character varying(3)"},
      {"text", "char(3)", "'abcd'", "value too long for type character(3)"},
      {"varbit", "bit(3)", "B'1011'",
       "bit string length 4 does not match type bit(3)"},
      {"varbit", "varbit(3)", "B'1011'",
       "bit string too long for type bit varying(3)"},
      {"int8", "int4", "2147483648",
       "value \"2147483648\" is out of range for type integer"},
      {"text", "name_of_3", "'abcd'",
       "value too long for type character varying(3)"},
  };
  ASSERT_OK(pair().Both("CREATE DOMAIN name_of_3 AS varchar(3)"));
  for (size_t index = 0; index < cases.size(); ++index) {
    const std::string name = absl::StrCat("narrow_", index);
    ASSERT_OK(pair().Source(absl::StrCat(
        "CREATE TABLE ", name, " (id int PRIMARY KEY, v ", cases[index].wide,
        "); INSERT INTO ", name, " VALUES (1, ", cases[index].value, ")")));
    ASSERT_OK(pair().Target(absl::StrCat("CREATE TABLE ", name,
                                         " (id int PRIMARY KEY, v ",
                                         cases[index].narrow, ")")));
    ASSERT_OK(pair().Open());
    const absl::Status status = pair().Replicate().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()),
                ::testing::HasSubstr(cases[index].error));
    ASSERT_TRUE(pair().applier().conflict().has_value());
    EXPECT_EQ(pair().applier().conflict()->type, "error");
    EXPECT_EQ(pair().applier().conflict()->key, "id=1");
  }
}

class BinaryApplyTypesTest : public ApplyTypesTest {
 protected:
  void SetUp() override {
    ApplyTypesTest::SetUp();
    UsePair({.binary = true});
  }
};

INSTANTIATE_REPLICA_PAIR_TEST(BinaryApplyTypesTest);

TEST_P(BinaryApplyTypesTest, NumbersSurvive) {
  AddType("bool", {"true", "false"});
  AddType("int2", {"-32768", "32767"});
  AddType("int4", {"-2147483648", "0", "2147483647"});
  AddType("int8", {"-9223372036854775808", "9223372036854775807"});
  AddType("oid", {"4294967295", "0"});
  AddType("numeric",
          {"'NaN'", "'Infinity'", "'-Infinity'", "1.0", "1.00", "0.000",
           "123456789012345678901234567890.123456789012345678901234567890",
           "1e1000"});
  AddType("numeric(20,3)", {"1.5", "-99999999999999999.999"});
  AddType("float4",
          {"'NaN'", "'Infinity'", "1e-45", "3.4028235e38", "'-0'", "0", "0.1"});
  AddType("float8", {"'NaN'", "'-Infinity'", "5e-324", "'-0'", "0",
                     "1.7976931348623157e308"});
  AddType("bit(3)", {"B'101'", "B'000'"});
  AddType("varbit", {"B''", "B'1'", "B'0101010101010101010'"});
  AddType("uuid", {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"});
  ExpectAllSurvive();
}

TEST_P(BinaryApplyTypesTest, TextSurvives) {
  AddType("text", {"''", "'日本 🐘'", "E'back\\\\slash'", "'\\N'", "'\"(,)'"});
  AddType("varchar(3)", {"'abc'", "''", "'a  '"});
  AddType("char(3)", {"'a'", "''", "'abc'"});
  AddType("bytea", {"''", "'\\x00ff5c27'"});
  AddType("json", {"'{\"a\":  1, \"a\": 2}'", "'null'"});
  AddType("jsonb", {"'{\"a\": 1.10}'", "'1.0'", "'1.00'", "'null'"});
  AddType("tsvector", {"'fat:1A,16383 cat:2'", "''"});
  ExpectAllSurvive();
}

TEST_P(BinaryApplyTypesTest, TimesSurvive) {
  AddType("date",
          {"'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'"});
  AddType("time", {"'24:00:00'", "'00:00:00.000001'"});
  AddType("timetz", {"'23:59:59.999999+15:59'", "'00:00:00-15:59:59'"});
  AddType("timestamp", {"'infinity'", "'-infinity'", "'0044-03-15 12:00 BC'",
                        "'294276-12-31 23:59:59.999999'"});
  AddType("timestamptz", {"'-infinity'", "'2024-02-01 03:04:05.678901+02'",
                          "'4713-01-01 00:00:00+00 BC'"});
  AddType("timestamp(0)", {"'2024-02-01 03:04:05'"});
  ExpectAllSurvive();
}

TEST_P(BinaryApplyTypesTest, AddressesAndShapesSurvive) {
  AddType("inet", {"'192.168.0.1/24'", "'::1'"});
  AddType("cidr", {"'192.168.0.0/24'", "'::/0'"});
  AddType("macaddr", {"'08:00:2b:01:02:03'"});
  AddType("macaddr8", {"'08:00:2b:01:02:03:04:05'"});
  AddType("point", {"'(0.1,-1e300)'", "'(NaN,Infinity)'"});
  AddType("line", {"'{1,2,3}'"});
  AddType("lseg", {"'[(0,0),(1,1)]'"});
  AddType("box", {"'(2,2),(0,0)'", "'(4,1),(0,0)'"});
  AddType("path", {"'[(0,0),(1,1)]'", "'((0,0),(2,1))'"});
  AddType("polygon", {"'((0,0),(1,0),(0,1))'"});
  AddType("circle", {"'<(0,0),1>'", "'<(1,1),1>'"});
  ExpectAllSurvive();
}

TEST_P(BinaryApplyTypesTest, ArraysAndRangesSurvive) {
  AddType("int[]", {"'{}'", "'{1,NULL,3}'", "'[0:1]={1,2}'",
                    "'[-2:-1][3:4]={{1,2},{3,NULL}}'"});
  AddType("text[]", {"ARRAY['a,b', 'c\"d', E'e\\\\f', 'NULL', NULL, '']"});
  AddType("numeric(5,2)[]", {"'{1.00,2.50}'"});
  AddType("char(3)[]", {"'{a,ab}'"});
  AddType("json[]", {"ARRAY['{\"a\": 1}', NULL]::json[]"});
  AddType("box[]", {"ARRAY['(2,2),(0,0)']::box[]"});
  AddType("int4range", {"'empty'", "'[1,5)'", "'(,)'"});
  AddType("int8range", {"'[1,9223372036854775807)'"});
  AddType("numrange", {"'(1.0,2.00]'"});
  AddType("tsrange", {"'[2024-01-01,)'"});
  AddType("tstzrange", {"'[2024-01-01 00:00:00+00,infinity)'"});
  AddType("daterange[]",
          {"ARRAY['[2024-01-01,2024-02-01)', NULL]::daterange[]"});
  AddType("int4multirange", {"'{}'", "'{[1,3),[5,7)}'"});
  AddType("int8multirange", {"'{[1,3),[5,7)}'"});
  AddType("nummultirange", {"'{[1.0,3.00),[5,)}'"});
  AddType("tsmultirange", {"'{[2024-01-01,)}'"});
  AddType("tstzmultirange", {"'{[2024-01-01 00:00:00+00,)}'"});
  AddType("datemultirange[]",
          {"ARRAY['{[2024-01-01,2024-02-01)}', NULL]::datemultirange[]"});
  ExpectAllSurvive();
}

}  // namespace
}  // namespace walferry
