#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/cluster/schema_fixture.h"
#include "tests/testing/read_file.h"
#include "tests/testing/sql.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SchemaErrorsTest : public SchemaTest {
 protected:
  // All of it; the first error.
  absl::Status Carry(ScopeOptions scope = {}) {
    ASSIGN_OR_RETURN(SchemaRestore restore,
                     Prepare(RestoreOptions(), std::move(scope)));
    return RestoreAll(restore);
  }

  absl::StatusOr<std::string> NamesOnTarget(const std::string& kinds) {
    return TargetValue(
        absl::StrCat("SELECT coalesce(string_agg(relname, ' ' ORDER BY "
                     "relname), '') FROM pg_class WHERE relnamespace = "
                     "'public'::regnamespace AND relkind IN (",
                     kinds, ")"));
  }
};

TEST_F(SchemaErrorsTest, NameTheIndexThatCannotBeBuiltAndKeepTheOthers) {
  OnSource("CREATE TABLE bad (id int PRIMARY KEY, n int)");
  OnSource("CREATE INDEX bad_n ON bad (n)");
  OnSource("CREATE TABLE good (id int PRIMARY KEY)");
  SchemaRestoreOptions options = RestoreOptions();
  options.jobs = 1;  // Keys first: of bad, of good, then bad_n.
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(options));
  ASSERT_OK(restore.RestorePreData());
  OnTarget("INSERT INTO bad VALUES (1, 1), (1, 2)");
  const absl::Status status = restore.Restore(SchemaStage::kIndexes);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "CONSTRAINT public.bad bad_pkey: could not create "
                       "unique index \"bad_pkey\" (SQLSTATE 23505): Key "
                       "(id)=(1) is duplicated."));
  EXPECT_EQ(HintOf(status),
            "the rows are as on the source, so its own constraint is not valid "
            "or its index is corrupt: repair the rows on both sides, then run "
            "the same command again");
  EXPECT_THAT(NamesOnTarget("'i'"), IsOkAndHolds(""));
  OnTarget("DELETE FROM bad WHERE n = 2");
  ASSERT_OK(restore.Restore(SchemaStage::kIndexes));
  ExpectEqualSchemas();
}

TEST_F(SchemaErrorsTest, KeepWhatWasDoneBeforeTheError) {
  OnSource("CREATE TABLE good (id int PRIMARY KEY)");
  OnSource(
      "CREATE TABLE bad (id int, CONSTRAINT positive EXCLUDE (id WITH =))");
  SchemaRestoreOptions options = RestoreOptions();
  options.jobs = 1;
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(options));
  ASSERT_OK(restore.RestorePreData());
  OnTarget("INSERT INTO bad VALUES (1), (1)");
  EXPECT_THAT(restore.Restore(SchemaStage::kIndexes),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("CONSTRAINT public.bad positive: could not "
                                 "create exclusion constraint")));
  EXPECT_THAT(NamesOnTarget("'i'"), IsOkAndHolds("good_pkey"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM walferry.step"),
              IsOkAndHolds("2"));
}

TEST_F(SchemaErrorsTest, NameTheEntryOfPreDataAndKeepNothingOfIt) {
  OnSource("CREATE TABLE first (i int)");
  OnSource("CREATE TABLE second (i int)");
  OnTarget("CREATE TABLE second (i int)");
  const absl::Status status = Carry();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kAlreadyExists,
                       "TABLE public.second: relation \"second\" already "
                       "exists (SQLSTATE 42P07)"));
  EXPECT_EQ(HintOf(status),
            "the target must not have the source's objects yet: drop it there, "
            "or use an empty database");
  EXPECT_THAT(NamesOnTarget("'r'"), IsOkAndHolds("second"));
  OnTarget("DROP TABLE second");
  ASSERT_OK(Carry());
  ExpectEqualSchemas();
}

TEST_F(SchemaErrorsTest, TellHowToDoWithoutRoles) {
  OnSource("CREATE ROLE someone");
  OnSource("CREATE TABLE t (i int)");
  OnSource("GRANT SELECT ON t TO someone");
  const absl::Status status = Carry();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                               "ACL public.TABLE t: role \"someone\" does not "
                               "exist (SQLSTATE 42704)"));
  EXPECT_EQ(HintOf(status),
            "create the missing role on the target, or leave owners out with "
            "--no-owner and privileges with --no-acl");
}

