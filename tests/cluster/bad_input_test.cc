// What a user gets wrong: told at once, in one sentence and with a hint, and
// nothing is left behind on either side.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/fake_pg_dump.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

// In arguments and texts these stand for what differs from run to run.
// $SOURCE, $TARGET: the databases, for user postgres. $PHYSICAL: one of a
// server whose wal_level is replica. $SOURCE_PORT, ...: the ports. $OLD_DUMP: a
// pg_dump of version 9.6. $MAJOR: the servers' version.
struct BadInput {
  std::string name;
  std::string on_source;
  std::string on_target;
  std::vector<std::string> arguments;
  int exit_code;
  std::string error;
  std::string hint;
};

const BadInput kBadInputs[] = {
    {.name = "BadUri",
     .arguments = {"migrate", "--source",
                   "postgres://postgres:p@ss@127.0.0.1/app", "--target",
                   "$TARGET"},
     .exit_code = 2,
     .error =
         "--source: connection string: the URI has an @ where none may stand",
     .hint = "in a user name, a password or a database name write %40 for @, "
             "%2F for /, %3A for :"},
    {.name = "WrongPassword",
     .arguments = {"migrate", "--source",
                   "postgres://postgres:wrong@127.0.0.1:$SOURCE_PORT/app",
                   "--target", "$TARGET"},
     .exit_code = 1,
     .error = "source: connection to server at \"127.0.0.1\", port "
              "$SOURCE_PORT failed: FATAL: password authentication failed for "
              "user \"postgres\" (SQLSTATE 28P01)",
     .hint = "check the password: in the connection string, PGPASSWORD or "
             "~/.pgpass"},
    {.name = "WrongPasswordOfTheTarget",
     .arguments = {"follow", "--source", "$SOURCE", "--target",
                   "postgres://postgres:wrong@127.0.0.1:$TARGET_PORT/app",
                   "--slot", "slot", "--publication", "pub"},
     .exit_code = 1,
     .error = "target: connection to server at \"127.0.0.1\", port "
              "$TARGET_PORT failed: FATAL: password authentication failed for "
              "user \"postgres\" (SQLSTATE 28P01)",
     .hint = "check the password: in the connection string, PGPASSWORD or "
             "~/.pgpass"},
    {.name = "MissingSlot",
     .on_target = "CREATE TABLE t (id int PRIMARY KEY)",
     .arguments = {"follow", "--source", "$SOURCE", "--target", "$TARGET",
                   "--slot", "gone", "--publication", "pub"},
     .exit_code = 1,
     .error = "source: slot gone does not exist",
     .hint = "name an existing logical slot with --slot, or create it: SELECT "
             "pg_create_logical_replication_slot('...', 'pgoutput')"},
    {.name = "PublicationWithoutATable",
     .on_source = "CREATE PUBLICATION nothing",
     .on_target = "CREATE TABLE t (id int PRIMARY KEY)",
     .arguments = {"follow", "--source", "$SOURCE", "--target", "$TARGET",
                   "--slot", "slot", "--publication", "nothing"},
     .exit_code = 1,
     .error = "source: publication nothing publishes no table",
     .hint = "ALTER PUBLICATION \"nothing\" ADD TABLE ..., then create the "
             "slot anew"},
    {.name = "PublicationThatLacksATable",
     .on_source = "CREATE TABLE lonely (id int PRIMARY KEY)",
     .arguments = {"migrate", "--source", "$SOURCE", "--target", "$TARGET",
                   "--publication", "pub"},
     .exit_code = 1,
     .error = "source: publication pub does not publish public.lonely "
              "[publication]",
     .hint = "let walferry create one (leave out --publication), or alter it"},
    {.name = "WalLevelReplica",
     .arguments = {"migrate", "--source", "$PHYSICAL", "--target", "$TARGET"},
     .exit_code = 1,
     .error = "source: wal_level is replica, not logical [wal-level]",
     .hint = "ALTER SYSTEM SET wal_level = logical; then restart the server "
             "(managed services have a parameter for it, such as "
             "rds.logical_replication)"},
    {.name = "TablesThatAreThere",
     .on_target = "CREATE TABLE t (id int PRIMARY KEY)",
     .arguments = {"migrate", "--source", "$SOURCE", "--target", "$TARGET"},
     .exit_code = 1,
     .error = "target: 1 object of the source exist there already: public.t "
              "[target-not-empty]",
     .hint = "drop them on the target, take an empty database, or leave them "
             "out with --exclude-table or --exclude-schema"},
    {.name = "RoleWithoutRights",
     .on_target = "GRANT CREATE ON SCHEMA public TO guest",
     .arguments = {"migrate", "--no-owner", "--source", "$SOURCE", "--target",
                   "postgres://guest:sesame@127.0.0.1:$TARGET_PORT/app"},
     .exit_code = 1,
     .error = "target: the role may not create schemas, and the ledger needs "
              "one: permission denied for database app (SQLSTATE 42501) "
              "[target-rights]",
     .hint = "GRANT CREATE ON DATABASE \"app\" TO \"guest\";"},
    {.name = "OldPgDump",
     .arguments = {"migrate", "--source", "$SOURCE", "--target", "$TARGET",
                   "--pg-dump", "$OLD_DUMP"},
     .exit_code = 1,
     .error = "no pg_dump is new enough: the source is PostgreSQL $MAJOR and "
              "the target $MAJOR, found 9.6 ($OLD_DUMP)",
     .hint = "install the package postgresql-client-$MAJOR, or name a newer "
             "pg_dump with --pg-dump"},
};

