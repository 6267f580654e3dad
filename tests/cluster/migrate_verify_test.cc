// `walferry migrate --mode offline --delay-table-data --verify` as a command:
// what it compares before clients may work on the target, and what behind them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/migration/migration.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kPatience = absl::Minutes(2);

// Table log is delayed.
constexpr char kTables[] = R"sql(
  CREATE TABLE victims (id int PRIMARY KEY, v text);
  INSERT INTO victims VALUES (1, 'a'), (2, NULL);
  CREATE TABLE log (id bigint PRIMARY KEY, line text);
  INSERT INTO log SELECT i, 'line ' || i FROM generate_series(1, 5000) i;
)sql";

// An index that takes a row away where it is built: from the target's table, as
// the source's gets it back.
constexpr char kPlanted[] = R"sql(
  CREATE FUNCTION plant() RETURNS int LANGUAGE plpgsql AS
    'BEGIN DELETE FROM public.victims WHERE id = 1; RETURN 1; END';
  CREATE FUNCTION bite(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM public.plant(); RETURN $1; END';
  CREATE TABLE bait AS SELECT 1 AS i;
  CREATE INDEX ON bait (bite(i));
  INSERT INTO victims VALUES (1, 'a');
)sql";

class MigrateVerifyTest : public AppTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(OnSource(kTables));
    old_ = absl::StrCat("127.0.0.1:", source_->port(), "/app");
    new_ = absl::StrCat("127.0.0.1:", target_->port(), "/app");
  }

  CommandResult Migrate(const std::string& method) const {
    absl::StatusOr<CommandResult> result = RunCommand(
        {.command = {WalferryBinary(), "migrate", "--mode", "offline", "--name",
                     "test", "--delay-table-data", "log", "--verify", method},
         .environment = {absl::StrCat("WALFERRY_SOURCE=",
                                      source_->ConnInfo("app")),
                         absl::StrCat("WALFERRY_TARGET=",
                                      target_->ConnInfo("app"))}},
        kPatience);
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : CommandResult{.exit_code = -1};
  }

  // "$0" is the source, "$1" the target.
  std::string Text(const std::string& format) const {
    return absl::Substitute(format, old_, new_);
  }

  std::string old_, new_;
};

TEST_F(MigrateVerifyTest, ComparesAllElseBeforeClientsComeAndLogBehindThem) {
  for (const std::string method : {"counts", "checksum"}) {
    const CommandResult result = Migrate(method);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const std::string equal = Text(
        method == "counts"
            ? "the tables of $0 and $1 have as many rows; what is in them was "
              "not compared; their schemas were not compared\n"
            : "all rows of $0 and $1 are the same; their schemas were not "
              "compared\n");
    EXPECT_THAT(result.output, HasSubstr("delayed tables: " + equal));
    const size_t before =
        result.output.find("but for delayed tables: " + equal);
    const size_t usable = result.output.find("the target can be used");
    if (method == "counts") {
      EXPECT_LT(before, usable);
      EXPECT_LT(usable, result.output.find("info    delayed tables: "));
    } else {
      // It is done: what clients may have changed since is not compared.
      EXPECT_EQ(before, std::string::npos);
    }
  }
}

// As another process finds it.
TEST_F(MigrateVerifyTest, TheLedgerTellsWhatWasFound) {
  ASSERT_OK(OnSource(kPlanted));
  EXPECT_EQ(Migrate("counts").exit_code, 1);
  Control control;
  const StatusOptions asked = {.target = target_->ConnInfo("app"),
                               .name = "test"};
  ASSERT_OK_AND_ASSIGN(MigrationStatus status, RunStatus(asked, control));
  EXPECT_EQ(status.comparison.state, ComparisonResult::State::kDifferent);
  EXPECT_EQ(status.comparison.method, VerifyMethod::kCounts);
  EXPECT_THAT(status.comparison.found,
              HasSubstr("but for delayed tables: " + new_ + " is not as "));
  ASSERT_OK(OnTarget("INSERT INTO victims VALUES (1, 'a')"));
  const CommandResult mended = Migrate("counts");
  EXPECT_EQ(mended.exit_code, 0) << mended.output;
  EXPECT_THAT(mended.output, HasSubstr("\n  compared           equal: the "
                                       "number of rows of each table, "));
  ASSERT_OK_AND_ASSIGN(status, RunStatus(asked, control));
  EXPECT_EQ(status.comparison.state, ComparisonResult::State::kEqual);
  EXPECT_EQ(status.comparison.found, "");
  ASSERT_TRUE(status.report.has_value());
  EXPECT_EQ(status.report->comparison.state, ComparisonResult::State::kEqual);
  // Nothing is noted of another migration of the same name.
  const Endpoints endpoints = {.target = asked.target, .name = asked.name};
  const ComparisonNote note = {
      .result = {.state = ComparisonResult::State::kDifferent,
                 .method = VerifyMethod::kCounts,
                 .found = "all"},
      .begun = status.report->begun + absl::Seconds(1)};
  EXPECT_THAT(NoteComparison(endpoints, note, control),
              StatusIs(absl::StatusCode::kAborted,
                       "the migration that was compared is not there any "
                       "more"));
  // One that cannot be read is in nobody's way.
  ASSERT_OK(OnTarget("UPDATE walferry.migration SET comparison = '?'"));
  ASSERT_OK_AND_ASSIGN(status, RunStatus(asked, control));
  EXPECT_EQ(status.comparison.state, ComparisonResult::State::kUnknown);
  EXPECT_THAT(status.comparison.found,
              HasSubstr("what the ledger has of it cannot be read: "));
}

