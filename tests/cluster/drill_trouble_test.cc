// Drills of what is no whole archive, and drills that go wrong themselves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <variant>

#include "protocol/status.h"
#include "tests/cluster/drill_fixture.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/faulty_link.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DrillTroubleTest : public DrillTest {
 protected:
  // The scratch database, while there is one.
  std::string Scratch() const {
    return target_
        ->QueryValue(
            "SELECT datname FROM pg_database"
            " WHERE datname LIKE 'walferry_drill%'")
        .value_or("?");
  }

  static void FlipTheFirstByte(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(0);
    file.put(byte);
  }
};

TEST_F(DrillTroubleTest, FailsAPartOfADatabaseUnlessItIsAllowed) {
  DumpOptions dump = Dump();
  dump.schema_only = true;
  dump.scope.exclude_tables = {"parts"};
  ASSERT_OK(Run(dump));
  const std::string found =
      "made with --schema-only, --exclude-table parts: not of the whole "
      "database";
  DrillOptions options = Drill(dump.output);
  ASSERT_OK_AND_ASSIGN(DrillReport report, Run(options));
  EXPECT_TRUE(report.found_faults());
  EXPECT_THAT(Lines(report),
              ElementsAre("failed whole: " + found +
                          "; --allow-partial drills what is in it"));
  options.allow_partial = true;
  ASSERT_OK_AND_ASSIGN(report, Run(options));
  EXPECT_TRUE(report.passed()) << ::testing::PrintToString(Lines(report));
  EXPECT_EQ(Lines(report).front(),
            "skipped whole: " + found + ", so nothing is proved of the rest");
  // A restore says so, too.
  ASSERT_OK(Run(Restore(dump.output)));
  std::vector<std::string> told;
  for (const Notice& notice : events_.All<Notice>()) {
    told.push_back(notice.text);
  }
  EXPECT_THAT(told, Contains("the archive was " + found));
}

TEST_F(DrillTroubleTest, LeavesNothingOutOfAScript) {
  ASSERT_OK(Run(Dump(ArchiveFormat::kPlain)));
  DrillOptions drill = Drill(Path("plain"));
  drill.no_owner = true;
  drill.no_acl = true;
  EXPECT_THAT(Run(drill),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(Path("plain/archive.sql"),
                                    " is a plain script, restored as it is, "
                                    "and was not made with --no-owner, "
                                    "--no-acl")));
  EXPECT_EQ(ScratchDatabases(), "0");
}

TEST_F(DrillTroubleTest, SaysWhatAFreshDumpLeavesOut) {
  DrillOptions options = Drill("");
  options.source = source_->ConnInfo("app");
  options.scope.exclude_table_data = {"orders"};
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  EXPECT_EQ(Lines(report).front(),
            "skipped whole: made with --exclude-table-data orders: not of the "
            "whole database, so nothing is proved of the rest");
}

TEST_F(DrillTroubleTest, FailsAnOldArchive) {
  ASSERT_OK(Run(Dump()));
  DrillOptions options = Drill(Path("directory"));
  options.max_age = absl::Nanoseconds(1);
  ASSERT_OK_AND_ASSIGN(DrillReport report, Run(options));
  EXPECT_THAT(Lines(report).back(),
              ::testing::MatchesRegex("failed age: .* old, and --max-age is "
                                      "1ns"));
  options.max_age = absl::Hours(1);
  ASSERT_OK_AND_ASSIGN(report, Run(options));
  EXPECT_TRUE(report.passed());
}

// Whatever is damaged: it is a finding, and not an error of the drill.
TEST_F(DrillTroubleTest, FindsAFlippedByteAtAnyBeginning) {
  const auto found = [&](ArchiveFormat format, const std::string& file) {
    std::filesystem::remove_all(Path(std::string(FormatName(format))));
    EXPECT_OK(Run(Dump(format)));
    const std::string folder = Path(std::string(FormatName(format)));
    FlipTheFirstByte(absl::StrCat(folder, "/", file));
    const absl::StatusOr<DrillReport> report = Run(Drill(folder));
    EXPECT_OK(report.status());
    if (!report.ok()) return std::string();
    EXPECT_TRUE(report->found_faults());
    return Lines(*report).back();
  };
  EXPECT_THAT(found(ArchiveFormat::kCustom, "archive.dump"),
              HasSubstr("failed archive: archive "));
  EXPECT_THAT(found(ArchiveFormat::kDirectory, "toc.dat"),
              HasSubstr("its manifest says: toc.dat was changed"));
  EXPECT_THAT(found(ArchiveFormat::kCustom, "walferry.json"),
              HasSubstr("failed archive: "));
  EXPECT_THAT(found(ArchiveFormat::kCustom, "MANIFEST.sha256"),
              HasSubstr("failed archive: "));
  EXPECT_THAT(found(ArchiveFormat::kPlain, "archive.sql"),
              HasSubstr("archive.sql was changed"));
}

