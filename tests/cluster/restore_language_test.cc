// Restores on a server that speaks another language: nothing that is wrong may
// pass because of its words.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <string>

#include "engine/schema/pg_tools.h"
#include "tests/cluster/archive_fixture.h"
#include "tests/testing/server_binaries.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class RestoreLanguageTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir bin, TempDir::Create());
    bin_.emplace(std::move(bin));
    ASSERT_EQ(chmod(bin_->path().c_str(), 0755), 0);
    // A server takes the language of its environment, if its locale is not
    // plain C.
    for (const char* name : {"initdb", "postgres"}) {
      const std::string program = absl::StrCat(bin_->path(), "/", name);
      std::ofstream(program)
          << "#!/bin/sh\nLANGUAGE=de exec " << TestServerBinDirs().front()
          << "/" << name << " \"$@\"\n";
      ASSERT_EQ(chmod(program.c_str(), 0755), 0);
    }
    StartServers({}, {.bin_dir = bin_->path(),
                      .settings = {{"lc_messages", "C.UTF-8"}}});
    if (HasFatalFailure()) return;
    const absl::Status spoken = target_->Exec("SELECT nothing");
    if (spoken.message().find("existiert nicht") == std::string::npos) {
      GTEST_SKIP() << "the server speaks no German: " << spoken;
    }
    CreateApp();
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    if (!HasFatalFailure()) LoadApp();
  }

  std::optional<TempDir> bin_;
};

// As a role that may not ask for another language, nor make postgres an owner.
TEST_F(RestoreLanguageTest, FindsEveryErrorInEveryFormat) {
  ASSERT_OK(target_->Exec("CREATE ROLE mover LOGIN CREATEDB"));
  ASSERT_OK(target_->Exec("ALTER DATABASE app OWNER TO mover"));
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kCustom,
        ArchiveFormat::kPlain}) {
    SCOPED_TRACE(FormatName(format));
    ASSERT_OK_AND_ASSIGN(const DumpReport dumped, Run(Dump(format)));
    RestoreOptions options = Restore(dumped.path);
    options.target = target_->ConnInfoAs("mover", "", "app");
    options.drop_target_first = true;
    const absl::Status status = Run(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("\xc2\xbbpostgres\xc2\xab"));
    // Such an archive ends at its first error in any case.
    if (format == ArchiveFormat::kPlain) continue;
    options.allow_errors = true;
    ASSERT_OK_AND_ASSIGN(const RestoreReport report, Run(options));
    int64_t count = 0;
    for (const RestoreErrorKind& kind : report.errors) count += kind.count;
    EXPECT_GE(count, 10);
    EXPECT_THAT(TargetValue("SELECT count(*) FROM orders"),
                IsOkAndHolds("3000"));
  }
}

// Whoever restores the row ends his own session.
TEST_F(RestoreLanguageTest, ALostLinkIsNoFindingInAnyFormat) {
  ASSERT_OK(OnSource(
      "CREATE FUNCTION live() RETURNS bool LANGUAGE sql AS 'SELECT CASE WHEN "
      "current_database() = ''app'' THEN true ELSE "
      "pg_terminate_backend(pg_backend_pid()) END';"
      "CREATE TABLE mortal (i int CHECK (public.live()));"
      "INSERT INTO mortal VALUES (1)"));
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kCustom,
        ArchiveFormat::kPlain}) {
    SCOPED_TRACE(FormatName(format));
    ASSERT_OK_AND_ASSIGN(const DumpReport dumped, Run(Dump(format)));
    for (const char* own : {"", "?options=-c%20work_mem%3D5MB"}) {
      DrillOptions drill = Drill(dumped.path);
      absl::StrAppend(&drill.target, own);
      const absl::Status status = Run(drill).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    }
    EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_database"
                                    " WHERE datname LIKE 'walferry_drill%'"),
                IsOkAndHolds("0"));
  }
}

// This one does not say the first of them.
TEST_F(ArchiveTest, FailsWherePgRestoreKnowsOfMoreErrors) {
  ASSERT_OK(source_->Exec("CREATE ROLE ada"));
  ASSERT_OK(
      OnSource("ALTER TABLE orders OWNER TO ada;"
               "ALTER VIEW few OWNER TO ada"));
  ASSERT_OK(Run(Dump()));
  const int version = source_->major_version() * 10000;
  ASSERT_OK_AND_ASSIGN(
      const PgTools tools,
      FindPgTools({.source_version = version, .target_version = version},
                  PgToolDirectories()));
  std::ofstream(Path("pg_dump"))
      << "#!/bin/sh\nexec " << tools.pg_dump << " \"$@\"\n";
  std::ofstream(Path("pg_restore"))
      << "#!/bin/sh\n"
      << tools.pg_restore << " \"$@\" 2>" << Path("said") << "\ncode=$?\n"
      << "awk 'seen || !/^pg_restore: error:/; /^pg_restore: error:/ { seen = "
         "1 }' "
      << Path("said") << " >&2\nexit $code\n";
  for (const char* name : {"pg_dump", "pg_restore"}) {
    ASSERT_EQ(chmod(Path(name).c_str(), 0755), 0);
  }
  RestoreOptions options = Restore(Path("directory"));
  options.allow_errors = true;
  options.pg_dump = Path("pg_dump");
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_THAT(std::string(status.message()),
              ::testing::MatchesRegex("pg_restore says that it went on after "
                                      "[0-9] errors, but [0-9] could be read "
                                      "of it"));
}

}  // namespace
}  // namespace walferry
