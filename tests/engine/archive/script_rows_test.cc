#include "engine/archive/script_rows.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

ScriptRows Count(absl::string_view script, size_t piece = 1 << 20) {
  ScriptRowCounter counter;
  for (size_t at = 0; at < script.size(); at += piece) {
    counter.Add(script.substr(at, piece));
  }
  return counter.Finish();
}

constexpr char kScript[] =
    "--\n"
    "-- Name: f(); Type: FUNCTION; Schema: public; Owner: a\n"
    "--\n"
    "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$\n"
    "COPY public.looks_like_it (a) FROM stdin;\n"
    "$$;\n"
    "--\n"
    "-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: a\n"
    "--\n"
    "\n"
    "COPY public.t (id, note) FROM stdin;\n"
    "1\ta\\nb\n"
    "2\t\\.\n"
    "3\t-- Data for Name: u; Type: TABLE DATA; Schema: public; Owner: a\n"
    "\\.\n"
    "\n"
    "-- Data for Name: no columns; Type: TABLE DATA; Schema: s; Owner: a\n"
    "COPY s.\"no columns\"  FROM stdin;\n"
    "\n"
    "\n"
    "\\.\n"
    "-- Data for Name: odd \"n ame; Type: TABLE DATA; Schema: s; Owner: a\n"
    "COPY s.\"odd \"\"n\n"
    "ame\" (a) FROM stdin;\n"
    "\\.\n"
    "-- Data for Name: i; Type: TABLE DATA; Schema: s; Owner: a\n"
    "INSERT INTO s.i VALUES (1);\n"
    "INSERT INTO s.i VALUES (2);\n"
    "SELECT pg_catalog.lo_create('16549');\n";

TEST(ScriptRows, AreCountedExactly) {
  for (const size_t piece : {size_t{1}, size_t{13}, size_t{1} << 20}) {
    const ScriptRows rows = Count(kScript, piece);
    EXPECT_THAT(rows.tables,
                ElementsAre(Pair("public.t", 3), Pair("s.\"no columns\"", 2),
                            Pair("s.\"odd \"\"n\name\"", 0)));
    EXPECT_THAT(rows.uncounted,
                ElementsAre("i; Type: TABLE DATA; Schema: s; Owner: a"));
    EXPECT_EQ(rows.large_objects, 1);
  }
}

TEST(ScriptRows, AddUpWhereATableComesTwice) {
  constexpr char kPart[] =
      "-- Data for Name: p1; Type: TABLE DATA; Schema: public; Owner: a\n"
      "COPY public.p (i) FROM stdin;\n1\n\\.\n";
  EXPECT_THAT(Count(std::string(kPart) + kPart).tables,
              ElementsAre(Pair("public.p", 2)));
}

TEST(TableOfCopy, EndsOutsideOfQuotes) {
  EXPECT_EQ(TableOfCopy("COPY a.b (c) FROM stdin;"), "a.b");
  EXPECT_EQ(TableOfCopy("COPY \"a b\".\"c \"\" d\" (e) FROM stdin;"),
            "\"a b\".\"c \"\" d\"");
}

}  // namespace
}  // namespace walferry
