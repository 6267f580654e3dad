#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "engine/schema/schema_restore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/schema_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/read_file.h"

namespace walferry {
namespace {

using ::testing::IsEmpty;

// Almost everything that pg_dump knows.
class RichSchemaTest : public SchemaTest {
 protected:
  void SetUp() override {
    SchemaTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    OnBoth("DROP ROLE IF EXISTS \"app owner\", reader");
    OnBoth("CREATE ROLE \"app owner\"");
    OnBoth("CREATE ROLE reader");
    for (const char* const file : {"rich", "kinds"}) {
      OnSource(ReadFile(
          absl::StrCat(TestsDirectory(), "/cluster/schema/", file, ".sql")));
    }
    // Where a child alone forbids NULL, pg_dump 18 writes what older servers
    // cannot read.
    if (tools_.major < 18 || target_->major_version() >= 18) {
      OnSource("ALTER TABLE kinds.heir ALTER c SET NOT NULL");
    }
  }
};

TEST_F(RichSchemaTest, ArrivesAsItIs) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  std::vector<std::string> warnings;
  restore.on_warning = [&](absl::string_view text) {
    warnings.emplace_back(text);
  };
  SchemaProgress last;
  restore.on_progress = [&](const SchemaProgress& progress) {
    EXPECT_GE(progress.done, last.done);
    EXPECT_LE(progress.active.size(), 3u);
    last = progress;
  };
  ASSERT_OK(RestoreAll(restore));
  ExpectEqualSchemas();
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(last.done, restore.total_steps());
  EXPECT_EQ(last.total, restore.total_steps());
  EXPECT_GT(last.total, 50);
  EXPECT_THAT(last.active, IsEmpty());
}

TEST_F(RichSchemaTest, ArrivesWithoutWhatIsNotSchema) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(RestoreAll(restore));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_publication"),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_class WHERE "
                          "relkind = 'm' AND relispopulated"),
              IsOkAndHolds("0"));
}

TEST_F(RichSchemaTest, HasEveryStepOnceWhenItIsInterruptedAndContinued) {
  int64_t done = 0;
  for (int64_t limit = 0;; limit += 7) {
    Interrupt interrupt;
    SchemaRestoreOptions options = RestoreOptions();
    options.target.interrupt = &interrupt;
    options.progress_interval = absl::ZeroDuration();
    ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(options));
    restore.on_progress = [&](const SchemaProgress& progress) {
      EXPECT_GE(progress.done, done);
      done = progress.done;
      if (done >= limit) interrupt.Raise();
    };
    const absl::Status status = RestoreAll(restore);
    if (status.ok()) break;
    ASSERT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
    ASSERT_LT(limit, 200);
  }
  ExpectEqualSchemas();
}

// By the command's own way, to its end.
TEST_F(RichSchemaTest, IsMigratedAsAWhole) {
  OnTarget("DROP SCHEMA walferry CASCADE");
  Control control;
  EventRecorder events;
  ASSERT_OK_AND_ASSIGN(
      const Report report,
      RunMigration({.endpoints = {.source = source_->ConnInfo("app"),
                                  .target = target_->ConnInfo("app"),
                                  .name = "rich"},
                    .mode = MigrateMode::kOffline},
                   control, events));
  ExpectEqualSchemas();
  // The wrapper of its foreign partitions reads nothing.
  EXPECT_THAT(report.remarks,
              testing::Contains(testing::HasSubstr(
                  "ANALYZE kinds.by_expression: foreign-data wrapper")));
}

// As before, but nobody says goodbye to the server.
TEST_F(RichSchemaTest, HasEveryStepOnceWhenTheProcessIsKilled) {
  int killed = 0;
  for (int64_t limit = 0;; limit += 9) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      SchemaRestoreOptions options = RestoreOptions();
      options.progress_interval = absl::ZeroDuration();
      auto restore = Prepare(options);
      if (!restore.ok()) _exit(1);
      restore->on_progress = [&](const SchemaProgress& progress) {
        if (progress.done >= limit && progress.done < progress.total) {
          kill(getpid(), SIGKILL);
        }
      };
      _exit(RestoreAll(*restore).ok() ? 0 : 2);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    ++killed;
    ASSERT_LT(limit, 200);
  }
  EXPECT_GT(killed, 5);
  ExpectEqualSchemas();
}

TEST_F(RichSchemaTest, MayWaitWithForeignKeysAndTriggers) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(restore.RestorePreData());
  ASSERT_OK(restore.Restore(SchemaStage::kIndexes));
  ASSERT_OK(restore.Restore(SchemaStage::kObjects));
  EXPECT_THAT(
      TargetValue("SELECT (SELECT count(*) FROM pg_constraint c JOIN "
                  "pg_namespace n ON n.oid = connamespace WHERE contype = 'f' "
                  "AND nspname <> 'walferry') + (SELECT count(*) FROM "
                  "pg_trigger WHERE NOT tgisinternal) + (SELECT count(*) FROM "
                  "pg_event_trigger)"),
      IsOkAndHolds("0"));
  // Another process, after the stream has caught up.
  ASSERT_OK_AND_ASSIGN(SchemaRestore later, Prepare(RestoreOptions()));
  ASSERT_OK(later.Restore(SchemaStage::kForeignKeys));
  ASSERT_OK(later.Restore(SchemaStage::kTriggers));
  ASSERT_OK(later.Restore(SchemaStage::kEventTriggers));
  ExpectEqualSchemas();
}

TEST_F(RichSchemaTest, CanLeaveOwnersAndPrivilegesOut) {
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  ASSERT_OK_AND_ASSIGN(SchemaDump dump,
                       Dump(catalog, {.no_owner = true, .no_acl = true}));
  OnTarget("DROP ROLE \"app owner\"");
  SchemaRestore restore(RestoreOptions(), std::move(dump), catalog);
  ASSERT_OK(restore.RestorePreData());
  ASSERT_OK(restore.Restore(SchemaStage::kIndexes));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_class c JOIN pg_namespace n"
                          " ON n.oid = relnamespace WHERE nspname = 'app' AND"
                          " (relacl IS NOT NULL OR relowner <> 10)"),
              IsOkAndHolds("0"));
}

}  // namespace
}  // namespace walferry
