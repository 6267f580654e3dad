// RunArchiveMigration: an offline migration through an archive that is kept.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/archive/archive_migration.h"
#include "engine/archive/archives.h"
#include "engine/archive/manifest.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class OfflineArchiveTest : public OfflineTest {
 protected:
  void SetUp() override {
    OfflineTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    ASSERT_OK(OnSource(
        "CREATE MATERIALIZED VIEW totals AS SELECT account, sum(amount) FROM "
        "orders GROUP BY 1; SELECT lo_from_bytea(7002, '\\x0001ff5c22')"));
  }

  ArchiveMigrationOptions Through() const {
    ArchiveMigrationOptions options{.migrate = Options()};
    options.archive_folder = directory_->path();
    options.disk_share = 0;
    return options;
  }

  absl::StatusOr<ArchiveMigrationReport> Move(
      const ArchiveMigrationOptions& options) {
    Control control;
    events_.emplace();
    return RunArchiveMigration(options, control, *events_);
  }

  // A folder with an archive of the source.
  template <typename Change>
  std::string Dumped(const std::string& name, Change change) {
    Control control;
    EventRecorder events;
    DumpOptions dump;
    dump.source = source_->ConnInfo("app");
    dump.output = absl::StrCat(directory_->path(), "/", name);
    dump.disk_share = 0;
    change(dump);
    EXPECT_OK(RunDump(dump, control, events));
    return dump.output;
  }

  std::vector<std::string> Archives() const {
    std::vector<std::string> paths;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_->path())) {
      paths.push_back(entry.path());
    }
    return paths;
  }

  // Acts once the dump is done, before the restore looks at anything.
  absl::StatusOr<ArchiveMigrationReport> MoveAnd(
      const ArchiveMigrationOptions& options, Phase phase,
      const std::string& sql_on_target) {
    bool dumped = false;
    Control control;
    EventHook events([&](const Event& event) {
      const auto* const notice = std::get_if<Notice>(&event);
      if (notice != nullptr && notice->text.starts_with("dumped to ")) {
        dumped = true;
      }
      const auto* const started = std::get_if<PhaseStarted>(&event);
      if (dumped && started != nullptr && started->phase == phase) {
        EXPECT_OK(OnTarget(sql_on_target));
      }
    });
    return RunArchiveMigration(options, control, events);
  }

  std::optional<TempDir> directory_;
};

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
    EXPECT_FALSE(OnTarget("SELECT FROM theirs").ok());
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

TEST_F(OfflineArchiveTest, TakesACompleteArchiveInsteadOfANewDump) {
  const absl::Status status =
      MoveAnd(Through(), Phase::kCheck, "CREATE TABLE theirs ()").status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("target: database app is not empty"));
  ASSERT_EQ(Archives().size(), 1u);
  const std::string archive = Archives().front();
  EXPECT_THAT(HintOf(status), EndsWith(absl::StrCat(
                                  "the archive is complete: --input ", archive,
                                  " takes it instead of a new dump")));
  ASSERT_OK(OnSource("INSERT INTO notes VALUES ('later', 1)"));
  ArchiveMigrationOptions again = Through();
  again.input = archive;
  again.migrate.drop_target_first = true;
  ASSERT_OK(Move(again));
  EXPECT_THAT(Notices(), Contains(absl::StrCat("taking ", archive,
                                               " instead of a new dump")));
  EXPECT_THAT(Archives(), ElementsAre(archive));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM notes WHERE body = 'later'"),
              IsOkAndHolds("0"));
  ASSERT_OK(OnSource("DELETE FROM notes WHERE body = 'later'"));
  ExpectEqual();
}

TEST_F(OfflineArchiveTest, TakesNoArchiveOfAnotherDatabase) {
  ASSERT_OK(source_->Exec("CREATE DATABASE other"));
  Control control;
  EventRecorder events;
  DumpOptions dump;
  dump.source = source_->ConnInfo("other");
  dump.output = absl::StrCat(directory_->path(), "/other");
  ASSERT_OK(RunDump(dump, control, events));
  ArchiveMigrationOptions options = Through();
  options.input = dump.output;
  EXPECT_THAT(Move(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("was made of database other of system ")));
}

// A part must not pass for all of it.
TEST_F(OfflineArchiveTest, TakesNoArchiveThatLacksRows) {
  const std::string schema =
      Dumped("schema", [](DumpOptions& dump) { dump.schema_only = true; });
  const std::string rows =
      Dumped("rows", [](DumpOptions& dump) { dump.data_only = true; });
  ArchiveMigrationOptions options = Through();
  options.input = schema;
  EXPECT_THAT(Move(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(schema,
                                    " was made with --schema-only: not "
                                    "of the whole database")));
  options.input = rows;
  EXPECT_THAT(Move(options), StatusIs(absl::StatusCode::kFailedPrecondition,
                                      HasSubstr(" was made with --data-only")));
  options.migrate.scope.part = ScopePart::kSchema;
  EXPECT_FALSE(Move(options).ok());
  options.input = schema;
  ASSERT_OK(Move(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"), IsOkAndHolds("0"));
}

TEST_F(OfflineArchiveTest, SaysWhatAnArchiveLacksThatWasNamed) {
  ArchiveMigrationOptions options = Through();
  options.input = Dumped("part", [](DumpOptions& dump) {
    dump.no_acl = true;
    dump.scope.exclude_tables = {"tags"};
    dump.scope.exclude_table_data = {"notes"};
  });
  options.migrate.no_acl = true;
  ASSERT_OK_AND_ASSIGN(const ArchiveMigrationReport done, Move(options));
  EXPECT_THAT(done.report.remarks,
              Contains("the archive was made with --exclude-table tags, "
                       "--exclude-table-data notes: not of the whole "
                       "database"));
}

// Of a script nothing can be left out any more.
TEST_F(OfflineArchiveTest, TakesAScriptOnlyAsItIs) {
  ArchiveMigrationOptions options = Through();
  options.input = Dumped(
      "whole", [](DumpOptions& dump) { dump.format = ArchiveFormat::kPlain; });
  options.migrate.scope.part = ScopePart::kSchema;
  options.migrate.no_owner = true;
  options.migrate.no_acl = true;
  EXPECT_THAT(Move(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(options.input,
                                    " is a plain script, restored as it is, "
                                    "and was not made with --schema-only, "
                                    "--no-owner, --no-acl")));
  EXPECT_FALSE(OnTarget("SELECT FROM accounts").ok());
  options.input = Dumped("bare", [](DumpOptions& dump) {
    dump.format = ArchiveFormat::kPlain;
    dump.schema_only = dump.no_owner = dump.no_acl = true;
  });
  ASSERT_OK(Move(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"), IsOkAndHolds("0"));
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
  ASSERT_OK(OnTarget("DROP TABLE unrelated"));
  options.migrate.endpoints.target = source_->ConnInfo("app");
  EXPECT_FALSE(Move(options).ok());
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

TEST_F(OfflineArchiveTest, EndsNoSessionOfOthers) {
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ArchiveMigrationOptions options = Through();
  options.migrate.drop_target_first = true;
  EXPECT_THAT(std::string(Move(options).status().message()),
              HasSubstr("target: database app is in use and was not dropped"));
  EXPECT_OK(other.QueryValue("SELECT 1"));
}

}  // namespace
}  // namespace walferry
