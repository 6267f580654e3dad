// drill, between servers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/cleanup/cleanup.h"
#include "engine/archive/drill_rows.h"
#include "engine/archive/drill_state.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"
#include "tests/cluster/drill_fixture.h"
#include "tests/testing/child_process.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/server_binaries.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(DrillTest, PassesAGoodArchive) {
  ASSERT_OK(Run(Dump()));
  DrillOptions options = Drill(Path("directory"));
  options.checks = {{.name = "orders",
                     .sql = "SELECT count(*) FROM orders",
                     .expect = "2900",
                     .tolerance = "5",
                     .tolerance_in_percent = true}};
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  EXPECT_TRUE(report.passed());
  EXPECT_THAT(
      Lines(report),
      ElementsAre(
          "passed whole: of the whole database",
          "passed archive: every file is as its manifest says",
          ::testing::MatchesRegex("passed contents: .* entries in its table of "
                                  "contents"),
          "passed restore: without an error", HasSubstr("passed objects: "),
          "passed rows: 3102 rows in 5 tables, as in the archive",
          "passed large objects: 1 large object, as in the archive",
          "passed sequences: 2 sequences beyond the values of the columns they "
          "fill",
          "passed constraints: every constraint is valid but public.orders "
          "late, which is so in the archive",
          "passed indexes: 3 indexes, all valid",
          HasSubstr("passed extensions: plpgsql 1.0"), "passed orders: 3000"));
  EXPECT_EQ(report.checks.back().detail, report.scratch + " is dropped");
  EXPECT_GT(report.restored_bytes, 0);
  EXPECT_EQ(report.facts->database, "app");
  EXPECT_EQ(ScratchDatabases(), "0");
}

TEST_F(DrillTest, PassesOtherFormats) {
  for (const ArchiveFormat format :
       {ArchiveFormat::kCustom, ArchiveFormat::kPlain}) {
    ASSERT_OK_AND_ASSIGN(const DumpReport dumped, Run(Dump(format)));
    ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(Drill(dumped.path)));
    EXPECT_TRUE(report.passed()) << ::testing::PrintToString(Lines(report));
    EXPECT_THAT(Lines(report),
                ::testing::Contains("passed rows: 3102 rows in 5 tables, as in "
                                    "the archive"));
  }
}

TEST_F(DrillTest, DumpsASourceAfresh) {
  DrillOptions options = Drill("");
  options.source = source_->ConnInfo("app");
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  EXPECT_TRUE(report.passed()) << ::testing::PrintToString(Lines(report));
  EXPECT_EQ(report.subject, "a fresh dump of app");
  EXPECT_THAT(Lines(report),
              ::testing::Contains(
                  "passed rows: 3102 rows in 5 tables, as in the source"));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(ScratchDatabases(), "0");
}

TEST_F(DrillTest, TakesADatabaseOfAnotherEncoding) {
  ASSERT_OK(source_->Exec(
      "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'"));
  ASSERT_OK(
      source_->Exec("CREATE TABLE \"caf\xe9\" (t text);"
                    "INSERT INTO \"caf\xe9\" VALUES ('\xfc')",
                    "latin"));
  DrillOptions options = Drill("");
  options.source = source_->ConnInfo("latin");
  options.checks = {{.name = "umlaut",
                     .sql = "SELECT ascii(t) FROM \"caf\u00e9\"",
                     .expect = "252"}};
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  EXPECT_TRUE(report.passed()) << ::testing::PrintToString(Lines(report));
  DumpOptions dump = Dump();
  dump.source = source_->ConnInfo("latin");
  ASSERT_OK(Run(dump));
  ASSERT_OK_AND_ASSIGN(const DrillReport of_archive, Run(Drill(dump.output)));
  EXPECT_TRUE(of_archive.passed())
      << ::testing::PrintToString(Lines(of_archive));
}

TEST_F(DrillTest, FailsAFlippedByte) {
  ASSERT_OK(Run(Dump(ArchiveFormat::kCustom)));
  FlipAByte(Path("custom/archive.dump"));
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(Drill(Path("custom"))));
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(
      Lines(report),
      ElementsAre(
          "passed whole: of the whole database",
          absl::StrCat(
              "failed archive: archive ", Path("custom"),
              " is not what its manifest says: archive.dump was changed")));
}

