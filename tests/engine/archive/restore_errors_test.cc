#include "engine/archive/restore_errors.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using Program = RestoreErrorReader::Program;

constexpr char kComplaints[] =
    "pg_restore: while PROCESSING TOC:\n"
    "pg_restore: from TOC entry 215; 1259 16385 TABLE orders bob\n"
    "pg_restore: error: could not execute query: ERROR:  role \"bob\" does not "
    "exist\n"
    "Command was: ALTER TABLE public.orders\n"
    "  OWNER TO bob; -- pg_restore: error: no error\n"
    "HINT:  none\n"
    "\n"
    "pg_restore: from TOC entry 216; 1259 16386 TABLE items eve\n"
    "pg_restore: error: could not execute query: ERROR:  role \"eve\" does not "
    "exist\n"
    "Command was: ALTER TABLE public.items OWNER TO eve;\n"
    "\n"
    "pg_restore: from TOC entry 3300; 0 16386 TABLE DATA items eve\n"
    "pg_restore: error: COPY failed for table \"items\": ERROR:  duplicate key "
    "value violates unique constraint \"items_pkey\"\n"
    "DETAIL:  Key (id)=(7) already exists.\n"
    "CONTEXT:  COPY items, line 8\n"
    "pg_restore: warning: errors ignored on restore: 3\n";

std::vector<RestoreError> Read(RestoreErrorReader& reader,
                               std::vector<RestoreError>& told,
                               absl::string_view text, size_t piece) {
  for (size_t at = 0; at < text.size(); at += piece) {
    reader.Add(text.substr(at, piece));
  }
  reader.Finish();
  return told;
}

TEST(RestoreErrors, AreToldOneByOneAndCountedByKind) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{100000}}) {
    std::vector<RestoreError> told;
    RestoreErrorReader reader(
        Program::kPgRestore,
        {.on_error = [&](const RestoreError& error) { told.push_back(error); },
         .on_warning = {}});
    EXPECT_THAT(
        Read(reader, told, kComplaints, piece),
        ElementsAre(
            RestoreError{"TABLE orders bob", "role \"bob\" does not exist"},
            RestoreError{"TABLE items eve", "role \"eve\" does not exist"},
            RestoreError{
                "TABLE DATA items eve",
                "COPY failed for table \"items\": ERROR:  duplicate key value "
                "violates unique constraint \"items_pkey\"; DETAIL:  Key "
                "(id)=(7) already exists.; CONTEXT:  COPY items, line 8"}));
    EXPECT_EQ(reader.count(), 3);
    EXPECT_THAT(
        reader.Kinds(),
        ElementsAre(
            RestoreErrorKind{"role \"...\" does not exist", 2, told[0]},
            RestoreErrorKind{"COPY failed for table \"...\": ERROR:  duplicate "
                             "key value violates unique constraint \"...\"",
                             1, told[2]}));
  }
}

// As pg_restore speaks unless it is told to be verbose.
TEST(RestoreErrors, NameTheStatementWhereNoEntryIsNamed) {
  std::vector<RestoreError> told;
  RestoreErrorReader reader(
      Program::kPgRestore,
      {.on_error = [&](const RestoreError& error) { told.push_back(error); },
       .on_warning = {}});
  const std::string wide(120, 'x');
  EXPECT_THAT(
      Read(reader, told,
           "pg_restore: error: could not execute query: ERROR:  role \"bob\" "
           "does not exist\n"
           "Command was: ALTER TABLE public.orders OWNER TO bob;\n"
           "\n"
           "pg_restore: error: could not execute query: ERROR:  type \"m\" "
           "does not exist\n"
           "LINE 2:     a m\n"
           "Command was: CREATE TABLE public.t (\n    a m\n);\n\n"
           "pg_restore: error: could not execute query: ERROR:  no\n"
           "Command was: " +
               wide + "\n",
           9),
      ElementsAre(
          RestoreError{"ALTER TABLE public.orders OWNER TO bob",
                       "role \"bob\" does not exist"},
          RestoreError{"CREATE TABLE public.t", "type \"m\" does not exist"},
          RestoreError{wide.substr(0, 100) + "...", "no"}));
}

