// dump and restore, between servers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "engine/archive/manifest.h"
#include "protocol/status.h"
#include "tests/cluster/archive_fixture.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST_F(ArchiveTest, ComesBackAsItWasInEveryFormat) {
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kCustom,
        ArchiveFormat::kPlain}) {
    SCOPED_TRACE(FormatName(format));
    ASSERT_OK_AND_ASSIGN(const DumpReport dumped, Run(Dump(format)));
    EXPECT_EQ(dumped.path, Path(std::string(FormatName(format))));
    EXPECT_EQ(dumped.facts.database, "app");
    EXPECT_EQ(dumped.facts.encoding, "UTF8");
    EXPECT_GT(dumped.facts.archive_bytes, 0);
    EXPECT_OK(CheckManifest(dumped.path, {}));
    RestoreOptions restore = Restore(dumped.path);
    restore.drop_target_first = true;
    ASSERT_OK_AND_ASSIGN(const RestoreReport restored, Run(restore));
    EXPECT_TRUE(restored.checked);
    EXPECT_EQ(restored.facts, dumped.facts);
    EXPECT_EQ(restored.database, "app");
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
    EXPECT_THAT(TargetValue("SELECT lo_get(4711)"),
                SourceValue("SELECT "
                            "lo_get(4711)"));
    EXPECT_THAT(TargetValue("SELECT count FROM total"), IsOkAndHolds("3000"));
  }
  EXPECT_THAT(Names(), ElementsAre("custom", "directory", "plain"));
}

TEST_F(ArchiveTest, IsNamedByDatabaseAndTime) {
  DumpOptions options = Dump();
  options.output = "";
  options.archive_folder = directory_->path();
  ASSERT_OK_AND_ASSIGN(const DumpReport dumped, Run(options));
  EXPECT_THAT(dumped.path,
              ::testing::MatchesRegex(".*/app-[0-9]{8}T[0-9]{6}Z"));
}

TEST_F(ArchiveTest, IsNeverWrittenOver) {
  ASSERT_OK(Run(Dump()));
  EXPECT_THAT(Run(Dump()),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       absl::StrCat(Path("directory"), " exists")));
  std::filesystem::create_directory(Path("custom.unfinished"));
  EXPECT_THAT(Run(Dump(ArchiveFormat::kCustom)),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       absl::StrCat(Path("custom.unfinished"), " exists")));
}

TEST_F(ArchiveTest, LeavesOutWhatIsExcluded) {
  DumpOptions options = Dump();
  options.scope.exclude_tables = {"parts"};
  options.scope.exclude_table_data = {"odd*"};
  ASSERT_OK(Run(options));
  ASSERT_OK(Run(Restore(options.output)));
  // A partition goes with its parent.
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_class"
                          " WHERE relname LIKE 'parts%'"),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM \"odd \"\"Name\""),
              IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM orders"), IsOkAndHolds("3000"));
}

TEST_F(ArchiveTest, CanBeOfSchemaOrRowsOnly) {
  ASSERT_OK(Run(Dump()));
  RestoreOptions options = Restore(Path("directory"));
  options.schema_only = true;
  ASSERT_OK(Run(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM orders"), IsOkAndHolds("0"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_largeobject_metadata"),
              IsOkAndHolds("0"));
  // Rows that a foreign key wants are not there yet when they come by several
  // jobs.
  ASSERT_OK(
      OnTarget("ALTER TABLE \"odd \"\"Name\" DROP CONSTRAINT \"odd "
               "\"\"Name_order_fkey\";"
               "ALTER TABLE orders DROP CONSTRAINT late"));
  options.schema_only = false;
  options.data_only = true;
  ASSERT_OK(Run(options));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM orders"), IsOkAndHolds("3000"));
  EXPECT_THAT(TargetValue("SELECT nextval('orders_id_seq')"),
              IsOkAndHolds("3001"));
}

