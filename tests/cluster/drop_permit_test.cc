// What keeps a database from being dropped and made again.

#include "engine/target/drop_permit.h"

#include <gtest/gtest.h>

#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

class DropPermitTest : public AppTest {
 protected:
  void SetUp() override {
    StartServers({}, {.settings = {{"max_prepared_transactions", "5"}}});
    if (!HasFatalFailure()) CreateApp();
  }

  absl::Status Permit() const {
    ASSIGN_OR_RETURN(
        PgConnection session,
        PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
    return CheckRecreatable(session);
  }

  void ExpectRefused(const std::string& what, const std::string& hint) const {
    const absl::Status status = Permit();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, what));
    EXPECT_EQ(HintOf(status), hint);
  }
};

TEST_F(DropPermitTest, IsGivenForAnOrdinaryDatabase) { EXPECT_OK(Permit()); }

TEST_F(DropPermitTest, IsNotGivenForATemplate) {
  ASSERT_OK(target_->Exec("ALTER DATABASE app IS_TEMPLATE true"));
  ExpectRefused(
      "target: database app is a template, which cannot be dropped",
      "ALTER DATABASE \"app\" IS_TEMPLATE false, or restore into another one");
}

TEST_F(DropPermitTest, IsNotGivenWhileASlotIsRead) {
  ASSERT_OK_AND_ASSIGN(SqlConnection reader,
                       SqlConnection::Open(target_->ConnInfo("app")));
  // A temporary one is in use as long as its session lives.
  ASSERT_OK(
      reader.Exec("SELECT pg_create_logical_replication_slot('read', "
                  "'pgoutput', true)"));
  ExpectRefused(
      "target: database app has replication slots in use, so it cannot be "
      "dropped: read",
      "end what reads from them");
}

TEST_F(DropPermitTest, IsNotGivenOverSubscriptions) {
  ASSERT_OK(
      OnTarget("CREATE SUBSCRIPTION two CONNECTION 'dbname=app' PUBLICATION p "
               "WITH (connect = false)"));
  ExpectRefused(
      "target: database app has subscriptions, so it cannot be dropped: two",
      "DROP SUBSCRIPTION each of them there first");
}

TEST_F(DropPermitTest, IsNotGivenOverPreparedTransactions) {
  ASSERT_OK(
      OnTarget("BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'half done'"));
  ExpectRefused(
      "target: database app has prepared transactions, so it cannot be "
      "dropped: half done",
      "COMMIT PREPARED or ROLLBACK PREPARED each of them there");
}

TEST_F(DropPermitTest, IsNotGivenForTheOriginOfTheData) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection session,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  ASSERT_OK_AND_ASSIGN(
      const std::string system,
      session.QueryValue("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_OK(RefuseToDropOrigin(
      session, {.system_identifier = system, .dbname = "other"}));
  EXPECT_OK(
      RefuseToDropOrigin(session, {.system_identifier = "1", .dbname = "app"}));
  EXPECT_THAT(RefuseToDropOrigin(
                  session, {.system_identifier = system, .dbname = "app"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("target: database app of system ", system,
                                    " is the one that the data comes from, "
                                    "and is not dropped")));
  EXPECT_THAT(
      RefuseToDropOrigin(session, {.system_identifier = "", .dbname = "app"}),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "target: whether database app is the one that the data comes "
               "from cannot be told: a role may not call "
               "pg_control_system()"));
}

}  // namespace
}  // namespace walferry
