// Restores of plain scripts, of which psql runs every line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/status.h"
#include "tests/cluster/archive_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/read_file.h"

namespace walferry {
namespace {

using ::testing::StartsWith;

class ArchiveScriptTest : public ArchiveTest {
 protected:
  std::string Script() const { return Path("plain/archive.sql"); }

  // Its text's line, from 1.
  int LineOf(const std::string& text) const {
    const std::string script = ReadFile(Script());
    const size_t at = script.find(text);
    EXPECT_NE(at, std::string::npos);
    return 1 + static_cast<int>(std::count(
                   script.begin(), script.begin() + static_cast<ptrdiff_t>(at),
                   '\n'));
  }
};

TEST_F(ArchiveScriptTest, RunsNoRowsAsSqlAfterACopyThatFailed) {
  ASSERT_OK(
      OnSource("CREATE TABLE texts (t text); INSERT INTO texts SELECT "
               "'CREATE TABLE IF NOT EXISTS public.stowaway ();' FROM "
               "generate_series(1, 2000)"));
  ASSERT_OK(Run(Dump(ArchiveFormat::kPlain)));
  Rewrite(Path("plain"), "archive.sql", "COPY public.texts", "COPY missing");
  EXPECT_THAT(Run(Restore(Path("plain"))),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("restore: line ", LineOf("COPY missing"),
                                    ": relation \"missing\" does not "
                                    "exist")));
  EXPECT_THAT(TargetValue("SELECT to_regclass('public.texts') IS NOT NULL AND "
                          "to_regclass('public.stowaway') IS NULL"),
              IsOkAndHolds("t"));
}

// As pg_dump writes it from 17 on.
TEST_F(ArchiveScriptTest, SetsNothingThatAnOlderServerDoesNotKnow) {
  if (target_->major_version() >= 17) GTEST_SKIP() << "it knows the setting";
  ASSERT_OK(Run(Dump(ArchiveFormat::kPlain)));
  const std::string idle = "SET idle_in_transaction_session_timeout = 0;\n";
  Rewrite(Path("plain"), "archive.sql", idle,
          absl::StrCat(idle, "SET transaction_timeout = 0;\n"));
  ASSERT_OK(Run(Restore(Path("plain"))));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  Rewrite(Path("plain"), "archive.sql", "COPY public.orders", "COPY missing");
  RestoreOptions options = Restore(Path("plain"));
  options.drop_target_first = true;
  EXPECT_THAT(Run(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("restore: line ", LineOf("COPY missing"),
                                    ": relation \"missing\" does not "
                                    "exist")));
}

TEST_F(ArchiveScriptTest, GoesOnAfterNoError) {
  ASSERT_OK(Run(Dump(ArchiveFormat::kPlain)));
  ASSERT_OK(OnTarget("CREATE TABLE kept ()"));
  RestoreOptions options = Restore(Path("plain"));
  options.allow_errors = true;
  options.drop_target_first = true;
  EXPECT_THAT(
      Run(options),
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          absl::StrCat(Script(),
                       " is a plain script, which ends at its first error")));
  EXPECT_OK(OnTarget("SELECT FROM kept"));
}

TEST_F(ArchiveScriptTest, OfRowsGoesIntoTablesThatAreThere) {
  ASSERT_OK(Run(Dump()));
  RestoreOptions schema = Restore(Path("directory"));
  schema.schema_only = true;
  ASSERT_OK(Run(schema));
  ASSERT_OK(OnTarget("ALTER TABLE orders DROP CONSTRAINT late"));
  DumpOptions dump = Dump(ArchiveFormat::kPlain);
  dump.data_only = true;
  ASSERT_OK(Run(dump));
  RestoreOptions rows = Restore(Path("plain"));
  EXPECT_THAT(Run(rows),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(Script(),
                                    " was made with --data-only: it makes no "
                                    "tables")));
  rows.data_only = true;
  ASSERT_OK(Run(rows));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM orders"), IsOkAndHolds("3000"));
  // Again they collide, and nothing is to be dropped for them.
  EXPECT_EQ(HintOf(Run(rows).status()),
            "the tables may hold a part of the archive's rows: empty them "
            "before they are restored again");
}

TEST_F(ArchiveScriptTest, TellsWarningsAndHowManyMore) {
  ASSERT_OK(
      OnSource("CREATE FUNCTION careful() RETURNS bool LANGUAGE plpgsql AS "
               "$$BEGIN RAISE WARNING 'careful'; RETURN true; END$$;"
               "CREATE TABLE odd (i int CHECK (public.careful()));"
               "INSERT INTO odd SELECT generate_series(1, 60)"));
  ASSERT_OK(Run(Dump(ArchiveFormat::kPlain)));
  ASSERT_OK(Run(Restore(Path("plain"))));
  std::vector<std::string> told;
  for (const Notice& notice : events_.All<Notice>()) {
    if (notice.level == Notice::Level::kWarning) told.push_back(notice.text);
  }
  ASSERT_EQ(told.size(), 51u);
  EXPECT_THAT(told.front(), StartsWith("psql: line "));
  EXPECT_THAT(told.front(), ::testing::EndsWith(": careful"));
  EXPECT_EQ(told.back(), "psql: and 10 more warnings");
}

}  // namespace
}  // namespace walferry