void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

class BadInputTest : public ::testing::TestWithParam<BadInput> {
 protected:
  static void TearDownTestSuite() {
    source_.reset();
    target_.reset();
    physical_.reset();
    directory_.reset();
  }

  void SetUp() override {
    if (source_ == nullptr) StartServers();
    for (PgServer* server : {source_.get(), target_.get(), physical_.get()}) {
      ASSERT_NE(server, nullptr);
      ASSERT_OK(server->Exec("DROP DATABASE IF EXISTS app WITH (FORCE)"));
      ASSERT_OK(server->Exec("CREATE DATABASE app"));
    }
    ASSERT_OK(source_->Exec(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION pub FOR TABLE "
        "t",
        "app"));
    ASSERT_OK(source_->Exec(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
        "app"));
    for (const auto& [server, sql] :
         {std::pair(source_.get(), GetParam().on_source),
          std::pair(target_.get(), GetParam().on_target)}) {
      if (sql.empty()) continue;
      ASSERT_OK(server->Exec(sql, "app"));
    }
  }

  void TearDown() override {
    EXPECT_OK(source_->Exec("SELECT pg_drop_replication_slot('slot')", "app"));
  }

  static void StartServers() {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start({.password = "opensesame"}));
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start({.password = "opensesame"}));
    ASSERT_OK_AND_ASSIGN(
        physical_, PgServer::Start({.settings = {{"wal_level", "replica"}},
                                    .password = "opensesame"}));
    ASSERT_OK(target_->Exec("CREATE ROLE guest LOGIN PASSWORD 'sesame'"));
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_ = std::make_unique<TempDir>(std::move(directory));
    old_dump_ = WriteFakePgDump(directory_->path(), "9.6");
  }

  static std::string Filled(const std::string& text) {
    return absl::StrReplaceAll(
        text, {{"$SOURCE_PORT", absl::StrCat(source_->port())},
               {"$TARGET_PORT", absl::StrCat(target_->port())},
               {"$SOURCE", source_->ConnInfo("app")},
               {"$TARGET", target_->ConnInfo("app")},
               {"$PHYSICAL", physical_->ConnInfo("app")},
               {"$OLD_DUMP", old_dump_},
               {"$MAJOR", absl::StrCat(source_->major_version())}});
  }

  // All that walferry might have made, on any server.
  static std::string Objects() {
    std::string found;
    for (PgServer* server : {source_.get(), target_.get(), physical_.get()}) {
      const auto names = server->QueryValue(
          "SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM ("
          "SELECT 'slot ' || slot_name AS name FROM pg_replication_slots"
          " UNION ALL SELECT 'publication ' || pubname FROM pg_publication"
          " UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin"
          " UNION ALL SELECT 'schema ' || nspname FROM pg_namespace"
          " UNION ALL SELECT 'relation ' || oid::regclass FROM pg_class"
          " WHERE oid >= 16384) names",
          "app");
      EXPECT_OK(names);
      absl::StrAppend(&found, names.value_or("?"), "\n");
    }
    return found;
  }

  inline static std::unique_ptr<PgServer> source_;
  inline static std::unique_ptr<PgServer> target_;
  inline static std::unique_ptr<PgServer> physical_;
  inline static std::unique_ptr<TempDir> directory_;
  inline static std::string old_dump_;
};

TEST_P(BadInputTest, IsToldAtOnceAndLeavesNothingBehind) {
  const std::string before = Objects();
  std::vector<std::string> command = {WalferryBinary()};
  for (const std::string& argument : GetParam().arguments) {
    command.push_back(Filled(argument));
  }
  ASSERT_OK_AND_ASSIGN(
      const CommandResult result,
      RunCommand({.command = command, .clean_environment = true},
                 kTestPatience));
  EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.output;
  const size_t error = result.output.find("walferry: error: ");
  ASSERT_NE(error, std::string::npos) << result.output;
  EXPECT_EQ(result.output.substr(error),
            absl::StrCat("walferry: error: ", Filled(GetParam().error),
                         "\nwalferry: hint: ", Filled(GetParam().hint), "\n"));
  EXPECT_EQ(Objects(), before);
}

INSTANTIATE_TEST_SUITE_P(Inputs, BadInputTest, ::testing::ValuesIn(kBadInputs),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace walferry