TEST_F(DrillTroubleTest, FindsAnArchiveThatIsChangedMeanwhile) {
  ASSERT_OK(Run(Dump()));
  AtPhase events(Phase::kCopy,
                 [this] { std::ofstream(Path("directory/more")) << "later"; });
  ASSERT_OK_AND_ASSIGN(const DrillReport report,
                       RunDrill(Drill(Path("directory")), control_, events));
  EXPECT_TRUE(report.found_faults());
  EXPECT_THAT(Lines(report),
              Contains(absl::StrCat("failed archive: the archive was changed "
                                    "while it was read: ",
                                    Path("directory/more"), " is new")));
  // A restore ends with an error, then.
  std::filesystem::remove(Path("directory/more"));
  AtPhase again(Phase::kCopy,
                [this] { std::ofstream(Path("directory/more")) << "later"; });
  EXPECT_THAT(RunRestore(Restore(Path("directory")), control_, again),
              StatusIs(absl::StatusCode::kDataLoss,
                       absl::StrCat("the archive was changed while it was "
                                    "read: ",
                                    Path("directory/more"), " is new")));
}

TEST_F(DrillTroubleTest, ALostLinkIsNoFindingAndWhatItLeavesIsTold) {
  ASSERT_OK(Run(Dump()));
  ASSERT_OK_AND_ASSIGN(const auto link, FaultyLink::Start(target_->port()));
  DrillOptions options = Drill(Path("directory"));
  options.target = target_->ConnInfoVia(link->port());
  AtPhase events(Phase::kCopy, [&] {
    link->RefuseConnections(true);
    link->CutNow();
  });
  const absl::Status status = RunDrill(options, control_, events).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  const std::string scratch = Scratch();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("; scratch database ", scratch,
                                     " could not be dropped: ")));
  EXPECT_EQ(HintOf(status), absl::StrCat("DROP DATABASE IF EXISTS \"", scratch,
                                         "\" WITH (FORCE)"));
  // Whoever restores by hand is told the same of the link.
  link->RefuseConnections(false);
  AtPhase again(Phase::kCopy, [&] {
    link->RefuseConnections(true);
    link->CutNow();
  });
  RestoreOptions restore = Restore(Path("directory"));
  restore.target = target_->ConnInfoVia(link->port(), "app");
  EXPECT_EQ(RunRestore(restore, control_, again).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(DrillTroubleTest, TellsOfAScratchDatabaseThatCannotBeDropped) {
  ASSERT_OK(Run(Dump()));
  AtPhase events(Phase::kIndexes, [this] {
    EXPECT_OK(target_->Exec(
        absl::StrCat("ALTER DATABASE ", Scratch(), " IS_TEMPLATE true")));
  });
  ASSERT_OK_AND_ASSIGN(const DrillReport report,
                       RunDrill(Drill(Path("directory")), control_, events));
  EXPECT_FALSE(report.passed());
  EXPECT_FALSE(report.found_faults());
  EXPECT_EQ(Scratch(), report.scratch);
  EXPECT_THAT(report.trouble,
              StartsWith(absl::StrCat("scratch database ", report.scratch,
                                      " could not be dropped: cannot drop a "
                                      "template database")));
  EXPECT_THAT(report.trouble, ::testing::EndsWith(absl::StrCat(
                                  ": DROP DATABASE IF EXISTS \"",
                                  report.scratch, "\" WITH (FORCE)")));
}

// As doubles these numbers are the same.
TEST_F(DrillTroubleTest, ComparesNumbersExactly) {
  ASSERT_OK(Run(Dump()));
  DrillOptions options = Drill(Path("directory"));
  options.checks = {
      {.name = "same", .sql = "SELECT 0.10", .expect = "0.1"},
      {.name = "other",
       .sql = "SELECT 12345678901234567890.1234567891",
       .expect = "12345678901234567890.1234567892"},
      {.name = "near",
       .sql = "SELECT 1.00000000000000000002",
       .expect = "1",
       .tolerance = "0.00000000000000000002"},
      {.name = "far",
       .sql = "SELECT 1.00000000000000000002",
       .expect = "1",
       .tolerance = "0.00000000000000000001"},
      {.name = "percent",
       .sql = "SELECT -105",
       .expect = "-100",
       .tolerance = "5",
       .tolerance_in_percent = true},
      {.name = "nan", .sql = "SELECT 'NaN'::numeric", .minimum = "0"},
      {.name = "inf", .sql = "SELECT 'inf'::float8", .minimum = "0"},
      {.name = "bounds",
       .sql = "SELECT 9007199254740993",
       .maximum = "9007199254740992"}};
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  std::vector<std::string> lines = Lines(report);
  lines.erase(lines.begin(), lines.end() - 8);
  EXPECT_THAT(
      lines,
      ElementsAre("passed same: 0.10",
                  "failed other: 12345678901234567890.1234567891 instead of "
                  "12345678901234567890.1234567892",
                  "passed near: 1.00000000000000000002",
                  "failed far: 1.00000000000000000002 instead of 1, give or "
                  "take 0.00000000000000000001",
                  "passed percent: -105",
                  "failed nan: NaN instead of at least 0",
                  "passed inf: Infinity",
                  "failed bounds: 9007199254740993 instead of at most "
                  "9007199254740992"));
}

}  // namespace
}  // namespace walferry
