#ifndef TESTS_CLUSTER_CUTOVER_FIXTURE_H_
#define TESTS_CLUSTER_CUTOVER_FIXTURE_H_

// A migration that is about to cut over.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {

// notes has a trigger and a foreign key; filling the view slow waits for
// whoever holds a lock, so that a test can act in the midst of a cutover.
constexpr char kCutoverSchema[] =
    "CREATE TABLE books (id int PRIMARY KEY, title text);"
    "CREATE TABLE notes (id serial PRIMARY KEY, book int REFERENCES books,"
    " body text);"
    "CREATE TABLE log (id int PRIMARY KEY, body text);"
    "CREATE TABLE shelf (id int PRIMARY KEY, body text);"
    "CREATE VIEW titles AS SELECT id, title FROM books;"
    "CREATE FUNCTION log_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO public.log VALUES (NEW.id, NEW.body); RETURN NULL; END $$;"
    "CREATE TRIGGER log_note AFTER INSERT ON notes FOR EACH ROW EXECUTE "
    "FUNCTION log_note();"
    "CREATE RULE keep AS ON INSERT TO books DO ALSO INSERT INTO shelf VALUES "
    "(NEW.id, 'new');"
    "CREATE UNLOGGED TABLE cache (k int PRIMARY KEY, v text);"
    "CREATE SEQUENCE tickets;"
    "INSERT INTO books VALUES (1, 'one');"
    "INSERT INTO notes (book, body) VALUES (1, 'first');"
    "INSERT INTO cache VALUES (1, 'old');"
    "CREATE FUNCTION pause() RETURNS text LANGUAGE sql AS 'SELECT "
    "pg_advisory_xact_lock_shared(1)::text';"
    "CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS n, public.pause() "
    "FROM notes";

class CutoverTest : public AppTest {
 protected:
  void SetUp() override {
    StartServers();
    if (HasFatalFailure()) return;
    ASSERT_OK(source_->Exec("CREATE DATABASE app"));
    // May not set session_replication_role.
    ASSERT_OK(target_->Exec("CREATE ROLE mover LOGIN"));
    ASSERT_OK(target_->Exec("CREATE DATABASE app OWNER mover"));
    ASSERT_OK(target_->Exec("ALTER SCHEMA public OWNER TO mover", "app"));
    ASSERT_OK(OnSource(kCutoverSchema));
  }

  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.no_owner = true;
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  // As a role that may not keep triggers and foreign keys quiet.
  MigrateOptions NarrowOptions() const {
    MigrateOptions options = Options();
    options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
    return options;
  }

  // From the beginning to the end.
  static void MoveAll(const MigrateOptions& options) {
    BackgroundRun run(options);
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    run.control().RequestCutover();
    ASSERT_OK(run.Result());
  }

  static void StopWhileFollowing(const MigrateOptions& options) {
    BackgroundRun run(options);
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  }

  // Returns in the midst of the cutover, which then waits for LetCutoverGoOn().
  void CutOverUntilTheSlowView(BackgroundRun& run) {
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    ASSERT_OK_AND_ASSIGN(SqlConnection pause,
                         SqlConnection::Open(target_->ConnInfo("app")));
    ASSERT_OK(pause.Exec("SELECT pg_advisory_lock(1)"));
    pause_.emplace(std::move(pause));
    run.control().RequestCutover();
    ASSERT_TRUE(WaitUntil([this] {
      return TargetValue(
                 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                 "AND NOT granted")
                 .value_or("") == "1";
    }));
  }

  void LetCutoverGoOn() {
    ASSERT_OK(pause_->Exec("SELECT pg_advisory_unlock(1)"));
  }

  void ExpectWritable() {
    EXPECT_OK(source_->Exec("UPDATE books SET title = title || '.'", "app"));
  }

  void ExpectEqual() {
    // The source's view is as old as before.
    ASSERT_OK_AND_ASSIGN(SqlConnection source,
                         SqlConnection::Open(source_->ConnInfo("app")));
    ASSERT_OK(source.Exec("SET default_transaction_read_only = off"));
    ASSERT_OK(source.Exec("REFRESH MATERIALIZED VIEW slow"));
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  }

 private:
  std::optional<SqlConnection> pause_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_CUTOVER_FIXTURE_H_
