// migrate, check and status of all databases: what they ask for, show and end
// with.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"
#include "tests/tools/fake_terminal.h"
#include "tests/tools/program_fixture.h"
#include "tools/server_text.h"

namespace walferry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ServerCommandTest : public ProgramTest {
 protected:
  static ServerReport TwoDatabases() {
    return {.name = "move",
            .databases = {{.database = "shop",
                           .report = {.tables = 3,
                                      .rows_copied = 12000,
                                      .bytes_copied = int64_t{3} << 20,
                                      .remarks = {"view v was left out"}},
                           .phases = {{Phase::kCheck, absl::Milliseconds(120)},
                                      {Phase::kCopy, absl::Seconds(4)}},
                           .elapsed = absl::Seconds(9)},
                          {.database = "crm", .elapsed = absl::Seconds(1)}},
            .left_out = {"postgres (is empty)"},
            .elapsed = absl::Seconds(75)};
  }
};

TEST_F(ServerCommandTest, AsksForWhatItIsTold) {
  ServerMigrateOptions asked;
  engine_.migrate_server = [&](const ServerMigrateOptions& options, Control&,
                               ServerEventSink&) {
    asked = options;
    return absl::StatusOr<ServerReport>(TwoDatabases());
  };
  EXPECT_EQ(Run({"migrate",
                 "--all-databases",
                 "--mode",
                 "offline",
                 "--database",
                 "s*",
                 "--exclude-database",
                 "sx",
                 "--use-existing",
                 "--no-globals",
                 "--max-parallel",
                 "7",
                 "--dump-parallel",
                 "3",
                 "--restore-parallel",
                 "5",
                 "--fast-target",
                 "--tablespace-mapping",
                 "a=/b",
                 "--accept",
                 "database-owner,role-setting,server-connections,tablespace"}),
            ExitCode::kDone)
      << err();
  EXPECT_THAT(asked.databases.databases, ElementsAre("s*"));
  EXPECT_THAT(asked.databases.exclude_databases, ElementsAre("sx"));
  EXPECT_TRUE(asked.use_existing);
  EXPECT_FALSE(asked.globals);
  EXPECT_EQ(asked.max_parallel, 7);
  EXPECT_EQ(asked.dump_parallel, 3);
  EXPECT_EQ(asked.restore_parallel, 5);
  EXPECT_TRUE(asked.migrate.fast_target);
  EXPECT_EQ(asked.globals_plan.tablespaces[0].to, "/b");
  EXPECT_EQ(asked.migrate.accept.size(), 4u);
  EXPECT_EQ(
      out(),
      "move: 2 of 2 databases done in 1 min 15 s\n"
      "  copied             12,000 rows, 3.0 MiB in 3 tables\n"
      "  left out           postgres (is empty)\n"
      "  remark             nothing that was written to the source since "
      "its rows were read is on the target\n"
      "\n"
      "database  state  tables    rows    bytes   check  prepare  schema  "
      " copy  indexes  in all\n"
      "shop      done        3  12,000  3.0 MiB  120 ms        -       - "
      " 4.0 s        -   9.0 s\n"
      "crm       done        0       0      0 B       -        -       - "
      "     -        -   1.0 s\n"
      "\n"
      "shop:\n"
      "  remark             view v was left out\n");
}

// The table's defaults are the engine's.
TEST_F(ServerCommandTest, HasTheEnginesDefaults) {
  ServerMigrateOptions asked;
  engine_.migrate_server = [&](const ServerMigrateOptions& options, Control&,
                               ServerEventSink&) {
    asked = options;
    return absl::StatusOr<ServerReport>(ServerReport{});
  };
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline"}),
            ExitCode::kDone);
  const ServerMigrateOptions engine;
  EXPECT_EQ(asked.globals, engine.globals);
  EXPECT_EQ(asked.use_existing, engine.use_existing);
  EXPECT_EQ(asked.max_parallel, engine.max_parallel);
  EXPECT_EQ(asked.dump_parallel, engine.dump_parallel);
  EXPECT_EQ(asked.restore_parallel, engine.restore_parallel);
  EXPECT_EQ(asked.migrate.fast_target, engine.migrate.fast_target);
  EXPECT_EQ(asked.verify_concurrency, engine.verify_concurrency);
  EXPECT_EQ(asked.globals_plan.passwords, engine.globals_plan.passwords);
  EXPECT_THAT(asked.databases.databases, testing::IsEmpty());
}

