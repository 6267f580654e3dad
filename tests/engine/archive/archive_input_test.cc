#include "engine/archive/archive_input.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/archive/manifest.h"
#include "gtest/gtest.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

class ArchiveInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(directory_->path(), "/", name);
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(
        std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

  std::optional<TempDir> directory_;
};

TEST_F(ArchiveInputTest, KnowsWhatPgDumpWrites) {
  Write("d/toc.dat", "PGDMP\x01\x0e");
  ASSERT_OK_AND_ASSIGN(ArchiveInput input, FindArchive(Path("d")));
  EXPECT_EQ(input.format, ArchiveFormat::kDirectory);
  EXPECT_EQ(input.path, Path("d"));
  EXPECT_TRUE(input.parallel);
  EXPECT_EQ(input.client_major, 0);
  EXPECT_EQ(input.folder, "");

  ASSERT_OK_AND_ASSIGN(input, FindArchive(Write("c", "PGDMP\x01\x10")));
  EXPECT_EQ(input.format, ArchiveFormat::kCustom);
  EXPECT_EQ(input.client_major, 17);

  ASSERT_OK_AND_ASSIGN(input,
                       FindArchive(Write("t", std::string(257, 'x') + "ustar" +
                                                  std::string(300, 'x'))));
  EXPECT_EQ(input.format, ArchiveFormat::kCustom);
  EXPECT_FALSE(input.parallel);
}

TEST_F(ArchiveInputTest, FindsTheFileInAFolderAndTheFolderOfAFile) {
  const std::string file = Write("a/archive.dump", "PGDMP\x01\x0f");
  Write("a/MANIFEST.sha256", "");
  Write("a/walferry.json",
        FactsToJson({.format = ArchiveFormat::kCustom, .database = "shop"}));
  for (const std::string& path : {Path("a"), file}) {
    ASSERT_OK_AND_ASSIGN(const ArchiveInput input, FindArchive(path));
    EXPECT_EQ(input.path, file);
    EXPECT_EQ(input.folder, Path("a"));
    EXPECT_EQ(input.client_major, 16);
    ASSERT_TRUE(input.facts.has_value());
    EXPECT_EQ(input.facts->database, "shop");
  }
}

// psql would run whatever somebody has written into it.
TEST_F(ArchiveInputTest, RefusesPlainScriptsOfOthers) {
  constexpr char kScript[] = "--\n-- PostgreSQL database dump\n--\n";
  const std::string other = Write("p", kScript);
  EXPECT_THAT(
      FindArchive(other),
      StatusIs(
          absl::StatusCode::kFailedPrecondition,
          absl::StrCat(other, ": a plain script that walferry has not made")));
  Write("own/archive.sql", kScript);
  Write("own/MANIFEST.sha256", "");
  Write("own/walferry.json",
        FactsToJson({.format = ArchiveFormat::kPlain, .database = "shop"}));
  ASSERT_OK_AND_ASSIGN(const ArchiveInput input, FindArchive(Path("own")));
  EXPECT_EQ(input.format, ArchiveFormat::kPlain);
}

TEST_F(ArchiveInputTest, MissesTheManifestOfAnArchiveThatHadOne) {
  Write("a/archive.dump", "PGDMP\x01\x0f");
  Write("a/walferry.json",
        FactsToJson({.format = ArchiveFormat::kCustom, .database = "shop"}));
  EXPECT_THAT(
      FindArchive(Path("a")),
      StatusIs(absl::StatusCode::kDataLoss,
               absl::StrCat(Path("a"), ": its MANIFEST.sha256 is missing")));
}

TEST_F(ArchiveInputTest, SaysWhatIsNone) {
  EXPECT_THAT(FindArchive(Path("x")),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat(Path("x"), ": no such archive")));
  EXPECT_THAT(FindArchive(Write("y", "hello")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(Path("y"), ": no archive of pg_dump")));
  EXPECT_THAT(
      FindArchive(directory_->path()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               absl::StrCat(directory_->path(), ": no archive of pg_dump")));
}

// That it is no archive would send the operator for another path.
TEST_F(ArchiveInputTest, LeavesDamagedBeginningsToTheManifest) {
  const std::string file = Write("a/archive.dump", "QGDMP\x01\x0f");
  Write("a/MANIFEST.sha256",
        absl::StrCat(std::string(64, '0'), "  archive.dump\n"));
  const std::string facts = Write(
      "a/walferry.json",
      FactsToJson({.format = ArchiveFormat::kCustom, .database = "shop"}));
  for (const std::string& path : {Path("a"), file}) {
    ASSERT_OK_AND_ASSIGN(const ArchiveInput input, FindArchive(path));
    EXPECT_EQ(input.format, ArchiveFormat::kCustom);
    Interrupt interrupt;
    EventRecorder events;
    EXPECT_THAT(
        CheckArchive(input, interrupt, events),
        StatusIs(absl::StatusCode::kDataLoss,
                 absl::StrCat("archive ", Path("a"),
                              " is not what its manifest says: archive.dump "
                              "was changed, walferry.json is not in the "
                              "manifest")));
  }
  EXPECT_THAT(FindArchive(facts),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(facts, ": no archive of pg_dump")));
}

// Otherwise it would say only that nothing is there.
TEST_F(ArchiveInputTest, LeavesAMissingFileToTheManifest) {
  Write("a/MANIFEST.sha256", absl::StrCat(std::string(64, '0'), "  toc.dat\n"));
  ASSERT_OK_AND_ASSIGN(const ArchiveInput input, FindArchive(Path("a")));
  Interrupt interrupt;
  EventRecorder events;
  EXPECT_THAT(CheckArchive(input, interrupt, events),
              StatusIs(absl::StatusCode::kDataLoss,
                       absl::StrCat("archive ", Path("a"),
                                    " is not what its manifest says: toc.dat "
                                    "is missing")));
}

TEST_F(ArchiveInputTest, WarnsThatThereIsNoManifest) {
  ASSERT_OK_AND_ASSIGN(const ArchiveInput input,
                       FindArchive(Write("c", "PGDMP\x01\x0e")));
  Interrupt interrupt;
  EventRecorder events;
  EXPECT_OK(CheckArchive(input, interrupt, events));
  ASSERT_EQ(events.All<Notice>().size(), 1u);
  EXPECT_EQ(events.All<Notice>()[0].text,
            absl::StrCat(Path("c"),
                         " has no MANIFEST.sha256: whether it is as it was "
                         "written was not checked"));
}

}  // namespace
}  // namespace walferry