TEST_F(ArchiveTest, RefusesAFlippedByteBeforeAnythingIsDropped) {
  ASSERT_OK(Run(Dump(ArchiveFormat::kCustom)));
  FlipAByte(Path("custom/archive.dump"));
  ASSERT_OK(OnTarget("CREATE TABLE kept ()"));
  RestoreOptions options = Restore(Path("custom"));
  options.drop_target_first = true;
  EXPECT_THAT(Run(options),
              StatusIs(absl::StatusCode::kDataLoss,
                       absl::StrCat("archive ", Path("custom"),
                                    " is not what its manifest says: "
                                    "archive.dump was changed")));
  EXPECT_OK(OnTarget("SELECT FROM kept"));
}

TEST_F(ArchiveTest, TakesWhatHasNoManifestAndSaysSo) {
  ASSERT_OK(Run(Dump(ArchiveFormat::kCustom)));
  std::filesystem::rename(Path("custom/archive.dump"), Path("foreign"));
  ASSERT_OK_AND_ASSIGN(const RestoreReport report,
                       Run(Restore(Path("foreign"))));
  EXPECT_FALSE(report.checked);
  EXPECT_EQ(events_.All<Notice>().back().text,
            absl::StrCat(Path("foreign"),
                         " has no MANIFEST.sha256: whether it is as it was "
                         "written was not checked"));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_F(ArchiveTest, WantsAnEmptyTarget) {
  ASSERT_OK(Run(Dump()));
  ASSERT_OK(OnTarget("CREATE TABLE there (); CREATE SCHEMA s"));
  const absl::Status status = Run(Restore(Path("directory"))).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "target: database app is not empty: relation "
                               "there, schema s"));
  EXPECT_EQ(HintOf(status),
            "restore into a new database, or drop what is there with "
            "--drop-target-first");
}

TEST_F(ArchiveTest, NamesWhatAKilledRunHasPutAside) {
  ASSERT_OK(Run(Dump()));
  ASSERT_OK(target_->Exec("CREATE DATABASE walferry_old_app"));
  ASSERT_OK(Run(Restore(Path("directory"))));
  ASSERT_FALSE(events_.All<Notice>().empty());
  EXPECT_EQ(
      events_.All<Notice>().front().text,
      "there is database walferry_old_app, which an earlier run has put aside, "
      "with all that app held before it; to do without it: DROP DATABASE "
      "\"walferry_old_app\" WITH (FORCE);");
}

TEST_F(ArchiveTest, MakesADroppedDatabaseAsItWas) {
  ASSERT_OK(
      target_->Exec("CREATE ROLE ada; CREATE ROLE bob; CREATE ROLE carl"));
  ASSERT_OK(target_->Exec("ALTER DATABASE app OWNER TO ada"));
  ASSERT_OK(
      target_->Exec("ALTER DATABASE app SET work_mem = '5MB';"
                    "ALTER ROLE bob IN DATABASE app SET work_mem = '6MB';"
                    "ALTER DATABASE app CONNECTION LIMIT 50;"
                    "REVOKE CONNECT ON DATABASE app FROM PUBLIC;"
                    "GRANT CONNECT ON DATABASE app TO bob WITH GRANT OPTION;"
                    "SET SESSION AUTHORIZATION bob;"
                    "GRANT CONNECT ON DATABASE app TO carl;"
                    "RESET SESSION AUTHORIZATION;"
                    "COMMENT ON DATABASE app IS E'two;\\n\\\\lines'"));
  const std::string facts =
      "SELECT d.datdba::regrole::text || d.datconnlimit || (SELECT"
      " array_agg(a::text ORDER BY a::text) FROM unnest(d.datacl) a)::text ||"
      " d.datcollate || d.encoding || shobj_description(d.oid, 'pg_database')"
      " || (SELECT string_agg(s.setrole::regrole::text || s.setconfig::text, "
      "','"
      " ORDER BY 1) FROM (SELECT setrole, setconfig FROM pg_db_role_setting"
      " WHERE setdatabase = d.oid ORDER BY 1) s)"
      " FROM pg_database d WHERE datname = 'app'";
  ASSERT_OK_AND_ASSIGN(const std::string before, target_->QueryValue(facts));
  ASSERT_OK(OnTarget("CREATE TABLE there ()"));
  ASSERT_OK(Run(Dump()));
  RestoreOptions options = Restore(Path("directory"));
  options.drop_target_first = true;
  // Somebody is in it.
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(Run(options));
  EXPECT_THAT(target_->QueryValue(facts), IsOkAndHolds(before));
  EXPECT_FALSE(OnTarget("SELECT FROM there").ok());
}

