#include "protocol/pg_conninfo.h"

#include <stdlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/conninfo_secrets.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ParseConnInfoTest : public ::testing::Test {
 protected:
  // libpq takes its defaults from there.
  void SetUp() override {
    for (const char* name :
         {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER",
          "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS", "PGAPPNAME",
          "PGSSLMODE", "PGCLIENTENCODING", "PGCONNECT_TIMEOUT",
          "PGTARGETSESSIONATTRS"}) {
      unsetenv(name);
    }
    setenv("PGPASSFILE", "/nowhere", /*overwrite=*/1);
  }
  void TearDown() override {
    for (const char* name : {"PGPASSFILE", "PGSERVICEFILE", "PGUSER"}) {
      unsetenv(name);
    }
  }
};

TEST_F(ParseConnInfoTest, ReadsAUri) {
  ASSERT_OK_AND_ASSIGN(
      const ConnInfoParts parts,
      ParseConnInfo("postgresql://me:s%40crt@db.example:5433/app"
                    "?sslmode=require&application_name=it's%20a%5Cb"));
  EXPECT_EQ(parts.host, "db.example");
  EXPECT_EQ(parts.port, "5433");
  EXPECT_EQ(parts.dbname, "app");
  EXPECT_EQ(parts.user, "me");
  EXPECT_EQ(parts.password, "s@crt");
  EXPECT_EQ(parts.without_password,
            "user='me' passfile='/nowhere' dbname='app' host='db.example' "
            "port='5433' application_name='it\\'s a\\\\b' sslmode='require'");
}

TEST_F(ParseConnInfoTest, ReadsKeywords) {
  ASSERT_OK_AND_ASSIGN(
      const ConnInfoParts parts,
      ParseConnInfo("host=/tmp,other port=1,2 user='a b' password='p w' "
                    "dbname=x target_session_attrs=read-write"));
  EXPECT_EQ(parts.host, "/tmp,other");
  EXPECT_EQ(parts.port, "1,2");
  EXPECT_EQ(parts.user, "a b");
  EXPECT_EQ(parts.password, "p w");
  EXPECT_EQ(parts.without_password,
            "user='a b' passfile='/nowhere' dbname='x' host='/tmp,other' "
            "port='1,2' target_session_attrs='read-write'");
}

TEST_F(ParseConnInfoTest, ReadsAPlainDatabaseName) {
  setenv("PGUSER", "someone", 1);
  ASSERT_OK_AND_ASSIGN(const ConnInfoParts parts, ParseConnInfo("app"));
  EXPECT_EQ(parts.dbname, "app");
  EXPECT_EQ(parts.user, "someone");
  EXPECT_EQ(parts.host, "");
  EXPECT_EQ(parts.port, "5432");
}

TEST_F(ParseConnInfoTest, NamesAnotherDatabaseAndKeepsTheRest) {
  for (const auto& [conninfo, others] :
       std::vector<std::pair<std::string, std::string>>{
           {"shop", ""},
           {"postgresql://me:s%40crt@db:5433/shop?sslmode=require",
            "user='me' password='s@crt' host='db' port='5433' "
            "sslmode='require' "},
           {"host=h dbname=d dbname=e password='p w'",
            "password='p w' host='h' "}}) {
    SCOPED_TRACE(conninfo);
    ASSERT_OK_AND_ASSIGN(const std::string other,
                         ConnInfoOfDatabase(conninfo, "a b'c\\"));
    EXPECT_EQ(other, others + R"(dbname='a b\'c\\')");
    ASSERT_OK_AND_ASSIGN(const ConnInfoParts parts, ParseConnInfo(other));
    EXPECT_EQ(parts.dbname, "a b'c\\");
  }
  EXPECT_EQ(ConnInfoOfDatabase("host=h sslmode=maybe", "d").status().message(),
            "connection string: invalid sslmode value: \"maybe\"");
}

TEST_F(ParseConnInfoTest, ResolvesTheServiceFile) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/service.conf";
  std::ofstream(path) << "[there]\nhost=far\nport=77\nuser=u\npassword=pw\n"
                         "options=-c work_mem=1MB\n";
  setenv("PGSERVICEFILE", path.c_str(), 1);
  ASSERT_OK_AND_ASSIGN(const ConnInfoParts parts,
                       ParseConnInfo("service=there port=78 dbname=d"));
  EXPECT_EQ(parts.host, "far");
  EXPECT_EQ(parts.port, "78");
  EXPECT_EQ(parts.password, "pw");
  EXPECT_EQ(parts.without_password,
            "user='u' passfile='/nowhere' dbname='d' host='far' port='78' "
            "options='-c work_mem=1MB'");
}

