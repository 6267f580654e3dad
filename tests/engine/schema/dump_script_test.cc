#include "engine/schema/dump_script.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kBegin[] =
    "--\n-- PostgreSQL database dump\n--\n\n"
    "\\restrict k3y\n\n"
    "-- Dumped from database version 15.18\n\n"
    "SET statement_timeout = 0;\n"
    "SET client_encoding = 'LATIN1';\n"
    "SELECT pg_catalog.set_config('search_path', '', false);\n\n";
constexpr char kEnd[] =
    "-- Completed on 2026-01-01 00:00:00 UTC\n\n"
    "--\n-- PostgreSQL database dump complete\n--\n\n"
    "\\unrestrict k3y\n\n";

// An entry's header and SQL.
std::string EntryText(const std::string& name_line, const std::string& sql,
                      const std::string& ids = "7 (class 1259 OID 16385)",
                      const std::string& dependencies = "") {
  return absl::StrCat("--\n-- TOC entry ", ids, "\n", dependencies,
                      "-- Name: ", name_line, "\n-- Data Pos: 0\n--\n\n", sql,
                      "\n\n\n");
}

std::string Script(const std::string& entries) {
  return absl::StrCat(kBegin, entries, kEnd);
}

DumpScript Parse(const std::string& script) {
  absl::StatusOr<DumpScript> parsed = ParseDumpScript(script);
  EXPECT_OK(parsed);
  return parsed.ok() ? *std::move(parsed) : DumpScript();
}

DumpEntry ParseEntry(const std::string& name_line) {
  DumpScript script = Parse(Script(EntryText(name_line, "SELECT 1;")));
  EXPECT_EQ(script.entries.size(), 1u);
  return script.entries.empty() ? DumpEntry() : script.entries[0];
}

TEST(ParseDumpScript, ReadsSettingsAndEntries) {
  const DumpScript script = Parse(Script(
      EntryText("t; Type: TABLE; Schema: app; Owner: me",
                "CREATE TABLE t ();") +
      EntryText("t t_fk; Type: FK CONSTRAINT; Schema: app; Owner: -",
                "ALTER TABLE t\n    ADD FK;", "8 (class 2606 OID 4000000000)",
                "-- Dependencies: 7 3 7\n")));
  EXPECT_THAT(
      script.preamble,
      ElementsAre("SET statement_timeout = 0;",
                  "SET client_encoding = 'LATIN1';",
                  "SELECT pg_catalog.set_config('search_path', '', false);"));
  ASSERT_EQ(script.entries.size(), 2u);
  const DumpEntry& table = script.entries[0];
  EXPECT_EQ(table.dump_id, 7);
  EXPECT_EQ(table.class_oid, 1259u);
  EXPECT_EQ(table.oid, 16385u);
  EXPECT_THAT(table.dependencies, IsEmpty());
  EXPECT_EQ(table.type, "TABLE");
  EXPECT_EQ(table.schema, "app");
  EXPECT_EQ(table.name, "t");
  EXPECT_EQ(table.sql, "CREATE TABLE t ();");
  EXPECT_EQ(table.Display(), "TABLE app.t");
  const DumpEntry& key = script.entries[1];
  EXPECT_EQ(key.oid, 4000000000u);
  EXPECT_THAT(key.dependencies, ElementsAre(7, 3, 7));
  EXPECT_EQ(key.type, "FK CONSTRAINT");
  EXPECT_EQ(key.sql, "ALTER TABLE t\n    ADD FK;");
}

TEST(ParseDumpScript, ReadsNastyNames) {
  const struct {
    std::string line, type, schema, name;
  } cases[] = {
      {"a; Schema: b; Type: TABLE; Schema: c d; Owner: e", "TABLE", "c d",
       "a; Schema: b"},
      {"table; Type: VIEW with newline; Type: TABLE; Schema: s; Owner: -",
       "TABLE", "s", "table; Type: VIEW with newline"},
      {"x; Type: ROW SECURITY; Schema: a; Owner: b; Owner: c", "ROW SECURITY",
       "a; Owner: b", "x"},
      {"EXTENSION hstore; Type: COMMENT; Schema: -; Owner: ", "COMMENT", "",
       "EXTENSION hstore"},
      {"f(integer, \"odd; type\"); Type: FUNCTION; Schema: -- ; Owner: o; "
       "Tablespace: fast",
       "FUNCTION", "-- ", "f(integer, \"odd; type\")"},
      {"; Type: TYPE; Schema: \xc3\xa9; Owner: o", "TYPE", "\xc3\xa9", ""},
  };
  for (const auto& test : cases) {
    const DumpEntry entry = ParseEntry(test.line);
    EXPECT_EQ(entry.type, test.type) << test.line;
    EXPECT_EQ(entry.schema, test.schema) << test.line;
    EXPECT_EQ(entry.name, test.name) << test.line;
  }
}

TEST(ParseDumpScript, ReadsLinesOfAnyLength) {
  const std::string name = "f(" + std::string(100000, 'x') + ")";
  EXPECT_EQ(ParseEntry(name + "; Type: FUNCTION; Schema: s; Owner: o").name,
            name);
}

