#include "engine/archive/compression.h"

#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

// A pg_dump that can compress with gzip, and with `more`.
class CompressionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
  }

  PgTools Client(int major, absl::string_view more) {
    const std::string path = directory_->path() + "/pg_dump";
    std::ofstream(path) << "#!/bin/sh\n"
                           "case \"$*\" in\n"
                           "  *--compress="
                        << more
                        << "*) echo 'pg_dump: error: connection to server "
                           "failed' >&2 ;;\n"
                           "  *) echo 'pg_dump: error: this build does not "
                           "support compression with it' >&2 ;;\n"
                           "esac\nexit 1\n";
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    return {.pg_dump = path,
            .pg_restore = {},
            .major = major,
            .version = absl::StrCat(major, ".1")};
  }

  absl::StatusOr<Compression> Choose(
      const std::string& wanted, const PgTools& tools,
      ArchiveFormat format = ArchiveFormat::kDirectory) {
    return ChooseCompression(wanted, format, tools, nullptr);
  }

  std::optional<TempDir> directory_;
};

TEST_F(CompressionTest, TakesTheBestThatTheClientCan) {
  EXPECT_THAT(Choose("", Client(16, "zstd")),
              IsOkAndHolds(Compression{"zstd", 1}));
  EXPECT_THAT(Choose("", Client(16, "lz4")),
              IsOkAndHolds(Compression{"gzip", 1}));
  EXPECT_THAT(Choose("", Client(15, "zstd")),
              IsOkAndHolds(Compression{"gzip", 1}));
  EXPECT_THAT(Choose("", Client(16, "zstd"), ArchiveFormat::kPlain),
              IsOkAndHolds(Compression{"none", {}}));
}

TEST_F(CompressionTest, SaysWhatAnOldClientCannotDo) {
  const PgTools tools = Client(15, "zstd");
  const absl::Status status = Choose("zstd", tools).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               absl::StrCat("pg_dump 15.1 (", tools.pg_dump,
                                            ") cannot compress with zstd")));
  EXPECT_EQ(HintOf(status),
            "that takes pg_dump 16 or later: install the package "
            "postgresql-client-16 or a newer one and name it with --pg-dump, "
            "or use --compress gzip");
  EXPECT_THAT(Choose("gzip:9", tools), IsOkAndHolds(Compression{"gzip", 9}));
  EXPECT_THAT(Choose("none", tools), IsOkAndHolds(Compression{"none", {}}));
}

TEST_F(CompressionTest, SaysWhatABuildCannotDo) {
  const PgTools tools = Client(17, "zstd");
  EXPECT_THAT(Choose("zstd:9", tools), IsOkAndHolds(Compression{"zstd", 9}));
  const absl::Status status = Choose("lz4", tools).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               absl::StrCat("pg_dump 17.1 (", tools.pg_dump,
                                            ") cannot compress with lz4")));
  EXPECT_EQ(HintOf(status),
            "it was built without that library: name another with --pg-dump, "
            "or use --compress gzip");
}

TEST_F(CompressionTest, LeavesAScriptReadable) {
  EXPECT_THAT(Choose("gzip", Client(17, "gzip"), ArchiveFormat::kPlain),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "a plain script is not compressed"));
}

TEST(ParseCompression, ReadsMethodAndLevel) {
  EXPECT_THAT(ParseCompression("lz4"), IsOkAndHolds(Compression{"lz4", {}}));
  EXPECT_THAT(ParseCompression("zstd:-5"),
              IsOkAndHolds(Compression{"zstd", -5}));
  for (const char* text : {"", "bzip2", "gzip:", "gzip:0", "gzip:10", "gzip:x",
                           "none:1", "lz4:13", "zstd:23"}) {
    EXPECT_THAT(ParseCompression(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         absl::StrCat("\"", text, "\" is no way to compress")));
  }
}

TEST(Compression, SpeaksToOldAndNewClients) {
  EXPECT_EQ((Compression{"gzip", 1}).Argument(15), "--compress=1");
  EXPECT_EQ((Compression{"gzip", {}}).Argument(15), "--compress=6");
  EXPECT_EQ((Compression{"none", {}}).Argument(15), "--compress=0");
  EXPECT_EQ((Compression{"zstd", 3}).Argument(16), "--compress=zstd:3");
  EXPECT_EQ((Compression{"none", {}}).Argument(16), "--compress=none");
}

}  // namespace
}  // namespace walferry