TEST(RestoreErrors, AreReadFromPsqlToo) {
  std::vector<RestoreError> told;
  RestoreErrorReader reader(
      Program::kPsql,
      {.on_error = [&](const RestoreError& error) { told.push_back(error); },
       .on_warning = {}});
  EXPECT_THAT(
      Read(reader, told,
           "psql:/a:b/archive.sql:12: NOTICE:  00000: nothing\n"
           "DETAIL:  psql:/a:b/archive.sql:12: all is well\n"
           "LOCATION:  exec_stmt_raise, pl_exec.c:3918\n"
           "psql:/a:b/archive.sql:34: ERROR:  42P01: relation \"t\" does not "
           "exist\n"
           "LINE 1: SELECT\n"
           "LOCATION:  parserOpenTable, parse_relation.c:1381\n"
           "psql:/a:b/archive.sql:34: STATEMENT:  SELECT FROM t;\n"
           "-- psql: error: none\n"
           "\n"
           "psql:/a:b/archive.sql:35: warning: extra argument ignored\n"
           "psql:/a:b/archive.sql:36: error: connection to server was lost\n",
           9),
      ElementsAre(RestoreError{"line 34", "relation \"t\" does not exist"},
                  RestoreError{"line 36", "connection to server was lost"}));
}

// A server says severities and messages in the language of its lc_messages.
TEST(RestoreErrors, AreKnownInAnyLanguage) {
  constexpr char kOfPsql[] =
      "psql:/a/archive.sql:8: HINWEIS:  00000: Relation existiert bereits\n"
      "LOCATION:  transformCreateStmt, parse_utilcmd.c:207\n"
      "psql:/a/archive.sql:9: FEHLER:  42704: nicht erkannter "
      "Konfigurationsparameter \xc2\xbbtransaction_timeout\xc2\xab\n"
      "LOCATION:  find_option, guc.c:5707\n"
      "psql:/a/archive.sql:9: STATEMENT:  SET transaction_timeout = 0;\n"
      "psql:/a/archive.sql:34: FEHLER:  42704: Rolle \xc2\xbb"
      "ada\xc2\xab existiert nicht\n"
      "LOCATION:  get_role_oid, acl.c:5211\n"
      "psql:/a/archive.sql:34: STATEMENT:  ALTER TABLE t OWNER TO ada;\n"
      "psql:/a/archive.sql:40: \xd0\x9e\xd0\xa8:  00000: odd\n"
      "psql:/a/archive.sql:40: STATEMENT:  SELECT odd();\n"
      "psql:/a/archive.sql:41: what nobody knows\n";
  std::vector<RestoreError> told;
  RestoreErrorReader of_psql(
      Program::kPsql,
      {.on_error = [&](const RestoreError& error) { told.push_back(error); },
       .on_warning = {}});
  EXPECT_THAT(Read(of_psql, told, kOfPsql, 11),
              ElementsAre(RestoreError{"line 34",
                                       "Rolle \xc2\xbb"
                                       "ada\xc2\xab existiert nicht"},
                          RestoreError{"line 40", "odd"},
                          RestoreError{"line 41", "what nobody knows"}));
  told.clear();
  RestoreErrorReader of_pg_restore(
      Program::kPgRestore,
      {.on_error = [&](const RestoreError& error) { told.push_back(error); },
       .on_warning = {}});
  EXPECT_THAT(
      Read(of_pg_restore, told,
           "pg_restore: while INITIALIZING:\n"
           "pg_restore: error: could not execute query: FEHLER:  nicht "
           "erkannter Konfigurationsparameter "
           "\xc2\xbbtransaction_timeout\xc2\xab\n"
           "Command was: SET transaction_timeout = 0;\n"
           "pg_restore: while PROCESSING TOC:\n"
           "pg_restore: from TOC entry 215; 1259 16385 TABLE t ada\n"
           "pg_restore: error: could not execute query: FEHLER:  Rolle "
           "existiert nicht\n"
           "Command was: ALTER TABLE public.t OWNER TO ada;\n"
           "\n"
           "pg_restore: warning: errors ignored on restore: 2\n",
           13),
      ElementsAre(RestoreError{"TABLE t ada", "Rolle existiert nicht"}));
}

// Of psql nothing else would tell that something is wrong.
TEST(RestoreErrors, AreWhatPsqlSaysUnlessItIsKnownToBeNone) {
  RestoreErrorReader of_psql(Program::kPsql, {});
  of_psql.Add("psql: /lib/libpq.so.5: no version information\n");
  of_psql.Add("it speaks\n");
  of_psql.Finish();
  EXPECT_EQ(of_psql.count(), 1);
  of_psql.Add("it speaks\n");
  of_psql.Finish();
  EXPECT_EQ(of_psql.count(), 2);
  RestoreErrorReader of_pg_restore(Program::kPgRestore, {});
  of_pg_restore.Add("it speaks\n");
  of_pg_restore.Finish();
  EXPECT_EQ(of_pg_restore.count(), 0);
}