TEST_F(ServerCommandTest, SaysWhatBecameOfEachWhenOneFails) {
  engine_.migrate_server = [&](const ServerMigrateOptions&, Control&,
                               ServerEventSink& events) {
    events.OnEvent("", PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent("shop", PhaseStarted{.phase = Phase::kSchema});
    events.OnEvent("shop", Done{});
    const absl::Status broken = absl::FailedPreconditionError("no such type");
    events.OnEvent("crm", Failed{.phase = Phase::kSchema, .status = broken});
    events.OnEvent("", Failed{.phase = Phase::kCopy, .status = broken});
    ServerReport report = TwoDatabases();
    report.databases[1].status = broken;
    return absl::StatusOr<ServerReport>(report);
  };
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline"}),
            ExitCode::kFailed);
  EXPECT_THAT(out(), HasSubstr("move: 1 of 2 databases done"));
  EXPECT_THAT(out(), HasSubstr("crm       failed       -"));
  EXPECT_THAT(err(),
              testing::MatchesRegex(".* info    copy: started\n"
                                    ".* info    shop: schema: started\n"
                                    ".* info    shop: done in 0 ms\n"
                                    ".* error   crm: no such type\n"
                                    "walferry: error: 1 of 2 databases done\n"
                                    "database crm: no such type\n"
                                    "walferry: hint: .*\n"));
}

TEST_F(ServerCommandTest, ComparesByTheMethodThatIsAskedFor) {
  ServerMigrateOptions asked;
  engine_.migrate_server = [&](const ServerMigrateOptions& options, Control&,
                               ServerEventSink&) {
    asked = options;
    return absl::StatusOr<ServerReport>(TwoDatabases());
  };
  VerifyOptions compared;
  VerifyReport found = {.source = "old/shop", .target = "new/shop"};
  found.tables = {{.table = {"public", "t"},
                   .outcome = TableVerdict::Outcome::kDifferent,
                   .missing = 2}};
  engine_.verify = [&](const VerifyOptions& options, Control&, EventSink&) {
    compared = options;
    return absl::StatusOr<VerifyReport>(found);
  };
  std::vector<std::string> command = {"migrate", "--all-databases",
                                      "--mode=offline"};
  EXPECT_EQ(Run(command), ExitCode::kDone);
  EXPECT_EQ(asked.verify, VerifyMethod::kCounts);
  command.insert(command.end(),
                 {"--verify=checksum", "--verify-concurrency=5"});
  EXPECT_EQ(Run(command), ExitCode::kDone);
  EXPECT_EQ(asked.verify, VerifyMethod::kChecksum);
  EXPECT_EQ(asked.verify_concurrency, 5);
  MigrateOptions migrate = asked.migrate;
  migrate.endpoints.target = "dbname=shop";
  migrate.scope.delay_table_data = {"t"};
  Control control;
  EventRecorder events;
  EXPECT_THAT(
      asked.compare(migrate, VerifyShare::kBehindClients, control, events),
      IsOkAndHolds("new/shop is not as old/shop: 2 rows in 1 of 1 table"));
  EXPECT_EQ(compared.endpoints.target, "dbname=shop");
  EXPECT_EQ(compared.method, VerifyMethod::kChecksum);
  EXPECT_EQ(compared.share, VerifyShare::kBehindClients);
  EXPECT_FALSE(compared.schema);
  EXPECT_EQ(events.All<Notice>()[0].text,
            "public.t: 2 rows missing on the target");
  found.tables[0] = {.outcome = TableVerdict::Outcome::kEqual};
  EXPECT_THAT(asked.compare(migrate, VerifyShare::kAll, control, events),
              IsOkAndHolds(""));

  EXPECT_EQ(
      Run({"migrate", "--all-databases", "--mode=offline", "--verify=off"}),
      ExitCode::kDone);
  EXPECT_EQ(asked.verify, VerifyMethod::kOff);
  EXPECT_FALSE(asked.compare);
}

