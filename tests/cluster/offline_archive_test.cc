// RunArchiveMigration: an offline migration through an archive that is kept.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "engine/archive/manifest.h"
#include "protocol/status.h"
#include "tests/cluster/offline_archive_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

TEST_F(OfflineArchiveTest, MovesADatabaseInEveryFormat) {
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kCustom,
        ArchiveFormat::kPlain}) {
    SCOPED_TRACE(FormatName(format));
    ArchiveMigrationOptions options = Through();
    options.format = format;
    options.archive_folder =
        absl::StrCat(directory_->path(), "/", FormatName(format));
    std::filesystem::create_directory(options.archive_folder);
    options.migrate.drop_target_first = true;
    ASSERT_OK(OnTarget("CREATE TABLE theirs ()"));
    ASSERT_OK_AND_ASSIGN(const ArchiveMigrationReport done, Move(options));
    ExpectEqual();
    EXPECT_THAT(TargetValue("SELECT lo_get(7002)"),
                IsOkAndHolds("\\x0001ff5c22"));
    EXPECT_THAT(TargetValue("SELECT to_regclass('theirs') IS NULL"),
                IsOkAndHolds("t"));
    EXPECT_THAT(done.errors, IsEmpty());
    EXPECT_TRUE(done.report.offline);
    ASSERT_EQ(done.report.remarks.size(), 2u);
    const std::string& kept = done.report.remarks[0];
    EXPECT_THAT(kept, MatchesRegex("the archive is kept: .*/app-[0-9]{8}T"
                                   "[0-9]{6}Z"));
    EXPECT_OK(CheckManifest(kept.substr(kept.find('/')), {}));
    EXPECT_THAT(done.report.remarks[1],
                MatchesRegex("nothing that was written to the source since .* "
                             "UTC is on the target"));
  }
}

// Not after hours of dump.
TEST_F(OfflineArchiveTest, AsksTheTargetBeforeItDumps) {
  ASSERT_OK(OnTarget("CREATE TABLE unrelated (); CREATE ROLE mover LOGIN"));
  EXPECT_THAT(std::string(Move(Through()).status().message()),
              HasSubstr("target: database app is not empty: relation "
                        "unrelated"));
  EXPECT_THAT(Archives(), IsEmpty());
  ArchiveMigrationOptions options = Through();
  options.migrate.drop_target_first = true;
  {
    ASSERT_OK_AND_ASSIGN(SqlConnection other,
                         SqlConnection::Open(target_->ConnInfo("app")));
    EXPECT_THAT(std::string(Move(options).status().message()),
                HasSubstr("target: database app is in use and was not "
                          "dropped"));
    EXPECT_THAT(Archives(), IsEmpty());
  }
  {
    // Not each that calls itself so is one of this migration's own.
    ASSERT_OK_AND_ASSIGN(
        SqlConnection other,
        SqlConnection::Open(
            absl::StrCat(target_->ConnInfo("app"),
                         "?application_name=walferry%20another%3A%20copy")));
    EXPECT_THAT(std::string(Move(options).status().message()),
                HasSubstr("walferry another: copy, from 127.0.0.1"));
    EXPECT_THAT(Archives(), IsEmpty());
  }
  ASSERT_OK(OnTarget("DROP TABLE unrelated"));
  options.migrate.endpoints.target = source_->ConnInfo("app");
  EXPECT_THAT(Move(options).status().code(),
              absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Archives(), IsEmpty());
}

TEST_F(OfflineArchiveTest, CountsErrorsThatAreAllowed) {
  ArchiveMigrationOptions options = Through();
  const std::string clash =
      "CREATE TABLE IF NOT EXISTS notes (body text, extra int)";
  EXPECT_THAT(
      std::string(MoveAnd(options, Phase::kSchema, clash).status().message()),
      HasSubstr("relation \"notes\" already exists"));
  options.allow_errors = true;
  options.migrate.drop_target_first = true;
  options.archive_folder = absl::StrCat(directory_->path(), "/second");
  std::filesystem::create_directory(options.archive_folder);
  ASSERT_OK_AND_ASSIGN(const ArchiveMigrationReport done,
                       MoveAnd(options, Phase::kSchema, clash));
  ASSERT_EQ(done.errors.size(), 1u);
  EXPECT_EQ(done.errors[0].count, 1);
  EXPECT_THAT(done.report.remarks,
              Contains(AllOf(testing::StartsWith("1 error: "),
                             EndsWith("relation \"notes\" already exists"))));
  ExpectEqual();
}

