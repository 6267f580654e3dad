// Client programs that are older than a server: refused before anything is
// made, with the package to install.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/archive_fixture.h"
#include "tests/testing/fake_pg_dump.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OldClientTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    ASSERT_OK_AND_ASSIGN(TempDir clients, TempDir::Create());
    clients_.emplace(std::move(clients));
    old_ = WriteFakePgDump(clients_->path(), "9.6");
  }

  void ExpectRefused(const absl::Status& status) const {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("no pg_dump is new enough")));
    EXPECT_THAT(status.message(), HasSubstr("found 9.6 (" + old_ + ")"));
    EXPECT_EQ(HintOf(status),
              absl::StrCat("install the package postgresql-client-",
                           source_->major_version(),
                           ", or name a newer pg_dump with --pg-dump"));
  }

  // Relations, and schemas beside public.
  std::string OnTheTarget() const {
    return TargetValue(
               "SELECT count(*) + (SELECT count(*) FROM pg_class WHERE "
               "relnamespace = 'public'::regnamespace) FROM pg_namespace WHERE "
               "nspname !~ '^pg_|^information_schema$|^public$'")
        .value_or("?");
  }

  std::optional<TempDir> clients_;
  std::string old_;
};

TEST_F(OldClientTest, DumpsNothing) {
  DumpOptions dump = Dump();
  dump.pg_dump = old_;
  ExpectRefused(Run(dump).status());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(OldClientTest, RestoresNothing) {
  ASSERT_OK(Run(Dump()));
  RestoreOptions restore = Restore(Path("directory"));
  restore.pg_dump = old_;
  restore.drop_target_first = true;
  ASSERT_OK(OnTarget("CREATE TABLE mine ()"));
  ExpectRefused(Run(restore).status());
  EXPECT_EQ(OnTheTarget(), "1");
}

TEST_F(OldClientTest, DrillsNothing) {
  ASSERT_OK(Run(Dump()));
  DrillOptions drill = Drill(Path("directory"));
  drill.pg_dump = old_;
  ExpectRefused(Run(drill).status());
  drill = Drill("");
  drill.source = source_->ConnInfo("app");
  drill.pg_dump = old_;
  ExpectRefused(Run(drill).status());
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_database WHERE "
                                  "datname LIKE 'walferry_drill%'"),
              IsOkAndHolds("0"));
}

TEST_F(OldClientTest, MigratesNothing) {
  MigrateOptions options;
  options.endpoints = Both();
  options.mode = MigrateMode::kOffline;
  options.pg_dump = old_;
  ExpectRefused(RunMigration(options, control_, events_).status());
  EXPECT_EQ(OnTheTarget(), "0");
}

}  // namespace
}  // namespace walferry