TEST_F(ServerCommandTest, LendsOnlineMigrationsTheComparison) {
  bool lent = false;
  engine_.migrate_server = [&](const ServerMigrateOptions& options, Control&,
                               ServerEventSink&) {
    lent = options.migrate.proof != nullptr;
    EXPECT_FALSE(options.compare);
    EXPECT_EQ(options.verify, VerifyMethod::kOff);
    return absl::StatusOr<ServerReport>(TwoDatabases());
  };
  EXPECT_EQ(Run({"migrate", "--all-databases"}), ExitCode::kDone) << err();
  EXPECT_TRUE(lent);
  EXPECT_EQ(Run({"migrate", "--all-databases", "--verify=counts"}),
            ExitCode::kDone)
      << err();
  EXPECT_TRUE(lent);
  EXPECT_EQ(Run({"migrate", "--all-databases", "--verify=off"}),
            ExitCode::kDone)
      << err();
  EXPECT_FALSE(lent);
}

TEST_F(ServerCommandTest, EndsWithThreeIfADatabaseDiffers) {
  ServerReport report = TwoDatabases();
  report.databases[0].comparison = {
      .state = ComparisonResult::State::kDifferent,
      .method = VerifyMethod::kCounts,
      .found = "new/shop is not as old/shop: 1 of 3 tables"};
  report.databases[1].comparison.state = ComparisonResult::State::kEqual;
  engine_.migrate_server = [&](const ServerMigrateOptions&, Control&,
                               ServerEventSink&) {
    return absl::StatusOr<ServerReport>(report);
  };
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline"}),
            ExitCode::kDifferences);
  EXPECT_THAT(out(), HasSubstr("\nshop      done, different  "));
  EXPECT_THAT(out(), HasSubstr("\ncrm       done, equal      "));
  EXPECT_THAT(out(), HasSubstr("  indexes  verify  in all\n"));
  EXPECT_THAT(out(), HasSubstr("\nshop:\n  differs            new/shop is not "
                               "as old/shop: 1 of 3 tables\n"));
  EXPECT_EQ(err(),
            "walferry: error: 1 of 2 databases is not as on the source\n"
            "database shop: new/shop is not as old/shop: 1 of 3 tables\n"
            "walferry: hint: walferry verify with --source and --target of "
            "such a database names the rows; what was written to the source "
            "since its rows were read is not on the target; the same command "
            "compares these databases again\n");
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline", "--events=-"}),
            ExitCode::kDifferences);
  EXPECT_THAT(out(), HasSubstr("\"event\":\"error\""));
  EXPECT_THAT(out(), testing::Not(HasSubstr("\"event\":\"done\"")));
  // What failed is worse, and says it, too.
  report.databases[1].status = absl::FailedPreconditionError("no such type");
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline"}),
            ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("walferry: error: 1 of 2 databases done\n"
                               "database crm: no such type\n"
                               "database shop: new/shop is not as old/shop: 1 "
                               "of 3 tables\n"));
}

TEST_F(ServerCommandTest, CanBeResumedAfterAStop) {
  engine_.migrate_server = [&](const ServerMigrateOptions&, Control&,
                               ServerEventSink&) {
    ServerReport report = TwoDatabases();
    report.databases[1].status = absl::CancelledError("stopped");
    return absl::StatusOr<ServerReport>(report);
  };
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline"}),
            ExitCode::kResumable);
  EXPECT_THAT(err(),
              HasSubstr("walferry: error: stopped: 1 of 2 databases done\n"
                        "walferry: hint: the same command goes on where this "
                        "one stopped\n"));
}

