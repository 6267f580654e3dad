#include "engine/archive/restore_errors.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

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
        [&](const RestoreError& error) { told.push_back(error); });
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
      [&](const RestoreError& error) { told.push_back(error); });
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
      [&](const RestoreError& error) { told.push_back(error); });
  EXPECT_THAT(
      Read(reader, told,
           "psql:/a:b/archive.sql:12: NOTICE:  nothing\n"
           "psql:/a:b/archive.sql:34: ERROR:  relation \"t\" does not exist\n"
           "LINE 1: SELECT\n",
           9),
      ElementsAre(RestoreError{"line 34", "relation \"t\" does not exist"}));
}

// It wants a value that an older server has without it.
TEST(RestoreErrors, DoNotCountASettingOfNewerServers) {
  RestoreErrorReader reader(
      [](const RestoreError& error) { ADD_FAILURE() << error.Text(); });
  reader.Add(
      "pg_restore: while INITIALIZING:\n"
      "pg_restore: error: could not execute query: ERROR:  unrecognized "
      "configuration parameter \"transaction_timeout\"\n"
      "Command was: SET transaction_timeout = 0;\n"
      "pg_restore: warning: errors ignored on restore: 1\n");
  reader.Finish();
  EXPECT_EQ(reader.count(), 0);
}

TEST(RestoreErrors, AreNoneInWarnings) {
  RestoreErrorReader reader({});
  reader.Add("pg_restore: warning: restored database lacks a schema\n");
  reader.Finish();
  EXPECT_EQ(reader.count(), 0);
  EXPECT_TRUE(reader.Kinds().empty());
}

TEST(ShapeOf, KeepsWhatIsTheSameInEveryCase) {
  EXPECT_EQ(ShapeOf("type \"public.t\" has 12 of 7 columns; DETAIL:  3"),
            "type \"...\" has N of N columns");
  EXPECT_EQ(ShapeOf("an open \"quote"), "an open \"quote");
}

}  // namespace
}  // namespace walferry