TEST_F(ParseConnInfoTest, LeavesEverySecretOut) {
  ASSERT_OK_AND_ASSIGN(
      const ConnInfoParts parts,
      ParseConnInfo("host=h user=u dbname=d password=one sslpassword=two"));
  EXPECT_EQ(parts.without_password,
            "user='u' passfile='/nowhere' dbname='d' host='h'");
  EXPECT_THAT(
      OtherSecrets("host=h user=u dbname=d password=one sslpassword=two"),
      IsOkAndHolds(testing::ElementsAre(testing::Pair("sslpassword", "two"))));
}

TEST_F(ParseConnInfoTest, ItsStringReadsBackTheSame) {
  ASSERT_OK_AND_ASSIGN(
      const ConnInfoParts first,
      ParseConnInfo("host='a b' user='it\\'s' dbname='=\\\\'"));
  ASSERT_OK_AND_ASSIGN(const ConnInfoParts again,
                       ParseConnInfo(first.without_password));
  EXPECT_EQ(again.host, first.host);
  EXPECT_EQ(again.user, first.user);
  EXPECT_EQ(again.dbname, first.dbname);
  EXPECT_EQ(again.without_password, first.without_password);
}

struct Refused {
  std::string name;
  std::string conninfo;
  std::string error;
};

class RefusedConnInfo : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedConnInfo, SaysWhyWithoutThePassword) {
  const Refused& refused = GetParam();
  const absl::Status parsed = ParseConnInfo(refused.conninfo).status();
  EXPECT_THAT(parsed,
              StatusIs(absl::StatusCode::kInvalidArgument, refused.error));
  EXPECT_THAT(parsed.ToString(), Not(HasSubstr("secret")));
  EXPECT_EQ(PgConnection::Open({.conninfo = refused.conninfo}).status(),
            parsed);
}

INSTANTIATE_TEST_SUITE_P(
    ConnInfo, RefusedConnInfo,
    ::testing::ValuesIn(std::vector<Refused>{
        {"UnknownKeyword", "host=h sslmod=require",
         "connection string: invalid connection option \"sslmod\""},
        {"PasswordWithASpace", "host=h password=my secret=1",
         "connection string: invalid connection option \"...\""},
        {"PasswordWithASpaceAtTheEnd", "host=h password=my secret",
         "connection string: missing \"=\" after \"...\" in connection info "
         "string"},
        {"OpenQuote", "host=h password='secret",
         "connection string: unterminated quoted string in connection info "
         "string"},
        {"SlashInTheUrisPassword", "postgresql://u:top/secret@h/db",
         "connection string: the URI has an @ where none may stand"},
        {"AtInTheUrisPassword", "postgres://u:top@secret@h/db",
         "connection string: the URI has an @ where none may stand"},
        {"SlashAndQuestionMarkInTheUrisPassword", "postgresql://u:1/secret?x@h",
         "connection string: missing key/value separator \"=\" in URI query "
         "parameter: \"...\""},
        {"UserOfAUriWithoutHost", "postgresql://u:secret/db",
         "connection string: the port is not a number from 1 to 65535"},
        {"MistypedScheme", "postgresq://u:secret@h/db",
         "connection string: it is neither a URI nor keywords with values"},
        {"MistypedSchemeWithParameters",
         "postgressql://u:secret@h/db?sslmode=require",
         "connection string: it is neither a URI nor keywords with values"},
        {"SchemeWithOneSlashAndParameters",
         "postgresql:/u:secret@h/db?sslmode=require",
         "connection string: it is neither a URI nor keywords with values"},
        {"SchemeWithOneSlash", "postgresql:/u:secret@h/db",
         "connection string: it is neither a URI nor keywords with values"},
        {"BadEscape", "postgresql://u:secret%zz@h/db",
         "connection string: invalid percent-encoded token: \"...\""},
        {"NulEscape", "postgresql://u:secret%00@h/db",
         "connection string: forbidden value %00 in percent-encoded value: "
         "\"...\""},
        {"OpenBracket", "postgresql://u:secret@[::1/db",
         "connection string: end of string reached when looking for matching "
         "\"]\" in IPv6 host address in URI: \"...\""},
        {"PortOutOfRange", "host=h port=65536",
         "connection string: the port is not a number from 1 to 65535"},
        {"MorePortsThanHosts", "host=a,b port=1,2,3",
         "connection string: could not match 3 port numbers to 2 hosts"},
        {"BadSslMode", "host=h sslmode=maybe",
         "connection string: invalid sslmode value: \"maybe\""},
        {"UnknownService", "service=nowhere",
         "connection string: definition of service \"nowhere\" not found"},
        {"Nul", std::string("host=h\0password=secret", 22),
         "connection string: it holds a NUL byte"},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace walferry