TEST_F(OfflineArchiveTest, LooksForSpaceAndAtTheTargetFirst) {
  ArchiveMigrationOptions options = Through();
  options.disk_share = 2000000000;
  EXPECT_THAT(std::string(Move(options).status().message()),
              HasSubstr(" MiB free, but 2000000000% of the database's size"));
  options = Through();
  ASSERT_OK(OnTarget("CREATE TABLE notes ()"));
  EXPECT_THAT(std::string(Move(options).status().message()),
              HasSubstr("1 object of the source exist there already: "
                        "public.notes [target-not-empty]"));
  EXPECT_THAT(Archives(), IsEmpty());
}

TEST_F(OfflineArchiveTest, LeavesOutWhatIsNotWanted) {
  ArchiveMigrationOptions options = Through();
  options.migrate.scope.part = ScopePart::kSchema;
  options.migrate.scope.exclude_tables = {"tags"};
  ASSERT_OK_AND_ASSIGN(const ArchiveMigrationReport done, Move(options));
  EXPECT_THAT(TargetValue("SELECT (SELECT count(*) FROM accounts) + (SELECT "
                          "count(*) FROM pg_class WHERE relname = 'tags')"),
              IsOkAndHolds("0"));
  EXPECT_THAT(done.report.remarks,
              Contains("only the schema was carried (--schema-only)"));
}

TEST_F(OfflineArchiveTest, DropsNoDatabaseInWhichItHasBegunOtherwise) {
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ArchiveMigrationOptions options = Through();
  options.migrate.drop_target_first = true;
  const absl::Status status = Move(options).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "target: migration test has begun in database "
                               "app, which is not dropped"));
  EXPECT_EQ(HintOf(status),
            "go on with --via stream, or run `walferry cleanup` first");
  EXPECT_THAT(Archives(), IsEmpty());
  ASSERT_OK(Migrate(Options()));
  ExpectEqual();
}

// Who comes while the dump runs, and is not seen before it.
TEST_F(OfflineArchiveTest, EndsNoSessionOfOthers) {
  ASSERT_OK(OnTarget("CREATE TABLE theirs ()"));
  ArchiveMigrationOptions options = Through();
  options.migrate.drop_target_first = true;
  std::optional<SqlConnection> other;
  const absl::Status status =
      MoveAnd(options, Phase::kCheck, std::function<void()>([&] {
                absl::StatusOr<SqlConnection> opened =
                    SqlConnection::Open(target_->ConnInfo("app"));
                ASSERT_OK(opened);
                other.emplace(*std::move(opened));
              }))
          .status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("target: database app is in use and was not dropped"));
  ASSERT_TRUE(other.has_value());
  EXPECT_OK(other->QueryValue("SELECT 1"));
  EXPECT_OK(OnTarget("SELECT FROM theirs"));
  EXPECT_EQ(Archives().size(), 1u);
}

// A subscription that came along could begin to replicate.
TEST_F(OfflineArchiveTest, LeavesPublicationsAndSubscriptionsBehind) {
  ASSERT_OK(OnSource("CREATE PUBLICATION given FOR TABLE notes"));
  ASSERT_OK(
      OnSource("CREATE SUBSCRIPTION taken CONNECTION 'dbname=app' PUBLICATION "
               "p WITH (connect = false)"));
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kPlain}) {
    SCOPED_TRACE(FormatName(format));
    ArchiveMigrationOptions options = Through();
    options.format = format;
    options.archive_folder =
        absl::StrCat(directory_->path(), "/", FormatName(format));
    std::filesystem::create_directory(options.archive_folder);
    options.migrate.drop_target_first = true;
    ASSERT_OK(Move(options));
    EXPECT_THAT(Notices(), Contains("publications of the source are not "
                                    "carried: given"));
    EXPECT_THAT(Notices(), Contains(HasSubstr("subscriptions of the source are "
                                              "not carried: taken")));
    EXPECT_THAT(TargetValue("SELECT (SELECT count(*) FROM pg_publication) + "
                            "(SELECT count(*) FROM pg_subscription)"),
                IsOkAndHolds("0"));
  }
  // Of a script that somebody else has made they cannot be left out.
  ArchiveMigrationOptions options = Through();
  options.input = Dumped(
      "whole", [](DumpOptions& dump) { dump.format = ArchiveFormat::kPlain; });
  options.migrate.drop_target_first = true;
  EXPECT_THAT(Move(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(options.input,
                                    "/archive.sql creates a subscription, "
                                    "which would reach for another server")));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"),
              IsOkAndHolds("3000"));
}

}  // namespace
}  // namespace walferry
