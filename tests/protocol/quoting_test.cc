#include "protocol/quoting.h"

#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(QuoteIdentifier, AlwaysQuotes) {
  EXPECT_EQ(QuoteIdentifier("t"), R"("t")");
  EXPECT_EQ(QuoteIdentifier("select"), R"("select")");
  EXPECT_EQ(QuoteIdentifier("Gr\xc3\xb6\xc3\x9f"
                            "e m\\n"),
            "\"Gr\xc3\xb6\xc3\x9f"
            "e m\\n\"");
  EXPECT_EQ(QuoteIdentifier(R"(a"b"")"), R"("a""b""""")");
  EXPECT_EQ(QuoteIdentifier(""), R"("")");
}

TEST(Quote, QuotesBothNames) {
  EXPECT_EQ(Quote({"public", "t"}), R"("public"."t")");
  EXPECT_EQ(Quote({"a.b", "c\"d"}), R"("a.b"."c""d")");
}

TEST(ToDisplay, QuotesOnlyWhereItMust) {
  EXPECT_EQ(ToDisplay({"public", "t_1$"}), "public.t_1$");
  EXPECT_EQ(ToDisplay({"_p", "T"}), R"(_p."T")");
  EXPECT_EQ(ToDisplay({"a b", "1t"}), R"("a b"."1t")");
  EXPECT_EQ(ToDisplay({"", "\xc3\xa9"}), "\"\".\"\xc3\xa9\"");
}

TEST(QuoteLiteral, DoublesQuotes) {
  EXPECT_EQ(QuoteLiteral(""), "''");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteLiteral("'"), "''''");
}

TEST(QuoteLiteral, SaysSoWhenItHoldsABackslash) {
  EXPECT_EQ(QuoteLiteral("a\\b"), R"(E'a\\b')");
  EXPECT_EQ(QuoteLiteral("\\'"), R"(E'\\''')");
}

TEST(QuoteReplicationLiteral, LeavesBackslashesAlone) {
  EXPECT_EQ(QuoteReplicationLiteral("a\\b'c"), R"('a\b''c')");
}

TEST(QuoteTextArray, QuotesEachText) {
  EXPECT_EQ(QuoteTextArray({}), "ARRAY[]::pg_catalog.text[]");
  EXPECT_EQ(QuoteTextArray(std::vector<std::string>{"a,b", "it's", "\\"}),
            R"(ARRAY['a,b', 'it''s', E'\\']::pg_catalog.text[])");
}

TEST(QuotePublicationNames, QuotesForBothGrammars) {
  EXPECT_EQ(QuotePublicationNames({}), "''");
  EXPECT_EQ(
      QuotePublicationNames(std::vector<std::string>{"p1", "P\"2", "it's"}),
      R"('"p1","P""2","it''s"')");
}

TEST(QualifiedName, ComparesBothNames) {
  EXPECT_EQ((QualifiedName{"a", "b"}), (QualifiedName{"a", "b"}));
  EXPECT_LT((QualifiedName{"a", "b"}), (QualifiedName{"a", "c"}));
  EXPECT_LT((QualifiedName{"a", "z"}), (QualifiedName{"b", "a"}));
  EXPECT_NE(absl::HashOf(QualifiedName{"ab", "c"}),
            absl::HashOf(QualifiedName{"a", "bc"}));
}

}  // namespace
}  // namespace walferry