TEST_F(ServerCommandTest, LabelsEventsAndEndsThemOnce) {
  engine_.migrate_server = [&](const ServerMigrateOptions&, Control&,
                               ServerEventSink& events) {
    events.OnEvent("", PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent("shop", PhaseStarted{.phase = Phase::kIndexes});
    events.OnEvent("crm", Notice{.text = "hello"});
    events.OnEvent("shop", Done{});
    events.OnEvent("", Done{});
    return absl::StatusOr<ServerReport>(TwoDatabases());
  };
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline", "--events=-"}),
            ExitCode::kDone);
  std::vector<std::string> seen;
  for (absl::string_view line :
       absl::StrSplit(out(), '\n', absl::SkipEmpty())) {
    const auto json = nlohmann::json::parse(line.begin(), line.end());
    seen.push_back(absl::StrCat(json["database"].get<std::string>(), " ",
                                json["phase"].get<std::string>(), " ",
                                json["event"].get<std::string>()));
  }
  EXPECT_THAT(seen,
              ElementsAre(" copy phase_started", "shop indexes phase_started",
                          "crm check notice", "shop done done", " done done"));
}

TEST_F(ServerCommandTest, DrawsATableOfDatabases) {
  err_is_terminal_ = true;
  environment_["TERM"] = "xterm";
  environment_["NO_COLOR"] = "1";
  engine_.migrate_server = [&](const ServerMigrateOptions&, Control&,
                               ServerEventSink& events) {
    events.OnEvent("", PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent("", Progress{.items_done = 1, .items_total = 5});
    events.OnEvent("crm", Done{});
    events.OnEvent("shop", PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent("shop", Progress{.items_done = 1,
                                    .items_total = 4,
                                    .bytes = int64_t{1} << 20,
                                    .bytes_total = int64_t{4} << 20});
    EXPECT_TRUE(WaitUntil([&] {
      return absl::StrContains(err(), "1/4 tables") &&
             absl::StrContains(err(), "1.0 MiB of 4.0 MiB") &&
             absl::StrContains(err(), "databases  1/5 done");
    })) << err();
    return absl::StatusOr<ServerReport>(TwoDatabases());
  };
  EXPECT_EQ(Run({"migrate", "--all-databases", "--mode=offline"}),
            ExitCode::kDone);
}

struct Refused {
  std::vector<std::string> arguments;
  std::string error;
};

TEST_F(ServerCommandTest, RefusesWhatDoesNotGoTogether) {
  for (const auto& [arguments, error] : std::vector<Refused>{
           {{"migrate", "--all-databases", "--slot=s"},
            "walferry: error: --slot does not go with --all-databases\n"
            "walferry: hint: each database has a slot of its own\n"},
           {{"migrate", "--mode=offline", "--verify-concurrency=3"},
            "walferry: error: --verify-concurrency goes with --all-databases "
            "only\n"
            "walferry: hint: one database is named by --source and "
            "--target\n"},
           {{"migrate", "--all-databases", "--publication=p"},
            "walferry: error: --publication does not go with --all-databases\n"
            "walferry: hint: each database has a publication of its own\n"},
           {{"migrate", "--all-databases", "--fast-target"},
            "walferry: error: --fast-target goes with --mode offline only\n"
            "walferry: hint: an online migration's target must keep what it "
            "has confirmed\n"},
           {{"migrate", "--all-databases", "--mode=offline", "--table=t"},
            "walferry: error: --table does not go with --all-databases\n"
            "walferry: hint: exclude what is not wanted, or move that database "
            "by itself\n"},
           {{"migrate", "--mode=offline", "--max-parallel=3"},
            "walferry: error: --max-parallel goes with --all-databases only\n"
            "walferry: hint: one database is named by --source and --target\n"},
           {{"check", "--mode=offline", "--database=x"},
            "walferry: error: --database goes with --all-databases only\n"
            "walferry: hint: one database is named by --source and --target\n"},
           {{"migrate", "--fast-target"},
            "walferry: error: --fast-target goes with --mode offline only\n"
            "walferry: hint: an online migration's target must keep what it "
            "has confirmed\n"},
           {{"migrate", "--mode=offline", "--accept=database-owner"},
            "walferry: error: --accept: no finding has the id "
            "\"database-owner\"\n"
            "walferry: hint: walferry check --json tells the id of each "
            "finding\n"}}) {
    EXPECT_EQ(Run(arguments), ExitCode::kUsage);
    EXPECT_EQ(err(), error);
  }
}

TEST_F(ServerCommandTest, ChecksAllDatabases) {
  engine_.check_server = [&](const ServerMigrateOptions&, Control&) {
    return absl::StatusOr<CheckReport>(
        CheckReport{.findings = {{.id = "database-exists",
                                  .severity = Severity::kBlocking,
                                  .acceptable = true,
                                  .subject = "database shop",
                                  .text = "exists"}}});
  };
  EXPECT_EQ(Run({"check", "--all-databases", "--mode=offline"}),
            ExitCode::kFailed);
  EXPECT_THAT(out(), HasSubstr("database shop"));
  EXPECT_EQ(Run({"check", "--all-databases", "--mode=offline", "--accept",
                 "database-exists"}),
            ExitCode::kDone);
}

TEST_F(ServerCommandTest, ShowsTheStatusOfAllDatabases) {
  engine_.status_server = [&](const StatusOptions& options, Control&) {
    EXPECT_EQ(options.name, "move");
    ServerStatus status{.name = "move",
                        .phase = "copy",
                        .running = true,
                        .started_at = absl::FromUnixSeconds(1767225540),
                        .fast_target = true,
                        .last_error = "database crm: gone"};
    status.databases = {{.database = "crm",
                         .phase = "copy",
                         .running = true,
                         .tables = 4,
                         .tables_copied = 1,
                         .steps_done = 2,
                         .steps_total = 12,
                         .bytes = int64_t{1} << 20,
                         .bytes_total = int64_t{3} << 20,
                         .bytes_per_second = double{1 << 20},
                         .last_error = "gone"},
                        {.database = "shop", .phase = "waiting"}};
    return absl::StatusOr<std::optional<ServerStatus>>(status);
  };
  EXPECT_EQ(Run({"status", "--name", "move"}), ExitCode::kDone);
  EXPECT_EQ(out(),
            "move: all databases, phase copy, running\n"
            "  started            2025-12-31 23:59:00 UTC, 1 min 00 s ago\n"
            "  databases done     0 of 2\n"
            "  target             fsync and other settings are changed for the "
            "time of the run\n"
            "  last error         database crm: gone\n"
            "\n"
            "database  step           tables    steps    bytes       of       "
            "rate   left\n"
            "crm       copy, running  1 of 4  2 of 12  1.0 MiB  3.0 MiB  1.0 "
            "MiB/s  2.0 s\n"
            "shop      waiting             -        -      0 B        ?        "
            "  -      -\n"
            "\n"
            "crm: gone\n");
  EXPECT_EQ(Run({"status", "--name", "move", "--json"}), ExitCode::kDone);
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json["kind"], "server");
  EXPECT_EQ(json["databases"][0]["seconds_left"], 2.0);
  EXPECT_TRUE(json["databases"][1]["bytes_total"].is_null());
}

TEST_F(ServerCommandTest, ShowsWhatComparisonsHaveFound) {
  engine_.status_server = [&](const StatusOptions&, Control&) {
    using State = ComparisonResult::State;
    ServerStatus status{.name = "move",
                        .phase = "copy",
                        .running = true,
                        .started_at = absl::FromUnixSeconds(1767225540)};
    status.databases = {
        {.database = "crm",
         .phase = "done",
         .comparison = {.state = State::kDifferent,
                        .method = VerifyMethod::kChecksum,
                        .found = "new/crm is not as old/crm: 1 of 4 tables"}},
        {.database = "hr",
         .phase = "done",
         .comparison = {.state = State::kEqual,
                        .method = VerifyMethod::kCounts}},
        {.database = "shop",
         .phase = "verify",
         .running = true,
         .comparison = {.state = State::kComparing,
                        .method = VerifyMethod::kCounts}}};
    return absl::StatusOr<std::optional<ServerStatus>>(status);
  };
  EXPECT_EQ(Run({"status", "--name", "move"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("\ncrm       done, different  "));
  EXPECT_THAT(out(), HasSubstr("\nhr        done, equal  "));
  EXPECT_THAT(out(), HasSubstr("\nshop      verify, running  "));
  EXPECT_THAT(out(),
              HasSubstr("\ncrm: new/crm is not as old/crm: 1 of 4 tables\n"));
  EXPECT_EQ(Run({"status", "--name", "move", "--json"}), ExitCode::kDone);
  const auto json = nlohmann::json::parse(out())["databases"];
  EXPECT_EQ(json[0]["compared"], "different");
  EXPECT_EQ(json[0]["compared_by"], "checksum");
  EXPECT_EQ(json[0]["compared_found"],
            "new/crm is not as old/crm: 1 of 4 tables");
  EXPECT_EQ(json[2]["compared"], "comparing");
}

TEST_F(ServerCommandTest, ShowsHowFarDatabasesAreBehind) {
  engine_.status_server = [&](const StatusOptions&, Control&) {
    ServerStatus status{.name = "move",
                        .phase = "cutover",
                        .waiting_for = "databases to be still: shop",
                        .running = true,
                        .started_at = absl::FromUnixSeconds(1767225540)};
    status.databases = {{.database = "shop",
                         .phase = "cutover",
                         .running = true,
                         .lag_bytes = 2048,
                         .waiting_for = "the source to stay still"}};
    return absl::StatusOr<std::optional<ServerStatus>>(status);
  };
  EXPECT_EQ(Run({"status", "--all-databases"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("waiting for        databases to be still: "
                               "shop\n"));
  EXPECT_THAT(out(), HasSubstr("2.0 KiB behind"));
  EXPECT_THAT(out(), HasSubstr("\nshop: waiting for the source to stay "
                               "still\n"));
}

TEST_F(ServerCommandTest, SaysHowLongThePausesWere) {
  engine_.migrate_server = [&](const ServerMigrateOptions& options, Control&,
                               ServerEventSink& events) {
    EXPECT_EQ(options.migrate.mode, MigrateMode::kOnline);
    events.OnEvent("shop", PhaseStarted{.phase = Phase::kFollow});
    events.OnEvent("shop", Lag{.lag_bytes = 2048});
    ServerReport report = TwoDatabases();
    report.online = true;
    report.pause = absl::Seconds(2);
    for (DatabaseReport& database : report.databases) {
      database.report.freeze_to_done = absl::Seconds(1);
      database.report.transactions_applied = 4;
    }
    return absl::StatusOr<ServerReport>(report);
  };
  EXPECT_EQ(Run({"migrate", "--all-databases"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("  applied            8 transactions\n"
                               "  pause of all       2.0 s\n"));
  EXPECT_THAT(out(), testing::ContainsRegex("indexes +pause +in all\n"));
  EXPECT_THAT(out(), testing::ContainsRegex("\ncrm +done .* 1.0 s +1.0 s\n"));
}

// A name that is one database's is not taken for all of them.
TEST_F(ServerCommandTest, TakesNothingElseForAllDatabases) {
  engine_.status_server = [](const StatusOptions&, Control&) {
    return absl::StatusOr<std::optional<ServerStatus>>(std::nullopt);
  };
  for (const char* command : {"status", "cutover", "cleanup"}) {
    EXPECT_EQ(Run({command, "--all-databases", "--name=move"}),
              ExitCode::kFailed);
    EXPECT_EQ(
        err(),
        "walferry: error: target: there is no move of all databases move "
        "in ledger schema walferry\n"
        "walferry: hint: check --name and --ledger-schema; --target names "
        "the same database as for the command that moves them\n");
  }
}

}  // namespace
}  // namespace walferry
