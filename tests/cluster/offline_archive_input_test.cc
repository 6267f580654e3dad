// RunArchiveMigration with an archive that is there: whether it is the one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "engine/archive/manifest.h"
#include "protocol/status.h"
#include "tests/cluster/offline_archive_fixture.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

using OfflineArchiveInputTest = OfflineArchiveTest;

TEST_F(OfflineArchiveInputTest, TakesACompleteArchiveInsteadOfANewDump) {
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

TEST_F(OfflineArchiveInputTest, TakesNoArchiveOfAnotherDatabase) {
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
TEST_F(OfflineArchiveInputTest, TakesNoArchiveThatLacksRows) {
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
  EXPECT_THAT(Move(options), StatusIs(absl::StatusCode::kFailedPrecondition,
                                      HasSubstr(" was made with --data-only")));
  options.input = schema;
  ASSERT_OK(Move(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"), IsOkAndHolds("0"));
}

TEST_F(OfflineArchiveInputTest, SaysWhatAnArchiveLacksThatWasNamed) {
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
TEST_F(OfflineArchiveInputTest, TakesAScriptOnlyAsItIs) {
  ArchiveMigrationOptions options = Through();
  options.input = Dumped(
      "whole", [](DumpOptions& dump) { dump.format = ArchiveFormat::kPlain; });
  options.migrate.scope.part = ScopePart::kSchema;
  options.migrate.no_owner = true;
  options.migrate.no_acl = true;
  EXPECT_THAT(Move(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(options.input,
                                    "/archive.sql is a plain script, restored "
                                    "as it is, "
                                    "and was not made with --schema-only, "
                                    "--no-owner, --no-acl")));
  EXPECT_THAT(TargetValue("SELECT to_regclass('accounts') IS NULL"),
              IsOkAndHolds("t"));
  options.migrate = Through().migrate;
  options.allow_errors = true;
  EXPECT_THAT(Move(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(options.input,
                                    "/archive.sql is a plain script, which "
                                    "ends at its first error")));
  options = Through();
  options.migrate.scope.part = ScopePart::kSchema;
  options.migrate.no_owner = true;
  options.migrate.no_acl = true;
  options.input = Dumped("bare", [](DumpOptions& dump) {
    dump.format = ArchiveFormat::kPlain;
    dump.schema_only = dump.no_owner = dump.no_acl = true;
  });
  ASSERT_OK(Move(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM accounts"), IsOkAndHolds("0"));
}

// The same command would fail again with what is damaged.
TEST_F(OfflineArchiveInputTest, OffersNoDamagedArchiveAgain) {
  ArchiveMigrationOptions options = Through();
  options.input = Dumped(
      "bad", [](DumpOptions& dump) { dump.format = ArchiveFormat::kCustom; });
  std::ofstream(options.input + "/archive.dump", std::ios::app) << "more";
  const absl::Status status = Move(options).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                               absl::StrCat("archive ", options.input,
                                            " is not what its manifest says: "
                                            "archive.dump was changed")));
  EXPECT_EQ(HintOf(status),
            "nothing was restored: take another archive; this archive cannot "
            "be relied on: without --input, the same command makes a new one");
}

TEST_F(OfflineArchiveInputTest, SaysWhereTheServerOfAnArchiveIsNotKnown) {
  ArchiveMigrationOptions options = Through();
  options.input = Dumped("unknown", [](DumpOptions&) {});
  const std::string facts = options.input + "/walferry.json";
  const std::string text = ReadFile(facts);
  ASSERT_OK_AND_ASSIGN(
      const std::string system,
      SourceValue("SELECT system_identifier FROM pg_control_system()"));
  std::ofstream(facts) << absl::StrReplaceAll(text, {{system, ""}});
  ASSERT_OK_AND_ASSIGN(const std::vector<ManifestEntry> entries,
                       DigestFolder(options.input, {}));
  std::ofstream(options.input + "/" + kManifestName) << FormatManifest(entries);
  ASSERT_OK(Move(options));
  EXPECT_THAT(Notices(),
              Contains(absl::StrCat(
                  options.input,
                  " was made of a database app: whether it is the source's "
                  "cannot be told, as a role may not call "
                  "pg_control_system()")));
}

}  // namespace
}  // namespace walferry