TEST_F(MigrateVerifyTest, KeepsClientsOutIfAnythingElseDiffers) {
  ASSERT_OK(OnSource(kPlanted));
  const CommandResult result = Migrate("checksum");
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("public.victims: 1 row missing on the target; 2 rows "
                        "on the source, 1 on the target\n"));
  EXPECT_THAT(
      result.output,
      EndsWith(Text(
          "walferry: error: but for delayed tables: $1 is not as $0: 1 row in "
          "1 of 2 tables; clients were not told that they may work on it\n"
          "walferry: hint: walferry verify names the rows; what was written to "
          "the source since its rows were read is not on the target; the same "
          "command compares again, and with --verify off it lets clients in as "
          "it is\n")));
  EXPECT_THAT(result.output, Not(HasSubstr("the target can be used")));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM log"), IsOkAndHolds("0"));
  // Mended.
  ASSERT_OK(OnTarget("INSERT INTO victims VALUES (1, 'a')"));
  const CommandResult again = Migrate("checksum");
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("the target can be used"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM log"), IsOkAndHolds("5000"));
}

TEST_F(MigrateVerifyTest, LetsClientsInAsItIsIfNothingIsCompared) {
  ASSERT_OK(OnSource(kPlanted));
  EXPECT_EQ(Migrate("counts").exit_code, 1);
  const CommandResult result = Migrate("off");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the target can be used"));
  // That nobody looked again does not make it equal.
  EXPECT_THAT(result.output, HasSubstr("\n  compared           different: but "
                                       "for delayed tables: "));
  EXPECT_THAT(result.output, Not(HasSubstr("verify: started")));
}

// The view is filled behind the delayed rows, as clients write.
TEST_F(MigrateVerifyTest, TellsHowManyRowsClientsHaveAdded) {
  ASSERT_OK(OnSource(R"sql(
    CREATE FUNCTION client() RETURNS int LANGUAGE plpgsql AS
      'BEGIN INSERT INTO public.log VALUES (-1, $$x$$), (9000, $$y$$);
       RETURN 1; END';
    CREATE MATERIALIZED VIEW late AS SELECT public.client(), count(*) FROM log;
    DELETE FROM log WHERE id IN (-1, 9000);
  )sql"));
  const std::string clients =
      "delayed tables, but for 2 rows that clients have added: ";
  const CommandResult result = Migrate("checksum");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr(clients + Text("all rows of $0 and $1 are the same")));
  const CommandResult counted = Migrate("counts");
  EXPECT_EQ(counted.exit_code, 0) << counted.output;
  EXPECT_THAT(counted.output,
              HasSubstr(clients + Text("the tables of $0 and $1 have as many "
                                       "rows")));
}

TEST_F(MigrateVerifyTest, NamesWhatClientsHaveTakenFromDelayedTables) {
  ASSERT_EQ(Migrate("off").exit_code, 0);
  ASSERT_OK(
      OnTarget("DELETE FROM log WHERE id = 17;"
               "UPDATE log SET line = 'other' WHERE id = 18;"
               "INSERT INTO log SELECT -i FROM generate_series(1, 30) i;"
               "CREATE TABLE of_clients (i int); DROP TABLE victims"));
  const CommandResult result = Migrate("checksum");
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("public.log: 1 row missing on the target, 1 row "
                        "different; 5,000 rows on the source, 5,029 on the "
                        "target\n"));
  EXPECT_THAT(
      result.output,
      HasSubstr(Text("walferry: error: but for its delayed tables it was not "
                     "compared before clients came; delayed tables, but for 30 "
                     "rows that clients have added: $1 is not as $0: 2 rows in "
                     "1 of 1 table\n")));
  // Counting sees rows that are missing only by their number.
  EXPECT_EQ(Migrate("counts").exit_code, 0);
  ASSERT_OK(OnTarget("DELETE FROM log WHERE id < 0"));
  const CommandResult counted = Migrate("counts");
  EXPECT_EQ(counted.exit_code, 3) << counted.output;
  EXPECT_THAT(counted.output, HasSubstr("public.log: 5,000 rows on the source, "
                                        "4,999 on the target"));
}

}  // namespace
}  // namespace walferry
