#include "engine/archive/manifest.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/child_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

// FIPS 180-2 has both of them.
constexpr char kOfAbc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfNothing[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class ManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    Write("toc.dat", "abc");
    Write("1.dat", "");
  }

  const std::string& folder() const { return directory_->path(); }

  void Write(const std::string& name, absl::string_view text) const {
    std::ofstream(absl::StrCat(folder(), "/", name), std::ios::binary) << text;
  }

  void WriteManifest() const {
    ASSERT_OK_AND_ASSIGN(const std::vector<ManifestEntry> entries,
                         DigestFolder(folder(), {}));
    Write(kManifestName, FormatManifest(entries));
  }

  std::optional<TempDir> directory_;
};

TEST_F(ManifestTest, HasTheDigestOfEveryFileButItself) {
  WriteManifest();
  int64_t bytes = 0;
  EXPECT_THAT(
      DigestFolder(folder(),
                   {.on_bytes = [&](int64_t so_far) { bytes = so_far; }}),
      IsOkAndHolds(ElementsAre(ManifestEntry{"1.dat", kOfNothing},
                               ManifestEntry{"toc.dat", kOfAbc})));
  EXPECT_EQ(bytes, 3);
}

TEST_F(ManifestTest, IsWhatSha256sumReads) {
  WriteManifest();
  ASSERT_OK_AND_ASSIGN(
      const CommandResult checked,
      RunCommand({.command = {"sha256sum", "--strict", "-c", kManifestName},
                  .environment = {"LC_ALL=C"},
                  .directory = folder()},
                 absl::Seconds(30)));
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_EQ(checked.output, "1.dat: OK\ntoc.dat: OK\n");
}

TEST_F(ManifestTest, AgreesWithTheFolderItWasMadeFor) {
  WriteManifest();
  EXPECT_OK(CheckManifest(folder(), {}));
}

TEST_F(ManifestTest, NamesEveryFileThatIsNotAsItWas) {
  WriteManifest();
  Write("toc.dat", "abd");
  Write("2.dat", "new");
  std::filesystem::remove(folder() + "/1.dat");
  const absl::Status status = CheckManifest(folder(), {});
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kDataLoss,
               absl::StrCat("archive ", folder(),
                            " is not what its manifest says: 1.dat is "
                            "missing, toc.dat was changed, 2.dat is not in "
                            "the manifest")));
  EXPECT_EQ(HintOf(status), "nothing was restored: take another archive");
}

TEST_F(ManifestTest, SeesFilesInFoldersToo) {
  WriteManifest();
  std::filesystem::create_directory(folder() + "/more");
  Write("more/x", "");
  EXPECT_THAT(std::string(CheckManifest(folder(), {}).message()),
              ::testing::EndsWith(": more/x is not in the manifest"));
}

TEST_F(ManifestTest, StopsWhenTold) {
  WriteManifest();
  Interrupt interrupt;
  interrupt.Raise();
  EXPECT_THAT(CheckManifest(folder(), {.interrupt = &interrupt}),
              StatusIs(absl::StatusCode::kCancelled,
                       absl::StrCat(folder(), "/toc.dat: interrupted")));
}

TEST_F(ManifestTest, SaysThatThereIsNone) {
  EXPECT_THAT(CheckManifest(folder(), {}),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat(folder(),
                                    "/MANIFEST.sha256: No such file or "
                                    "directory")));
}

TEST(ParseManifest, ReadsBothOfSha256sumsForms) {
  EXPECT_THAT(
      ParseManifest(absl::StrCat(kOfAbc, "  a b\n", kOfNothing, " *more/x\n")),
      IsOkAndHolds(ElementsAre(ManifestEntry{"a b", kOfAbc},
                               ManifestEntry{"more/x", kOfNothing})));
}

TEST(ParseManifest, SaysWhichLineIsMalformed) {
  const std::string digest = kOfAbc;
  for (const std::string& line :
       {std::string("x"), digest, digest + "  ", digest + " x",
        digest.substr(1) + "  x", digest + "  /etc/passwd",
        digest + "  a/../../x", "A" + digest.substr(1) + "  x"}) {
    EXPECT_THAT(ParseManifest(absl::StrCat(digest, "  a\n", line, "\n")),
                StatusIs(absl::StatusCode::kDataLoss,
                         "MANIFEST.sha256, line 2: malformed"))
        << line;
  }
}

}  // namespace
}  // namespace walferry