TEST_F(DrillTest, FailsAQueryThatDoesNotHold) {
  ASSERT_OK(Run(Dump()));
  DrillOptions options = Drill(Path("directory"));
  options.checks = {
      {.name = "few", .sql = "SELECT count(*) FROM orders", .maximum = "7"},
      {.name = "none", .sql = "SELECT nothing", .expect = "1"},
      {.name = "after", .sql = "SELECT 1", .expect = "1"}};
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  EXPECT_FALSE(report.passed());
  std::vector<std::string> lines = Lines(report);
  lines.erase(lines.begin(), lines.end() - 3);
  EXPECT_THAT(lines,
              ElementsAre("failed few: 3000 instead of at most 7",
                          HasSubstr("failed none: column \"nothing\" does not "
                                    "exist"),
                          "passed after: 1"));
  EXPECT_EQ(ScratchDatabases(), "0");
}

TEST_F(DrillTest, FailsARestoreThatFails) {
  ASSERT_OK(source_->Exec("CREATE ROLE ada"));
  ASSERT_OK(OnSource("ALTER TABLE orders OWNER TO ada"));
  ASSERT_OK(Run(Dump()));
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(Drill(Path("directory"))));
  EXPECT_EQ(Lines(report).back(),
            "failed restore: restore: ALTER TABLE public.orders OWNER TO ada: "
            "role \"ada\" does not "
            "exist");
  EXPECT_EQ(ScratchDatabases(), "0");
  DrillOptions options = Drill(Path("directory"));
  options.no_owner = true;
  ASSERT_OK_AND_ASSIGN(const DrillReport without, Run(options));
  EXPECT_TRUE(without.passed());
}

TEST_F(DrillTest, RefusesTheServerOfTheData) {
  ASSERT_OK(Run(Dump()));
  DrillOptions of_archive = Drill(Path("directory"));
  of_archive.target = source_->ConnInfo();
  DrillOptions of_source = of_archive;
  of_source.input = "";
  of_source.source = source_->ConnInfo("app");
  for (const DrillOptions& options : {of_archive, of_source}) {
    EXPECT_THAT(Run(options), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       ::testing::StartsWith(
                                           "the target is the server that "
                                           "the data comes from (system ")));
  }
}

TEST_F(DrillTest, KeepsTheScratchDatabaseIfAsked) {
  ASSERT_OK(Run(Dump()));
  DrillOptions options = Drill(Path("directory"));
  options.keep = true;
  ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(options));
  EXPECT_TRUE(report.kept);
  EXPECT_THAT(
      target_->QueryValue("SELECT count(*) FROM orders", report.scratch),
      IsOkAndHolds("3000"));
}

TEST_F(DrillTest, LeavesNothingWhenItIsStopped) {
  DrillOptions options = Drill("");
  options.source = source_->ConnInfo("app");
  AtPhase events(Phase::kSchema, [this] { control_.RequestStop(); });
  const absl::Status status = RunDrill(options, control_, events).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(ScratchDatabases(), "0");
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(DrillTest, SaysThatTheDiskIsFull) {
  const std::string disk = Path("disk");
  std::filesystem::create_directory(disk);
  ASSERT_OK_AND_ASSIGN(const CommandResult mounted,
                       RunCommand({.command = {"mount", "-t", "tmpfs", "-o",
                                               "size=16k", "tmpfs", disk}},
                                  absl::Seconds(30)));
  if (mounted.exit_code != 0) GTEST_SKIP() << mounted.output;
  const auto unmount = absl::MakeCleanup([&] {
    EXPECT_OK(RunCommand({.command = {"umount", disk}}, absl::Seconds(30)));
  });
  DrillOptions options = Drill("");
  options.source = source_->ConnInfo("app");
  options.archive_folder = disk;
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("No space left on device"));
  EXPECT_EQ(HintOf(status), absl::StrCat("the disk of ", disk,
                                         " is full; what was written is "
                                         "removed"));
  EXPECT_TRUE(std::filesystem::is_empty(disk));
}

// A server whose installation is a copy of the source's without hstore.
class DrillExtensionTest : public DrillTest {
 protected:
  void SetUp() override {
    const std::filesystem::path bin = TestServerBinDirs().front();
    const std::filesystem::path version = bin.parent_path().filename();
    const std::filesystem::path root = bin.parent_path()   // 15
                                           .parent_path()  // postgresql
                                           .parent_path()  // lib
                                           .parent_path();
    const std::filesystem::path share = root / "share/postgresql" / version;
    if (!std::filesystem::exists(share / "extension/hstore.control")) {
      GTEST_SKIP() << "no hstore in " << share;
    }
    ASSERT_OK_AND_ASSIGN(TempDir copy, TempDir::Create());
    copy_.emplace(std::move(copy));
    ASSERT_EQ(chmod(copy_->path().c_str(), 0755), 0);
    const std::filesystem::path here = copy_->path();
    const std::filesystem::path lib = here / "lib/postgresql" / version;
    std::filesystem::create_directories(lib);
    std::filesystem::create_directories(here / "share/postgresql");
    // A server finds its files from where its program is, so that is no link.
    std::filesystem::copy(bin, lib / "bin");
    std::filesystem::create_symlink(bin.parent_path() / "lib", lib / "lib");
    std::filesystem::copy(share, here / "share/postgresql" / version,
                          std::filesystem::copy_options::recursive);
    std::filesystem::remove(here / "share/postgresql" / version /
                            "extension/hstore.control");
    StartServers({}, {.bin_dir = (lib / "bin").string()});
    if (HasFatalFailure()) return;
    CreateApp();
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    ASSERT_OK(OnSource("CREATE EXTENSION hstore; CREATE TABLE t (h hstore)"));
  }