TEST_F(SchemaErrorsTest, ComeFromPgDumpInItsWords) {
  OnSource("CREATE TABLE secret (i int)");
  OnSource("CREATE ROLE weak LOGIN");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  const auto dump =
      Dump(catalog, {.source = source_->ConnInfoAs("weak", "", "app")});
  EXPECT_THAT(dump,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("pg_dump failed with exit code 1: "
                                       "pg_dump: error: query failed: ERROR:  "
                                       "permission denied for table secret"),
                             Not(HasSubstr("\n")))));
  EXPECT_EQ(HintOf(dump.status()),
            "the source's role must be able to read every table in scope: "
            "grant SELECT, or exclude the table");
}

TEST_F(SchemaErrorsTest, ComeSoonWhenATableIsBeingChanged) {
  OnSource("CREATE TABLE t (i int)");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(other.Exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE"));
  const auto dump = Dump(catalog, {.lock_timeout = absl::Milliseconds(100)});
  EXPECT_THAT(dump,
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("LOCK TABLE public.t IN ACCESS SHARE MODE")));
  EXPECT_EQ(HintOf(dump.status()),
            "someone is changing the schema of the source, or waits for it: "
            "try again when that is done");
}

TEST_F(SchemaErrorsTest, EndADumpThatIsInterrupted) {
  OnSource("CREATE TABLE t (i int)");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  Interrupt interrupt;
  interrupt.Raise();
  EXPECT_THAT(Dump(catalog, {.interrupt = &interrupt}),
              StatusIs(absl::StatusCode::kCancelled,
                       absl::StrCat(tools_.pg_dump, ": interrupted")));
}

TEST_F(SchemaErrorsTest, AreNotMadeOfSettingsThatTheTargetDoesNotKnow) {
  OnSource("CREATE TABLE t (i int)");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  ASSERT_OK_AND_ASSIGN(SchemaDump dump, Dump(catalog));
  // Of a client that is newer than the target.
  dump.script.preamble.insert(dump.script.preamble.begin() + 1,
                              "SET timeout_of_the_future = 0;");
  SchemaRestore restore(RestoreOptions(), std::move(dump), catalog);
  ASSERT_OK(RestoreAll(restore));
  ExpectEqualSchemas();
}

// The extension was installed by someone mightier, who also set its comment.
TEST_F(SchemaErrorsTest, AreWarningsForCommentsOnExtensions) {
  OnSource("CREATE EXTENSION hstore");
  OnSource("CREATE TABLE t (h hstore)");
  OnTarget("CREATE EXTENSION hstore");
  OnTarget(
      "CREATE ROLE mover LOGIN; GRANT ALL ON DATABASE app TO mover;"
      " GRANT ALL ON SCHEMA public TO mover;"
      " GRANT USAGE ON SCHEMA walferry TO mover;"
      " GRANT ALL ON ALL TABLES IN SCHEMA walferry TO mover");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  ASSERT_OK_AND_ASSIGN(SchemaDump dump, Dump(catalog, {.no_owner = true}));
  SchemaRestoreOptions options = RestoreOptions();
  options.target.conninfo = target_->ConnInfoAs("mover", "", "app");
  SchemaRestore restore(options, std::move(dump), catalog);
  std::vector<std::string> warnings;
  restore.on_warning = [&](absl::string_view text) {
    warnings.emplace_back(text);
  };
  ASSERT_OK(RestoreAll(restore));
  EXPECT_THAT(warnings,
              ElementsAre("the comment was not set: EXTENSION hstore: must be "
                          "owner of extension hstore (SQLSTATE 42501)"));
  EXPECT_THAT(NamesOnTarget("'r'"), IsOkAndHolds("t"));
}