TEST(ParseDumpScript, TakesNothingInsideABodyForItsOwnLines) {
  const std::string body =
      "CREATE FUNCTION f() AS $_$\n"
      "--\n-- TOC entry 9 (class 1 OID 1)\n-- Name: x; Type: TABLE; Schema: s; "
      "Owner: o\n--\n"
      "\\unrestrict k3y\n"
      "-- PostgreSQL database dump complete\n"
      "SET default_tablespace = 'no';\n$_$;\n"
      "COMMENT ON FUNCTION f() IS '\n--\n-- TOC entry 10 (class 1 OID 1)\n';";
  const DumpScript script = Parse(
      Script(EntryText("f(); Type: FUNCTION; Schema: s; Owner: o", body)));
  ASSERT_EQ(script.entries.size(), 1u);
  EXPECT_EQ(script.entries[0].sql, body);
}

TEST(ParseDumpScript, GivesEveryEntryTheSettingsThatHoldThere) {
  const std::string name = "t; Type: TABLE; Schema: s; Owner: o";
  const DumpScript script =
      Parse(Script(EntryText(name, "A;") +
                   "SET default_tablespace = fast;\n\n"
                   "SET default_table_access_method = heap;\n\n" +
                   EntryText(name, "B;") + EntryText(name, "C;") +
                   "SET default_tablespace = '';\n\n" + EntryText(name, "D;")));
  std::vector<std::string> sql;
  for (const DumpEntry& entry : script.entries) sql.push_back(entry.sql);
  EXPECT_THAT(sql, ElementsAre("A;",
                               "SET default_tablespace = fast;\n"
                               "SET default_table_access_method = heap;\nB;",
                               "SET default_tablespace = fast;\n"
                               "SET default_table_access_method = heap;\nC;",
                               "SET default_tablespace = '';\n"
                               "SET default_table_access_method = heap;\nD;"));
}

TEST(ParseDumpScript, ReadsScriptsOfClientsThatDoNotRestrict) {
  const std::string script = absl::StrReplaceAll(
      Script(EntryText("t; Type: TABLE; Schema: s; Owner: o", "A;")),
      {{"\\restrict k3y\n", ""}, {"\\unrestrict k3y\n", ""}});
  EXPECT_EQ(Parse(script).entries.size(), 1u);
}

TEST(ParseDumpScript, SaysWhatIsWrongAndWhere) {
  const std::string name = "t; Type: TABLE; Schema: s; Owner: o";
  const struct {
    std::string script, error;
  } cases[] = {
      {"", "line 1: the script is cut off"},
      {std::string(kBegin), "line 13: the script is cut off"},
      {Script(EntryText("t", "A;")),
       "line 15: an entry's name can be read in several ways or in none"},
      {Script(EntryText("a; Type: TABLE; Schema: b; Type: VIEW; Schema: c; "
                        "Owner: d",
                        "A;")),
       "line 15: an entry's name can be read in several ways or in none"},
      {Script(EntryText(name, "A;", "7 (class x OID 1)")),
       "line 14: unreadable TOC entry"},
      {Script(EntryText(name, "A;", "7 (class 1 OID 1)",
                        "-- Dependencies: 1 x\n")),
       "line 15: unreadable dependencies"},
      {Script(EntryText(name, "A 'open")),
       "line 19: an open quote, or a backslash outside of quotes"},
      {Script(EntryText(name, "A \\gexec")),
       "line 19: an open quote, or a backslash outside of quotes"},
      {Script(EntryText(name, "\\connect x")), "line 19: a psql command"},
      {Script(EntryText(name, "\\restrict k3y")), "line 19: a psql command"},
      {Script(EntryText(name, "\\unrestrict k3y")), "line 19: a psql command"},
      {absl::StrReplaceAll(Script(""),
                           {{"\\unrestrict k3y", "\\unrestrict x"}}),
       "line 19: a psql command"},
      {absl::StrReplaceAll(Script(""), {{"\\unrestrict k3y\n", ""}}),
       "line 20: \\unrestrict is missing"},
      {Script("DROP TABLE t;\n"),
       "line 13: something other than a setting before the first entry"},
      {Script("") + "DROP TABLE t;\n", "line 21: text where none may be"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(ParseDumpScript(test.script),
                StatusIs(absl::StatusCode::kDataLoss,
                         "pg_restore's script, " + test.error));
  }
}

// Cut anywhere, it is never taken for a whole one.
TEST(ParseDumpScript, RejectsEveryProperPrefix) {
  const std::string script =
      Script(EntryText("t; Type: TABLE; Schema: s; Owner: o", "A 'x';") +
             EntryText("u; Type: INDEX; Schema: s; Owner: o", "B $$\n$$;"));
  const size_t whole = script.find("\\unrestrict k3y") + 15;
  for (size_t length = 0; length < whole; ++length) {
    EXPECT_FALSE(ParseDumpScript(script.substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace walferry