  std::optional<TempDir> copy_;
};

TEST_F(DrillExtensionTest, NamesTheExtensionThatTheServerLacks) {
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kPlain}) {
    ASSERT_OK_AND_ASSIGN(const DumpReport dumped, Run(Dump(format)));
    ASSERT_OK_AND_ASSIGN(const DrillReport report, Run(Drill(dumped.path)));
    EXPECT_THAT(Lines(report),
                ElementsAre("passed whole: of the whole database",
                            "passed archive: every file is as its manifest "
                            "says",
                            "failed contents: the target's server lacks an "
                            "extension that the archive creates: hstore"));
    EXPECT_THAT(Run(Restore(dumped.path)),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         "the target's server lacks an extension that the "
                         "archive creates: hstore"));
  }
}

// What the checks find, on a database in which it is to be found.
class DrillFindingTest : public DrillTest {
 protected:
  void SetUp() override {
    DrillTest::SetUp();
    ASSERT_OK_AND_ASSIGN(
        PgConnection session,
        PgConnection::Open({.conninfo = source_->ConnInfo("app")}));
    session_.emplace(std::move(session));
  }

  static std::string Text(const absl::StatusOr<DrillFinding>& found) {
    if (!found.ok()) return std::string(found.status().message());
    constexpr const char* kOutcomes[] = {"passed: ", "failed: ", "skipped: "};
    return kOutcomes[static_cast<int>(found->outcome)] + found->detail;
  }

  std::optional<PgConnection> session_;
};

TEST_F(DrillFindingTest, NamesTablesWithOtherRows) {
  EXPECT_EQ(Text(CompareRows(*session_, {.tables = {{"public.orders", "", 3001},
                                                    {"public.parts", "", 91},
                                                    {"public.nowhere", "", 1}},
                                         .uncounted = {},
                                         .origin = "the archive"})),
            "failed: not as many rows as in the archive: public.orders has "
            "3000 instead of 3001, public.nowhere is missing");
  EXPECT_EQ(Text(CompareRows(
                *session_,
                {.tables = {}, .uncounted = {"t"}, .origin = "the archive"})),
            "skipped: 0 rows in 0 tables, as in the archive; 1 table not "
            "counted, whose rows are INSERT statements there");
  EXPECT_EQ(Text(CompareLargeObjects(
                *session_, {.large_objects = 2, .origin = "the archive"})),
            "failed: 1 large object, but 2 in the archive");
}

TEST_F(DrillFindingTest, NamesSequencesThatWouldCollide) {
  ASSERT_OK(OnSource(
      "SELECT setval('orders_id_seq', 2999);"
      "CREATE TABLE fresh (id serial); CREATE TABLE first (id serial);"
      "INSERT INTO first VALUES (1);"
      "CREATE TABLE down (id serial); ALTER SEQUENCE down_id_seq INCREMENT -1 "
      "MINVALUE -100 START -5 RESTART; INSERT INTO down VALUES (-7)"));
  EXPECT_EQ(Text(CheckSequences(*session_)),
            "failed: down_id_seq is at -5, but down.id goes to -7, "
            "first_id_seq is at 1, but first.id goes to 1, orders_id_seq is "
            "at 2999, but orders.id goes to 3000");
}

TEST_F(DrillFindingTest, NamesConstraintsAndIndexesThatAreNotValid) {
  EXPECT_EQ(Text(CheckConstraints(*session_, std::set<std::string>{})),
            "failed: not valid: public.orders late");
  EXPECT_EQ(Text(CheckConstraints(*session_, std::nullopt)),
            "skipped: not valid, which a plain script may want: public.orders "
            "late");
  ASSERT_OK(
      OnSource("UPDATE pg_index SET indisvalid = false"
               " WHERE indexrelid = 'orders_note'::regclass"));
  EXPECT_EQ(Text(CheckIndexes(*session_)), "failed: not valid: orders_note");
  EXPECT_EQ(Text(CheckExtensions(*session_, {"plpgsql", "hstore"})),
            "failed: missing: hstore");
}

}  // namespace
}  // namespace walferry