TEST_F(SchemaErrorsTest, AreNotMadeOfForeignKeysToWhatIsOutOfScope) {
  OnSource("CREATE TABLE kept (id int PRIMARY KEY, other int)");
  OnSource("CREATE TABLE \"left\" (id int PRIMARY KEY)");
  OnSource("CREATE SCHEMA gone CREATE TABLE t (id int PRIMARY KEY)");
  OnSource(
      "ALTER TABLE kept ADD CONSTRAINT to_left FOREIGN KEY (other) "
      "REFERENCES \"left\"");
  OnSource("COMMENT ON CONSTRAINT to_left ON kept IS 'x'");
  OnSource(
      "ALTER TABLE kept ADD CONSTRAINT to_gone FOREIGN KEY (other) "
      "REFERENCES gone.t");
  OnSource(
      "ALTER TABLE kept ADD CONSTRAINT to_itself FOREIGN KEY (other) "
      "REFERENCES kept");
  const ScopeOptions scope = {.exclude_schemas = {"gone"},
                              .exclude_tables = {"public.left"}};
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource(scope));
  ASSERT_OK_AND_ASSIGN(SchemaDump dump, Dump(catalog));
  EXPECT_THAT(dump.left_out,
              ElementsAre("left out FK CONSTRAINT public.kept to_gone: it "
                          "needs gone.t, which is out of scope",
                          "left out FK CONSTRAINT public.kept to_left: it "
                          "needs public.left, which is out of scope"));
  SchemaRestore restore(RestoreOptions(), std::move(dump), catalog);
  ASSERT_OK(RestoreAll(restore));
  EXPECT_THAT(NamesOnTarget("'r'"), IsOkAndHolds("kept"));
  EXPECT_THAT(TargetValue("SELECT string_agg(conname, ' ') FROM "
                          "pg_constraint WHERE contype = 'f' AND "
                          "conrelid = 'kept'::regclass"),
              IsOkAndHolds("to_itself"));
}

TEST_F(SchemaErrorsTest, ComeBeforeTheCopyWhenAPolicyNeedsWhatIsOutOfScope) {
  OnSource("CREATE TABLE kept (id int)");
  OnSource("CREATE TABLE other (id int)");
  OnSource("CREATE POLICY p ON kept USING (id IN (SELECT id FROM other))");
  ASSERT_OK_AND_ASSIGN(const Catalog catalog,
                       ReadSource({.exclude_tables = {"other"}}));
  const auto dump = Dump(catalog);
  EXPECT_THAT(dump, StatusIs(absl::StatusCode::kFailedPrecondition,
                             "POLICY public.kept p: it needs public.other, "
                             "which is out of scope"));
  EXPECT_EQ(HintOf(dump.status()),
            "take that table into the scope, or drop or exclude what needs it");
}

// Names and comments keep their characters between servers of other encodings.
class SchemaEncodingTest : public SchemaTest {
 protected:
  PgServerOptions SourceOptions() const override {
    return {.initdb_arguments = {"--locale=C", "--encoding=LATIN1"}};
  }
};

TEST_F(SchemaEncodingTest, ArrivesInTheTargetsEncoding) {
  OnSource("CREATE TABLE \"gr\xf6\xdf\" (id int PRIMARY KEY)");
  OnSource("COMMENT ON TABLE \"gr\xf6\xdf\" IS '\xfc'");
  OnSource("CREATE INDEX \"\xe4\" ON \"gr\xf6\xdf\" (id)");
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(RestoreAll(restore));
  EXPECT_THAT(TargetValue("SELECT obj_description(oid) FROM pg_class "
                          "WHERE relname = 'gr\xc3\xb6\xc3\x9f'"),
              IsOkAndHolds("\xc3\xbc"));
  EXPECT_THAT(TargetValue("SELECT '\"\xc3\xa4\"'::regclass IS NOT NULL"),
              IsOkAndHolds("t"));
}

// pg_dump under another name, which writes down how it was called.
class SchemaPasswordTest : public SchemaTest {
 protected:
  PgServerOptions SourceOptions() const override {
    return {.password = "s3cret word"};
  }
};

TEST_F(SchemaPasswordTest, IsOnNoCommandLine) {
  OnSource("CREATE TABLE t (i int)");
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string script = directory.path() + "/pg_dump";
  const std::string log = directory.path() + "/log";
  std::ofstream(script) << "#!/bin/sh\necho \"$@\" > " << log << "\nexec "
                        << tools_.pg_dump << " \"$@\"\n";
  chmod(script.c_str(), 0755);
  PgTools tools = tools_;
  tools.pg_dump = script;
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadSource());
  ASSERT_OK_AND_ASSIGN(const SchemaDump dump, Dump(catalog, {.tools = tools}));
  EXPECT_EQ(dump.script.entries.size(), 1u);
  EXPECT_THAT(ReadFile(log),
              AllOf(HasSubstr("--schema-only"), Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace walferry
