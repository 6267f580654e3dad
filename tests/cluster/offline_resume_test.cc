// An offline migration that goes on keeps what the source still has, and copies
// anew what was written meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// How far the copy came that is gone on with.
struct Halt {
  const char* name;
  const char* table;
  const char* condition;
};
constexpr Halt kHalts[] = {{"InATable", "accounts", "id < 2500"},
                           {"BetweenTables", "notes", "extra IS NULL"}};

class OfflineHaltTest : public OfflineTest,
                        public testing::WithParamInterface<Halt> {};

TEST_P(OfflineHaltTest, GoesOnAndCopiesNothingTwice) {
  ASSERT_NO_FATAL_FAILURE(
      FailInTheCopy(GetParam().table, GetParam().condition));
  constexpr char kFirstRow[] =
      "SELECT format('%s %s', ctid, xmin) FROM accounts WHERE id = 1";
  ASSERT_OK_AND_ASSIGN(const std::string row, TargetValue(kFirstRow));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(Notices(), Contains(HasSubstr("is still what the source has")));
  EXPECT_THAT(Notices(), Not(Contains(HasSubstr("is copied anew"))));
  EXPECT_THAT(TargetValue(kFirstRow), IsOkAndHolds(row));
}

INSTANTIATE_TEST_SUITE_P(Halts, OfflineHaltTest, testing::ValuesIn(kHalts),
                         [](const auto& halt) { return halt.param.name; });

struct Write {
  const char* name;
  const char* sql;
  const char* why;  // "": what was copied is kept.
};
constexpr Write kWrites[] = {
    {"Updated", "UPDATE accounts SET balance = 1 WHERE id = 1",
     "it was written to since"},
    {"Deleted", "DELETE FROM accounts WHERE id = 1", "it was written to since"},
    {"AsManyAsBefore",
     "DELETE FROM accounts WHERE id = 1; INSERT INTO accounts VALUES (1, 'a1', "
     "0, NULL)",
     "it was written to since"},
    {"InsertedWhereRowsWere",
     "DELETE FROM accounts WHERE id < 100; VACUUM accounts; INSERT INTO "
     "accounts SELECT i, 'b' || i, 0 FROM generate_series(1, 99) i",
     "it was written to since"},
    {"Rewritten", "VACUUM FULL accounts", "it was rewritten or truncated"},
    {"Truncated", "TRUNCATE accounts", "it was rewritten or truncated"},
    {"RolledBack",
     "BEGIN; UPDATE accounts SET balance = 5; INSERT INTO accounts VALUES (-1, "
     "'new', 0, NULL); ROLLBACK; INSERT INTO tags VALUES (1, 'other')",
     ""},
    {"Vacuumed", "VACUUM FREEZE accounts", ""}};

class OfflineWriteTest
    : public OfflineTest,
      public testing::WithParamInterface<std::tuple<Halt, Write>> {};

TEST_P(OfflineWriteTest, HoldsOneStateOfTheSource) {
  const auto& [halt, write] = GetParam();
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy(halt.table, halt.condition));
  ASSERT_OK_AND_ASSIGN(SqlConnection source,
                       SqlConnection::Open(source_->ConnInfo("app")));
  // One by one: VACUUM takes no company.
  for (const absl::string_view statement : absl::StrSplit(write.sql, ';')) {
    ASSERT_OK(source.Exec(std::string(statement)));
  }
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  if (*write.why == '\0') {
    EXPECT_THAT(Notices(), Not(Contains(HasSubstr("is copied anew"))));
  } else {
    EXPECT_THAT(Notices(),
                Contains(absl::StrCat("table public.accounts is copied anew: ",
                                      write.why)));
  }
}

INSTANTIATE_TEST_SUITE_P(Writes, OfflineWriteTest,
                         testing::Combine(testing::ValuesIn(kHalts),
                                          testing::ValuesIn(kWrites)),
                         [](const auto& param) {
                           return absl::StrCat(std::get<0>(param.param).name,
                                               std::get<1>(param.param).name);
                         });

// A transaction that runs when the copy's snapshot is taken is seen by none of
// it, whichever of its subtransactions has written.
TEST_F(OfflineTest, CopiesATableAnewThatASubtransactionWasWriting) {
  ASSERT_OK_AND_ASSIGN(SqlConnection writer,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(writer.Exec("BEGIN"));
  ASSERT_OK(writer.Exec("SELECT pg_current_xact_id()"));
  ASSERT_OK(
      writer.Exec("SAVEPOINT s; UPDATE accounts SET balance = 9 WHERE id = 1"));
  // Then the subtransaction's id lies before the snapshot's xmax.
  ASSERT_OK(OnSource("CREATE TABLE later (i int)"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_OK(writer.Exec("COMMIT"));
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
  EXPECT_THAT(TargetValue("SELECT balance FROM accounts WHERE id = 1"),
              IsOkAndHolds("9"));
  EXPECT_THAT(Notices(), Contains("table public.accounts is copied anew: it "
                                  "was written to since"));
}

// What CREATE EXTENSION has brought is not the copy's to remove.
TEST_F(OfflineTest, KeepsAnExtensionsOwnRowsWhenItsTableIsCopiedAnew) {
  constexpr char kConfig[] =
      "CREATE TABLE config (id int PRIMARY KEY, x text);"
      "ALTER EXTENSION plpgsql ADD TABLE config;"
      "UPDATE pg_extension SET extconfig = ARRAY['config'::regclass::oid], "
      "extcondition = ARRAY['WHERE id > 1000'] WHERE extname = 'plpgsql';"
      "INSERT INTO config SELECT i, 'own' FROM generate_series(1, 1000) i";
  ASSERT_OK(OnSource(kConfig));
  ASSERT_OK(OnTarget(kConfig));
  ASSERT_OK(
      OnSource("INSERT INTO config SELECT i, repeat('x', 100) FROM "
               "generate_series(1001, 9000) i"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  EXPECT_THAT(Copied("config"), IsOkAndHolds("8000"));
  ASSERT_OK(OnSource("UPDATE config SET x = 'y' WHERE id = 1001"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(), Contains("table public.config is copied anew: it was "
                                  "written to since"));
  constexpr char kRows[] =
      "SELECT string_agg(x || ' ' || n, ', ' ORDER BY length(x) DESC, x) FROM "
      "(SELECT left(x, 3) AS x, count(*) AS n FROM config GROUP BY 1) c";
  EXPECT_THAT(SourceValue(kRows), IsOkAndHolds("own 1000, xxx 7999, y 1"));
  EXPECT_THAT(TargetValue(kRows), IsOkAndHolds("own 1000, xxx 7999, y 1"));
}

}  // namespace
}  // namespace walferry
