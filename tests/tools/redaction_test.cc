#include "tools/redaction.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

struct ConnInfoCase {
  std::string name;
  std::string conninfo;
  std::string redacted;
};

class RedactConnInfoTest : public testing::TestWithParam<ConnInfoCase> {};

TEST_P(RedactConnInfoTest, MasksPasswordsOnly) {
  EXPECT_EQ(RedactConnInfo(GetParam().conninfo), GetParam().redacted);
}

INSTANTIATE_TEST_SUITE_P(
    ConnInfo, RedactConnInfoTest,
    testing::ValuesIn(std::vector<ConnInfoCase>{
        {"Uri", "postgresql://ada:s3cret@db.example:5432/shop",
         "postgresql://ada:***@db.example:5432/shop"},
        {"ShortScheme", "postgres://ada:s3cret@/shop",
         "postgres://ada:***@/shop"},
        {"MistypedScheme", "postgresq://ada:s3cret@db/shop?sslmode=require",
         "postgresq://ada:***@db/shop?sslmode=require"},
        {"SchemeWithOneSlash", "postgresql:/ada:s3cret@db/shop",
         "postgresql:***@db/shop"},
        {"SchemeOfADriver",
         "postgresql+psycopg2://ada:s3cret@db/shop?sslmode=require",
         "postgresql+psycopg2://ada:***@db/shop?sslmode=require"},
        {"SchemeWithOneSlashAndParameters",
         "postgresql:/ada:s3cret@db/shop?sslmode=require",
         "postgresql:***@db/shop?sslmode=require"},
        {"UriWithoutPassword", "postgresql://ada@db:5432/shop?sslmode=require",
         "postgresql://ada@db:5432/shop?sslmode=require"},
        {"UriWithoutUser", "postgresql://db:5432/shop",
         "postgresql://db:5432/shop"},
        {"UriQuery",
         "postgresql://db/shop?user=ada&password=s3cret&sslmode=require"
         "&sslpassword=k3y",
         "postgresql://db/shop?user=ada&password=***&sslmode=require"
         "&sslpassword=***"},
        {"UriEverywhere", "postgres://a:pw@db/shop?password=s3cret",
         "postgres://a:***@db/shop?password=***"},
        {"SeveralHosts", "postgres://a:pw@h1:1,h2:2/shop",
         "postgres://a:***@h1:1,h2:2/shop"},
        {"AtInPassword", "postgres://ada:s3@cret@db/shop",
         "postgres://ada:***@db/shop"},
        {"SlashInPassword", "postgres://ada:s3/cret@db/shop",
         "postgres://ada:***@db/shop"},
        {"QuestionMarkInPassword", "postgres://ada:s3?cret@db/shop",
         "postgres://ada:***@db/shop"},
        {"AtInDatabase", "postgres://ada:s3cret@db/sh@op",
         "postgres://ada:***@db/sh@op"},
        {"AtInQuery", "postgres://db/shop?user=ada@x",
         "postgres://db/shop?user=ada@x"},
        {"AtInQueryAfterPort", "postgres://db:5432/shop?user=ada@x",
         "postgres://db:5432/shop?user=ada@x"},
        {"SlashAndQuestionMarkInPassword", "postgres://ada:s3/c?ret@db/shop",
         "postgres://ada:***@db/shop"},
        {"EmptyPassword", "postgres://ada:@db/shop", "postgres://ada:@db/shop"},
        {"Keywords", "host=db password=s3cret dbname=shop",
         "host=db password=*** dbname=shop"},
        {"KeywordsQuoted", "password = 's3 \\'cret' user='ada b'",
         "password = '***' user='ada b'"},
        {"KeywordsUnended", "user=ada password='s3 cret",
         "user=ada password='***"},
        {"KeywordsEscape", "password=s3\\ cret user=ada",
         "password=*** user=ada"},
        {"PasswordAsValue", "dbname=password user=ada",
         "dbname=password user=ada"},
        {"QuotedValueWithKeyword", "options='-c x password=y' user=ada",
         "options='-c x password=y' user=ada"},
        {"OtherSecrets", "sslpassword=a oauth_client_secret=b",
         "sslpassword=*** oauth_client_secret=***"},
        {"Service", "service=old", "service=old"},
        {"DatabaseName", "shop", "shop"},
        {"Empty", "", ""},
        {"EndsInEscape", "password=abc\\", "password=***"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(WipePasswords, OverwritesArgumentsInPlace) {
  std::vector<std::string> arguments = {
      "walferry",
      "migrate",
      "--source",
      "postgres://ada:s3cret@db/shop",
      "--target=host=new password='k 3y' user=b",
      "--name",
      "password"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  WipePasswords(static_cast<int>(argv.size()), argv.data());
  EXPECT_THAT(arguments,
              testing::ElementsAre("walferry", "migrate", "--source",
                                   "postgres://ada:******@db/shop",
                                   "--target=host=new password='****' user=b",
                                   "--name", "password"));
}

TEST(Redactor, MasksKnownPasswordsInAnyText) {
  Redactor redactor;
  redactor.AddConnInfo("postgres://ada:s3%63r%65t@db/shop");
  redactor.AddConnInfo("host=new password=hunter2");
  EXPECT_EQ(redactor.Redact("a s3cret, a s3%63r%65t and hunter2"),
            "a ***, a *** and ***");
}

TEST(Redactor, MasksWhatBackslashesStandFor) {
  Redactor redactor;
  redactor.AddConnInfo("host=a password='it\\'s b\\\\c'");
  EXPECT_EQ(redactor.Redact("<it's b\\c> and <it\\'s b\\\\c>"),
            "<***> and <***>");
}

TEST(Redactor, MasksPasswordsThatItWasNeverTold) {
  const Redactor redactor;
  EXPECT_EQ(
      redactor.Redact("cannot open \"postgres://ada:pw@db/shop\" nor "
                      "postgresql://b:x@h/d, password = 'a b', sslpassword=q."),
      "cannot open \"postgres://ada:***@db/shop\" nor "
      "postgresql://b:***@h/d, password = '***', sslpassword=***");
}

TEST(Redactor, MasksThePartsThatAnErrorMayQuote) {
  Redactor redactor;
  // libpq takes what is before the slash for a port.
  redactor.AddConnInfo("postgres://ada:s3cret/pass@db/shop");
  EXPECT_EQ(redactor.Redact("invalid integer value \"s3cret\" for port"),
            "invalid integer value \"***\" for port");
}

TEST(Redactor, LeavesWordsThatHappenToBePasswords) {
  Redactor redactor;
  redactor.AddConnInfo("postgres://postgres:postgres@db/shop");
  redactor.AddConnInfo("postgres://ada:ada@db/shop");
  redactor.AddConnInfo("postgres://bob:pw@db/shop");
  EXPECT_EQ(redactor.Redact("role postgres of pwned database ada"),
            "role postgres of pwned database ada");
}

TEST(Redactor, MasksTheLongerOfTwoPasswordsFirst) {
  Redactor redactor;
  redactor.AddConnInfo("password=longsecret");
  redactor.AddConnInfo("password=longsecretindeed");
  EXPECT_EQ(redactor.Redact("<longsecretindeed>"), "<***>");
}

}  // namespace
}  // namespace walferry
