#include "engine/verify/definition_text.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace walferry {
namespace {

struct Pair {
  std::string name;
  std::string one;
  std::string other;
  int version = 150000;  // Of the other; the one's is 15.
};

bool AreSame(const Pair& pair) {
  const Definition one{pair.one, 150000};
  const Definition other{pair.other, pair.version};
  const bool same = SameDefinition(one, other);
  EXPECT_EQ(SameDefinition(other, one), same);
  return same;
}

class SameDefinitions : public ::testing::TestWithParam<Pair> {};

TEST_P(SameDefinitions, AreSame) { EXPECT_TRUE(AreSame(GetParam())); }

INSTANTIATE_TEST_SUITE_P(
    Definitions, SameDefinitions,
    ::testing::ValuesIn(std::vector<Pair>{
        {"Equal", "CHECK ((a > 0))", "CHECK ((a > 0))"},
        {"WhiteSpace", "SELECT 1\n  FROM t", "SELECT 1 FROM t"},
        {"Quotes", "SELECT json FROM \"T\"", "SELECT \"json\" FROM \"T\""},
        {"Parentheses", "CHECK (((a) > 0))", "CHECK ((a > 0))"},
        {"CastsOfAnArray",
         "((x)::text = ANY ((ARRAY['a'::character varying, "
         "'b'::character varying])::text[]))",
         "((x)::text = ANY (ARRAY[('a'::character varying)::text, "
         "('b'::character varying)::text]))"},
        {"CastsOfAnArrayWithoutParentheses",
         "x::text = ANY (ARRAY['a'::character varying, f(b)]::text[])",
         "x::text = ANY (ARRAY['a'::character varying::text, (f(b))::text])"},
        {"CastsOfAnArrayOfArrays",
         "(ARRAY[ARRAY[1, 2], ARRAY[3, 4]])::bigint[]",
         "ARRAY[ARRAY[(1)::bigint, (2)::bigint], ARRAY[(3)::bigint, "
         "(4)::bigint]]"},
        {"CastsOfCasts", "(('a'::character varying)::text)::name",
         "'a'::character varying::text::name"},
        {"TypesOfManyWords",
         "ARRAY['x'::timestamp(3) without time zone, 'y'::interval day to "
         "second(3), 'z'::double precision, 'b'::bit varying(5)]",
         "ARRAY[('x')::timestamp(3) without time zone, 'y'::interval day to "
         "second(3), 'z'::double precision, 'b'::bit varying(5)]"},
        {"TableBeforeColumn", "SELECT t.a, count(t.t) FROM s.t GROUP BY t.a",
         "SELECT a, count(t) FROM s.t GROUP BY a", 160000},
        {"TableBeforeColumnInACast", "WHERE (((t.a)::text = 'x'::text))",
         "WHERE ((a)::text = 'x'::text)", 180000},
        {"Procedure", "EXECUTE PROCEDURE f()", "EXECUTE FUNCTION f()"}}),
    [](const auto& test) { return test.param.name; });

class OtherDefinitions : public ::testing::TestWithParam<Pair> {};

TEST_P(OtherDefinitions, AreNot) { EXPECT_FALSE(AreSame(GetParam())); }

INSTANTIATE_TEST_SUITE_P(
    Definitions, OtherDefinitions,
    ::testing::ValuesIn(std::vector<Pair>{
        {"Value", "CHECK ((a > 0))", "CHECK ((a > 1))"},
        {"Operator", "((a > 0))", "((a >= 0))"},
        {"Strings", "'a b'", "'a  b'"},
        {"StringsByCase", "'a'", "'A'"},
        {"StringsWithEscapes", "E'a\\'b'", "E'a\\'c'"},
        {"Bodies", "$f$a$f$", "$f$a $f$"},
        {"NamesByCase", "SELECT \"A\"", "SELECT \"a\""},
        {"TypeOfACast", "(a)::integer", "(a)::bigint"},
        {"LengthOfACast", "(a)::numeric(1,2)", "(a)::numeric(3,2)"},
        {"GroupsOfConditions", "((a OR b) AND c)", "(a OR (b AND c))"},
        {"TableBeforeColumn", "SELECT t.a", "SELECT u.a", 160000},
        {"TableOfOneVersionOnly", "SELECT t.a", "SELECT a"},
        {"TableOfTheNewerOnly", "SELECT a", "SELECT t.a", 160000},
        {"MoreAtTheEnd", "SELECT a", "SELECT a, b"},
        {"Nothing", "", "a"}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace walferry