TEST(RestoreErrors, AreComparedWithWhatPgRestoreHasCounted) {
  RestoreErrorReader reader(Program::kPgRestore, {});
  reader.Add(kComplaints);
  const RestoreErrorCounts counts = reader.Finish();
  EXPECT_EQ(counts, (RestoreErrorCounts{.read = 3, .ignored = 3}));
  EXPECT_OK(CompareErrorCounts(counts, 1, 1));
  EXPECT_OK(CompareErrorCounts({.read = 3, .ignored = 2}, 1, 4));
  EXPECT_OK(CompareErrorCounts({}, 0, 1));
  // It ended at an error, and not by coming to its end.
  EXPECT_OK(CompareErrorCounts({.read = 1, .ignored = {}}, 1, 1));
  for (const int jobs : {1, 4}) {
    EXPECT_THAT(CompareErrorCounts({.read = 3, .ignored = 4}, 1, jobs),
                StatusIs(absl::StatusCode::kInternal,
                         "pg_restore says that it went on after 4 errors, but "
                         "3 could be read of it"));
  }
  EXPECT_THAT(CompareErrorCounts({.read = 3, .ignored = 1}, 1, 1),
              StatusIs(absl::StatusCode::kInternal,
                       "pg_restore says that it went on after 1 error, but 3 "
                       "could be read of it"));
  EXPECT_FALSE(CompareErrorCounts({.read = 1, .ignored = {}}, 0, 1).ok());
  EXPECT_THAT(reader.Finish(), RestoreErrorCounts{});
}

// It wants a value that an older server has without it.
TEST(RestoreErrors, DoNotCountASettingOfNewerServers) {
  RestoreErrorReader reader(
      Program::kPgRestore,
      {.on_error =
           [](const RestoreError& error) { ADD_FAILURE() << error.Text(); },
       .on_warning = {}});
  reader.Add(
      "pg_restore: while INITIALIZING:\n"
      "pg_restore: error: could not execute query: ERROR:  unrecognized "
      "configuration parameter \"transaction_timeout\"\n"
      "Command was: SET transaction_timeout = 0;\n"
      "pg_restore: warning: errors ignored on restore: 1\n");
  reader.Finish();
  EXPECT_EQ(reader.count(), 0);
}

TEST(RestoreErrors, AreNoneInWarningsWhichAreTold) {
  std::vector<std::string> warnings;
  const RestoreErrorReader::Listener listener = {
      .on_error =
          [](const RestoreError& error) { ADD_FAILURE() << error.Text(); },
      .on_warning = [&](const std::string& text) { warnings.push_back(text); }};
  RestoreErrorReader of_pg_restore(Program::kPgRestore, listener);
  of_pg_restore.Add(
      "pg_restore: warning: restored database lacks a schema\n"
      "pg_restore: warning: errors ignored on restore: 1\n");
  of_pg_restore.Finish();
  EXPECT_EQ(of_pg_restore.count(), 0);
  EXPECT_TRUE(of_pg_restore.Kinds().empty());
  RestoreErrorReader of_psql(Program::kPsql, listener);
  of_psql.SkipLines(100);
  of_psql.Add(
      "psql:<stdin>:8: HINWEIS:  00000: Relation existiert bereits\n"
      "psql:<stdin>:9: WARNUNG:  01000: es regnet\n"
      "DETAIL:  seit gestern\n"
      "LOCATION:  exec_stmt_raise, pl_exec.c:3918\n"
      "psql:<stdin>:10: warning: extra argument ignored\n");
  of_psql.Finish();
  EXPECT_THAT(warnings,
              ElementsAre("restored database lacks a schema",
                          "line 109: es regnet; DETAIL:  seit gestern",
                          "line 110: extra argument ignored"));
}

TEST(RestoreErrorKind, SaysWhatItIsAFewOf) {
  RestoreErrorKind kind = {"role \"...\" does not exist",
                           1,
                           {"TABLE t bob", "role \"bob\" does not exist"}};
  EXPECT_EQ(kind.Text(), "TABLE t bob: role \"bob\" does not exist");
  kind.count = 2;
  EXPECT_EQ(kind.Text(), "role \"...\" does not exist, first of TABLE t bob");
}

TEST(ShapeOf, KeepsWhatIsTheSameInEveryCase) {
  EXPECT_EQ(ShapeOf("type \"public.t\" has 12 of 7 columns; DETAIL:  3"),
            "type \"...\" has N of N columns");
  EXPECT_EQ(ShapeOf("an open \"quote"), "an open \"quote");
}

}  // namespace
}  // namespace walferry
