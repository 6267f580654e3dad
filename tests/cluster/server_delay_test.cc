// RunServerMigration with tables whose rows come last.

#include <functional>
#include <string>
#include <utility>

#include "engine/target/fast_target.h"
#include "tests/cluster/server_fixture.h"
#include "tests/cluster/status_of_move.h"

namespace walferry {
namespace {

// Acts when clients may work on the database.
class WhenUsable : public ServerEventSink {
 public:
  WhenUsable(std::string database, std::function<void()> act)
      : database_(std::move(database)), act_(std::move(act)) {}

  void OnEvent(absl::string_view database, const Event& event) override {
    if (!std::holds_alternative<Usable>(event)) return;
    ++databases_;
    if (database == database_) act_();
  }

  int databases() const { return databases_; }

 private:
  const std::string database_;
  const std::function<void()> act_;
  int databases_ = 0;
};

TEST_F(ServerTest, LetsClientsInBeforeDelayedRowsAreThere) {
  ServerMigrateOptions options = MoveOptions();
  options.delay_table_data = {"shop.public.orders", "[lw]*.words"};
  Control control;
  WhenUsable events("shop", [&] {
    EXPECT_THAT(target_->QueryValue("SELECT (SELECT count(*) FROM accounts) || "
                                    "' ' || (SELECT count(*) FROM orders)",
                                    "shop"),
                IsOkAndHolds("4000 0"));
    // What its owner has made of it.
    EXPECT_THAT(target_->QueryValue("SELECT shobj_description(oid, "
                                    "'pg_database') FROM pg_database WHERE "
                                    "datname = 'shop'"),
                IsOkAndHolds("the shop's"));
    EXPECT_THAT(target_->QueryValue("SHOW search_path", "shop"),
                IsOkAndHolds("public, \"b c\""));
    const auto status = StatusOfMove(*target_);
    ASSERT_OK(status);
    for (const DatabaseStatus& one : status->databases) {
      if (one.database != "shop") continue;
      EXPECT_TRUE(one.usable);
      EXPECT_LT(one.tables_copied, one.tables);
    }
  });
  ASSERT_OK_AND_ASSIGN(const ServerReport report,
                       RunServerMigration(options, control, events));
  ASSERT_OK(OutcomeOf(report));
  ExpectAllEqual();
  EXPECT_EQ(events.databases(), 3);  // And "latin one" and "win".
  for (const DatabaseReport& database : report.databases) {
    EXPECT_EQ(database.usable, database.database == "shop" ||
                                   database.database == "win" ||
                                   database.database == "latin one");
  }
  // It goes on only as it was begun.
  options.delay_table_data.pop_back();
  EXPECT_THAT(Move(options).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --delay-table-data "
                       "[\"shop.public.orders\",\"[lw]*.words\"], not "
                       "[\"shop.public.orders\"]"));
}

class FastServerTest : public ServerTest {
 protected:
  void SetUp() override {
    StartAndLoad({}, {.settings = {{"fsync", "on"},
                                   {"full_page_writes", "on"},
                                   {"synchronous_commit", "on"}}});
  }
};

TEST_F(FastServerTest, IsDurableWhenTheFirstClientsComeAndStaysSo) {
  ServerMigrateOptions options = MoveOptions();
  options.migrate.fast_target = true;
  options.delay_table_data = {"shop.orders"};
  const auto fsync = [&] {
    return target_->QueryValue("SHOW fsync").value_or("error");
  };
  Control control;
  WhenUsable events("shop", [&] {
    EXPECT_EQ(fsync(), "on");
    control.RequestStop();
  });
  ASSERT_OK_AND_ASSIGN(ServerReport report,
                       RunServerMigration(options, control, events));
  EXPECT_FALSE(OutcomeOf(report).ok());
  EXPECT_EQ(events.databases(), 1);
  ASSERT_OK_AND_ASSIGN(report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  std::vector<std::string> notices;
  for (const Notice& notice : moves_.All<Notice>("")) {
    notices.push_back(notice.text);
  }
  EXPECT_THAT(notices, testing::Contains(kNotFastText));
  EXPECT_THAT(notices, testing::Not(testing::Contains(kFastTargetWarning)));
  EXPECT_EQ(fsync(), "on");
  ExpectAllEqual();
}

TEST_F(ServerTest, NamesADelayedTablesDatabaseThatIsNotThere) {
  ServerMigrateOptions options = MoveOptions();
  options.delay_table_data = {"shp.orders"};
  EXPECT_THAT(Move(options).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "source: no database that is moved matches "
                       "--delay-table-data shp.orders"));
}

}  // namespace
}  // namespace walferry