TEST_F(ArchiveTest, NeverDropsTheDatabaseThatItIsOf) {
  ASSERT_OK(Run(Dump()));
  RestoreOptions options = Restore(Path("directory"));
  options.target = source_->ConnInfo("app");
  options.drop_target_first = true;
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::MatchesRegex(
                  "target: database app of system [0-9]+ is the one that the "
                  "data comes from, and is not dropped"));
  EXPECT_THAT(SourceValue("SELECT count(*) FROM orders"), IsOkAndHolds("3000"));
  // Another database of that server is not it.
  ASSERT_OK(source_->Exec("CREATE DATABASE other"));
  options.target = source_->ConnInfo("other");
  EXPECT_OK(Run(options));
  // A role that may not know which server it is on cannot tell.
  ASSERT_OK(
      OnTarget("REVOKE EXECUTE ON FUNCTION pg_control_system() "
               "FROM PUBLIC; CREATE ROLE ada LOGIN CREATEDB"));
  ASSERT_OK(target_->Exec("ALTER DATABASE app OWNER TO ada"));
  options.target = target_->ConnInfoAs("ada", "", "app");
  EXPECT_THAT(Run(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: whether database app is the one that the data "
                       "comes from cannot be told: a role may not call "
                       "pg_control_system()"));
}

// JSON has no place for its bytes.
TEST_F(ArchiveTest, KnowsTheDatabaseThatItIsOfByItsBytes) {
  const std::string ascii =
      " TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'";
  ASSERT_OK(source_->Exec(absl::StrCat("CREATE DATABASE ascii", ascii)));
  ASSERT_OK(
      source_->Exec(absl::StrCat("CREATE DATABASE \"b\xe9\"", ascii), "ascii"));
  DumpOptions dump = Dump();
  dump.source = source_->ConnInfo("b\xe9");
  ASSERT_OK(Run(dump));
  RestoreOptions options = Restore(Path("directory"));
  options.target = dump.source;
  options.drop_target_first = true;
  EXPECT_THAT(std::string(Run(options).status().message()),
              EndsWith(" is the one that the data comes from, and is not "
                       "dropped"));
}

TEST_F(ArchiveTest, DropsNothingThatItCannotMakeAgain) {
  ASSERT_OK(Run(Dump()));
  ASSERT_OK(target_->Exec("CREATE ROLE ada LOGIN"));
  ASSERT_OK(OnTarget("CREATE TABLE kept ()"));
  RestoreOptions options = Restore(Path("directory"));
  options.drop_target_first = true;
  options.target = target_->ConnInfoAs("ada", "", "app");
  EXPECT_THAT(Run(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: role ada may not create databases"));
  ASSERT_OK(target_->Exec("ALTER ROLE ada CREATEDB"));
  EXPECT_THAT(Run(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: database app belongs to postgres, and role ada "
                       "may not drop it"));
  // Only a superuser makes this setting, so ada cannot make the database as it
  // is.
  ASSERT_OK(target_->Exec("ALTER DATABASE app OWNER TO ada"));
  ASSERT_OK(target_->Exec("ALTER DATABASE app SET log_lock_waits = on"));
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()),
              StartsWith("target: database app cannot be made again: ALTER "
                         "DATABASE app SET log_lock_waits TO ...: "));
  EXPECT_OK(OnTarget("SELECT FROM kept"));
  ASSERT_OK(
      OnTarget("CREATE SUBSCRIPTION two CONNECTION 'dbname=app' "
               "PUBLICATION p WITH (connect = false)"));
  EXPECT_THAT(Run(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: database app has subscriptions, so it cannot "
                       "be dropped: two"));
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_database"
                                  " WHERE datname LIKE 'walferry%'"),
              IsOkAndHolds("0"));
}

TEST_F(ArchiveTest, StopsAtTheFirstErrorOrCountsAll) {
  ASSERT_OK(source_->Exec("CREATE ROLE ada"));
  ASSERT_OK(
      OnSource("ALTER TABLE orders OWNER TO ada;"
               "ALTER VIEW few OWNER TO ada"));
  ASSERT_OK(Run(Dump()));
  RestoreOptions options = Restore(Path("directory"));
  const absl::Status status = Run(options).status();
  EXPECT_THAT(
      status,
      StatusIs(
          absl::StatusCode::kFailedPrecondition,
          "restore: ALTER TABLE public.orders OWNER TO ada: role \"ada\" does "
          "not exist"));
  EXPECT_EQ(HintOf(status),
            "the target may hold a part of the archive: the same command with "
            "--drop-target-first begins anew");
  options.drop_target_first = true;
  options.allow_errors = true;
  ASSERT_OK_AND_ASSIGN(const RestoreReport report, Run(options));
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_EQ(report.errors[0].shape, "role \"...\" does not exist");
  EXPECT_GE(report.errors[0].count, 2);
  int64_t told = 0;
  for (const Notice& notice : events_.All<Notice>()) {
    told += notice.text.ends_with(": role \"ada\" does not exist") ? 1 : 0;
  }
  EXPECT_EQ(told, report.errors[0].count);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  options.allow_errors = false;
  options.no_owner = true;
  ASSERT_OK_AND_ASSIGN(const RestoreReport clean, Run(options));
  EXPECT_THAT(clean.errors, IsEmpty());
}

TEST_F(ArchiveTest, LeavesNothingWhenItIsStopped) {
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE orders"));
  absl::Status status;
  std::thread dump([&] { status = Run(Dump()).status(); });
  const bool waits = WaitUntil([&] {
    return SourceValue(
               "SELECT count(*) FROM pg_stat_activity"
               " WHERE application_name = 'pg_dump'"
               " AND wait_event_type = 'Lock'")
               .value_or("") == "1";
  });
  control_.RequestStop();
  dump.join();
  EXPECT_TRUE(waits);
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_THAT(Names(), IsEmpty());
  // pg_dump is gone, too.
  EXPECT_TRUE(WaitUntil([&] {
    return SourceValue(
               "SELECT count(*) FROM pg_stat_activity"
               " WHERE application_name = 'pg_dump'")
               .value_or("") == "0";
  }));
}

TEST_F(ArchiveTest, LooksForSpaceFirst) {
  DumpOptions options = Dump();
  options.disk_share = 2000000000;
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(status.message()),
      StartsWith(absl::StrCat("the disk of ", directory_->path(), " has ")));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(" MiB free, but 2000000000% of the database's size"));
  EXPECT_EQ(HintOf(status),
            "free space, name another folder, or ask for less with "
            "--disk-share if you know that the archive is smaller");
  EXPECT_THAT(Names(), IsEmpty());
}

// The disk is one that ends after 16 kB: pg_dump's files must not grow beyond.
TEST_F(ArchiveTest, RemovesWhatADiskDoesNotTake) {
  std::ofstream(Path("pg_dump")) << "#!/bin/bash\ntrap '' XFSZ\n"
                                    "ulimit -f 16\nexec $REAL_PG_DUMP \"$@\"\n";
  std::ofstream(Path("pg_restore")) << "#!/bin/sh\n";
  for (const char* name : {"pg_dump", "pg_restore"}) {
    ASSERT_EQ(chmod(Path(name).c_str(), 0755), 0);
  }
  ASSERT_OK_AND_ASSIGN(const CommandResult real,
                       RunCommand({.command = {"sh", "-c",
                                               "ls /usr/lib/postgresql/*/bin/"
                                               "pg_dump | tail -1"}},
                                  absl::Seconds(30)));
  setenv("REAL_PG_DUMP", real.output.substr(0, real.output.find('\n')).c_str(),
         1);
  DumpOptions options = Dump(ArchiveFormat::kPlain);
  options.pg_dump = Path("pg_dump");
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), EndsWith("File too large"));
  EXPECT_THAT(Names(), ElementsAre("pg_dump", "pg_restore"));
}

}  // namespace
}  // namespace walferry
