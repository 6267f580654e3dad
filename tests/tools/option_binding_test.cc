#include "tools/option_binding.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

OptionValues Values(Command command, FlagTexts flags) {
  absl::StatusOr<OptionValues> values = OptionValues::Resolve(
      command, flags, [](const std::string&) { return std::nullopt; }, {});
  EXPECT_OK(values);
  return *std::move(values);
}

FlagTexts BothSides() {
  return {{OptionId::kSource, {"host=old"}}, {OptionId::kTarget, {"host=new"}}};
}

FlagTexts With(FlagTexts flags, const FlagTexts& more) {
  flags.insert(more.begin(), more.end());
  return flags;
}

void ExpectEqual(const StreamOptions& left, const StreamOptions& right) {
  EXPECT_EQ(left.poll_interval, right.poll_interval);
  EXPECT_EQ(left.lag_threshold_bytes, right.lag_threshold_bytes);
  EXPECT_EQ(left.batch_bytes, right.batch_bytes);
  EXPECT_EQ(left.apply_jobs, right.apply_jobs);
  EXPECT_EQ(left.binary, right.binary);
  EXPECT_EQ(left.receive_timeout, right.receive_timeout);
  EXPECT_EQ(left.retry_for, right.retry_for);
}

// The table's defaults are the engine's.
TEST(OptionBinding, HasTheEnginesDefaultsForMigrate) {
  ASSERT_OK_AND_ASSIGN(const MigrateOptions bound,
                       BindMigrate(Values(Command::kMigrate, BothSides())));
  const MigrateOptions engine;
  EXPECT_EQ(bound.endpoints.source, "host=old");
  EXPECT_EQ(bound.endpoints.target, "host=new");
  EXPECT_EQ(bound.endpoints.name, engine.endpoints.name);
  EXPECT_EQ(bound.endpoints.ledger_schema, engine.endpoints.ledger_schema);
  EXPECT_EQ(bound.endpoints.connect_timeout, engine.endpoints.connect_timeout);
  EXPECT_EQ(bound.mode, engine.mode);
  EXPECT_EQ(bound.scope, engine.scope);
  EXPECT_EQ(bound.publication, engine.publication);
  EXPECT_EQ(bound.slot, engine.slot);
  EXPECT_EQ(bound.jobs, engine.jobs);
  EXPECT_EQ(bound.index_jobs, engine.index_jobs);
  EXPECT_EQ(bound.split_bytes, engine.split_bytes);
  EXPECT_EQ(bound.no_owner, engine.no_owner);
  EXPECT_EQ(bound.no_acl, engine.no_acl);
  EXPECT_EQ(bound.sequence_sync, engine.sequence_sync);
  EXPECT_EQ(bound.analyze, engine.analyze);
  EXPECT_EQ(bound.accept, engine.accept);
  EXPECT_EQ(bound.pg_dump, engine.pg_dump);
  EXPECT_EQ(bound.cutover, engine.cutover);
  EXPECT_EQ(bound.freeze, engine.freeze);
  EXPECT_EQ(bound.cutover_timeout, engine.cutover_timeout);
  EXPECT_EQ(bound.keep_slot, engine.keep_slot);
  EXPECT_EQ(bound.keep_publication, engine.keep_publication);
  ExpectEqual(bound.stream, engine.stream);
}

TEST(OptionBinding, HasTheEnginesDefaultsForTheOthers) {
  const FlagTexts target = {{OptionId::kTarget, {"host=new"}}};
  ASSERT_OK_AND_ASSIGN(const CutoverOptions cutover,
                       BindCutover(Values(Command::kCutover, target)));
  EXPECT_EQ(cutover.name, CutoverOptions().name);
  EXPECT_EQ(cutover.ledger_schema, CutoverOptions().ledger_schema);
  EXPECT_EQ(cutover.wait, CutoverOptions().wait);
  ASSERT_OK_AND_ASSIGN(const StatusOptions status,
                       BindStatus(Values(Command::kStatus, target)));
  EXPECT_EQ(status.target, "host=new");
  EXPECT_EQ(status.name, StatusOptions().name);
  EXPECT_EQ(status.ledger_schema, StatusOptions().ledger_schema);
  ASSERT_OK_AND_ASSIGN(const CleanupOptions cleanup,
                       BindCleanup(Values(Command::kCleanup, BothSides())));
  EXPECT_EQ(cleanup.force, CleanupOptions().force);
}

TEST(OptionBinding, HandsEveryMigrateOptionToTheEngine) {
  const FlagTexts flags = {{OptionId::kName, {"shop"}},
                           {OptionId::kLedgerSchema, {"moves"}},
                           {OptionId::kConnectTimeout, {"3s"}},
                           {OptionId::kSchema, {"a"}},
                           {OptionId::kExcludeSchema, {"b"}},
                           {OptionId::kTable, {"c"}},
                           {OptionId::kExcludeTable, {"d"}},
                           {OptionId::kExcludeTableData, {"e"}},
                           {OptionId::kPublication, {"p"}},
                           {OptionId::kSlot, {"s"}},
                           {OptionId::kAccept, {"replica-identity,wal-level"}},
                           {OptionId::kJobs, {"7"}},
                           {OptionId::kIndexJobs, {"5"}},
                           {OptionId::kSplitSize, {"1GiB"}},
                           {OptionId::kNoOwner, {"true"}},
                           {OptionId::kNoAcl, {"true"}},
                           {OptionId::kNoSequenceSync, {"true"}},
                           {OptionId::kNoAnalyze, {"true"}},
                           {OptionId::kInserts, {"true"}},
                           {OptionId::kPgDump, {"/usr/bin/pg_dump"}},
                           {OptionId::kCutover, {"auto"}},
                           {OptionId::kFreeze, {"read-only"}},
                           {OptionId::kCutoverTimeout, {"90s"}},
                           {OptionId::kKeepSlot, {"true"}},
                           {OptionId::kKeepPublication, {"true"}},
                           {OptionId::kPollInterval, {"250ms"}},
                           {OptionId::kLagThreshold, {"1MiB"}},
                           {OptionId::kMemory, {"1GiB"}},
                           {OptionId::kApplyJobs, {"3"}},
                           {OptionId::kBinary, {"off"}},
                           {OptionId::kReceiveTimeout, {"30s"}},
                           {OptionId::kRetryFor, {"1h"}}};
  ASSERT_OK_AND_ASSIGN(
      const MigrateOptions bound,
      BindMigrate(Values(Command::kMigrate, With(BothSides(), flags))));
  EXPECT_EQ(bound.endpoints.name, "shop");
  EXPECT_EQ(bound.endpoints.ledger_schema, "moves");
  EXPECT_EQ(bound.endpoints.connect_timeout, absl::Seconds(3));
  EXPECT_EQ(bound.scope, (ScopeOptions{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}}));
  EXPECT_EQ(bound.publication, "p");
  EXPECT_EQ(bound.slot, "s");
  EXPECT_THAT(bound.accept,
              testing::ElementsAre("replica-identity", "wal-level"));
  EXPECT_EQ(bound.jobs, 7);
  EXPECT_EQ(bound.index_jobs, 5);
  EXPECT_EQ(bound.split_bytes, uint64_t{1} << 30);
  EXPECT_TRUE(bound.no_owner);
  EXPECT_TRUE(bound.no_acl);
  EXPECT_TRUE(bound.inserts);
  EXPECT_FALSE(bound.sequence_sync);
  EXPECT_FALSE(bound.analyze);
  EXPECT_EQ(bound.pg_dump, "/usr/bin/pg_dump");
  EXPECT_EQ(bound.cutover, CutoverMode::kAuto);
  EXPECT_EQ(bound.freeze, FreezeMode::kReadOnly);
  EXPECT_EQ(bound.cutover_timeout, absl::Seconds(90));
  EXPECT_TRUE(bound.keep_slot);
  EXPECT_TRUE(bound.keep_publication);
  StreamOptions stream;
  stream.poll_interval = absl::Milliseconds(250);
  stream.lag_threshold_bytes = uint64_t{1} << 20;
  stream.apply_jobs = 3;
  stream.binary = BinaryMode::kOff;
  stream.batch_bytes = BatchBytesFor(size_t{1} << 30, 3);
  stream.receive_timeout = absl::Seconds(30);
  stream.retry_for = absl::Hours(1);
  ExpectEqual(bound.stream, stream);
  ASSERT_OK_AND_ASSIGN(
      const CheckOptions check,
      BindCheck(Values(Command::kCheck, With(BothSides(), flags))));
  EXPECT_EQ(check.migrate.jobs, 7);
}

TEST(OptionBinding, CarriesAPartOfADatabaseOfflineOnly) {
  const struct {
    OptionId flag;
    ScopePart part;
  } kParts[] = {{OptionId::kSchemaOnly, ScopePart::kSchema},
                {OptionId::kDataOnly, ScopePart::kRows}};
  for (const auto& [flag, part] : kParts) {
    FlagTexts flags = With(BothSides(), {{flag, {"true"}}});
    const absl::Status online =
        BindMigrate(Values(Command::kMigrate, flags)).status();
    EXPECT_EQ(online.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(online.message(), absl::StrCat("--", SpecOf(flag).name,
                                             " goes with --mode offline only"));
    EXPECT_EQ(HintOf(online),
              "an online migration follows the changes of what it has created "
              "and copied itself");
    flags[OptionId::kMode] = {"offline"};
    ASSERT_OK_AND_ASSIGN(const MigrateOptions bound,
                         BindMigrate(Values(Command::kMigrate, flags)));
    EXPECT_EQ(bound.scope.part, part);
  }
  EXPECT_EQ(
      BindMigrate(Values(Command::kMigrate,
                         With(BothSides(), {{OptionId::kMode, {"offline"}},
                                            {OptionId::kSchemaOnly, {"true"}},
                                            {OptionId::kDataOnly, {"true"}}})))
          .status()
          .message(),
      "--schema-only and --data-only exclude each other");
}

TEST(OptionBinding, DelaysTablesOfOneDatabaseOrOfAll) {
  FlagTexts flags =
      With(BothSides(), {{OptionId::kDelayTableData, {"log", "a.b.c"}}});
  EXPECT_EQ(BindMigrate(Values(Command::kMigrate, flags)).status().message(),
            "--delay-table-data goes with --mode offline only");
  flags[OptionId::kMode] = {"offline"};
  ASSERT_OK_AND_ASSIGN(const MigrateOptions bound,
                       BindMigrate(Values(Command::kMigrate, flags)));
  EXPECT_THAT(bound.scope.delay_table_data,
              testing::ElementsAre("log", "a.b.c"));
  flags[OptionId::kAllDatabases] = {"true"};
  EXPECT_EQ(
      BindServerMigrate(Values(Command::kMigrate, flags)).status().message(),
      "delay-table-data pattern \"log\" names no database");
  flags[OptionId::kDelayTableData] = {"shop.log", "a.b.c"};
  ASSERT_OK_AND_ASSIGN(const ServerMigrateOptions server,
                       BindServerMigrate(Values(Command::kMigrate, flags)));
  EXPECT_THAT(server.delay_table_data,
              testing::ElementsAre("shop.log", "a.b.c"));
  EXPECT_THAT(server.migrate.scope.delay_table_data, testing::IsEmpty());
  flags[OptionId::kInserts] = {"true"};
  EXPECT_EQ(
      BindServerMigrate(Values(Command::kMigrate, flags)).status().message(),
      "--delay-table-data does not go with --inserts");
}

TEST(OptionBinding, HandsEveryFollowOptionToTheEngine) {
  ASSERT_OK_AND_ASSIGN(
      const FollowOptions bound,
      BindFollow(Values(Command::kFollow,
                        With(BothSides(), {{OptionId::kSlot, {"s"}},
                                           {OptionId::kPublication, {"p,q"}},
                                           {OptionId::kUntilLsn, {"1/2"}}}))));
  EXPECT_EQ(bound.slot, "s");
  EXPECT_THAT(bound.publications, testing::ElementsAre("p", "q"));
  EXPECT_EQ(bound.until_lsn, Lsn(0x1'0000'0002));
  ExpectEqual(bound.stream, StreamOptions());
}

TEST(OptionBinding, HandsTheRestToTheEngine) {
  ASSERT_OK_AND_ASSIGN(
      const CutoverOptions cutover,
      BindCutover(Values(Command::kCutover, {{OptionId::kTarget, {"host=t"}},
                                             {OptionId::kName, {"shop"}},
                                             {OptionId::kLedgerSchema, {"m"}},
                                             {OptionId::kWait, {"1m"}}})));
  EXPECT_EQ(cutover.target, "host=t");
  EXPECT_EQ(cutover.name, "shop");
  EXPECT_EQ(cutover.ledger_schema, "m");
  EXPECT_EQ(cutover.wait, absl::Minutes(1));
  ASSERT_OK_AND_ASSIGN(
      const CleanupOptions cleanup,
      BindCleanup(Values(Command::kCleanup,
                         With(BothSides(), {{OptionId::kForce, {"true"}}}))));
  EXPECT_TRUE(cleanup.force);
}

TEST(OptionBinding, HandsEveryCaptureOptionToTheEngine) {
  FlagTexts flags = {{OptionId::kSource, {"host=old"}},
                     {OptionId::kPublication, {"p,q"}},
                     {OptionId::kOutput, {"f"}}};
  ASSERT_OK_AND_ASSIGN(const CaptureOptions defaults,
                       BindCapture(Values(Command::kCapture, flags)));
  EXPECT_EQ(defaults.source, "host=old");
  EXPECT_THAT(defaults.publications, testing::ElementsAre("p", "q"));
  EXPECT_EQ(defaults.output, "f");
  EXPECT_EQ(defaults.slot, CaptureOptions().slot);
  EXPECT_EQ(defaults.until_lsn, CaptureOptions().until_lsn);
  EXPECT_EQ(defaults.connect_timeout, CaptureOptions().connect_timeout);
  flags[OptionId::kSlot] = {"s"};
  flags[OptionId::kUntilLsn] = {"1/2"};
  flags[OptionId::kConnectTimeout] = {"3s"};
  ASSERT_OK_AND_ASSIGN(const CaptureOptions bound,
                       BindCapture(Values(Command::kCapture, flags)));
  EXPECT_EQ(bound.slot, "s");
  EXPECT_EQ(bound.until_lsn, Lsn(0x1'0000'0002));
  EXPECT_EQ(bound.connect_timeout, absl::Seconds(3));
}

TEST(OptionBinding, HandsEveryReplayOptionToTheEngine) {
  ASSERT_OK_AND_ASSIGN(
      const ReplayOptions decode,
      BindReplay(Values(Command::kReplay, {{OptionId::kInput, {"f"}},
                                           {OptionId::kDecode, {"true"}},
                                           {OptionId::kRepeat, {"3"}}})));
  EXPECT_EQ(decode.input, "f");
  EXPECT_EQ(decode.target, "");
  EXPECT_EQ(decode.repeat, 3);
  EXPECT_EQ(decode.batch_bytes, ReplayOptions().batch_bytes);
  EXPECT_EQ(decode.connect_timeout, ReplayOptions().connect_timeout);
  ASSERT_OK_AND_ASSIGN(
      const ReplayOptions apply,
      BindReplay(
          Values(Command::kReplay, {{OptionId::kInput, {"f"}},
                                    {OptionId::kApply, {"host=new"}},
                                    {OptionId::kMemory, {"64MiB"}},
                                    {OptionId::kConnectTimeout, {"3s"}}})));
  EXPECT_EQ(apply.target, "host=new");
  EXPECT_EQ(apply.repeat, ReplayOptions().repeat);
  EXPECT_EQ(apply.batch_bytes, BatchBytesFor(size_t{64} << 20, 1));
  EXPECT_EQ(apply.connect_timeout, absl::Seconds(3));
}

TEST(OptionBinding, ReplaysInExactlyOneWay) {
  struct Case {
    FlagTexts flags;
    const char* error;
    const char* hint;
  };
  for (const Case& c : std::vector<Case>{
           {{}, "no input is given", "use --input PATH"},
           {{{OptionId::kInput, {"f"}}},
            "neither --decode nor --apply is given",
            "use --decode, or --apply URI of a server whose data may be "
            "changed"},
           {{{OptionId::kInput, {"f"}},
             {OptionId::kDecode, {"true"}},
             {OptionId::kApply, {"host=new"}}},
            "--decode and --apply exclude each other",
            "time them one after the other"},
           {{{OptionId::kInput, {"f"}},
             {OptionId::kRepeat, {"2"}},
             {OptionId::kApply, {"host=new"}}},
            "--repeat goes with --decode only",
            "bring the target back to where the record began before each "
            "--apply"}}) {
    const absl::Status status =
        BindReplay(Values(Command::kReplay, c.flags)).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, c.error));
    EXPECT_EQ(HintOf(status), c.hint);
  }
}

TEST(OptionBinding, SaysWhatIsMissing) {
  const absl::Status no_source =
      BindMigrate(Values(Command::kMigrate, {})).status();
  EXPECT_THAT(no_source, StatusIs(absl::StatusCode::kInvalidArgument,
                                  "no source is given"));
  EXPECT_EQ(HintOf(no_source), "use --source URI or set WALFERRY_SOURCE");
  EXPECT_THAT(
      BindStatus(Values(Command::kStatus, {})),
      StatusIs(absl::StatusCode::kInvalidArgument, "no target is given"));
  EXPECT_THAT(BindFollow(Values(Command::kFollow, BothSides())),
              StatusIs(absl::StatusCode::kInvalidArgument, "no slot is given"));
  EXPECT_THAT(
      BindFollow(Values(Command::kFollow,
                        With(BothSides(), {{OptionId::kSlot, {"s"}}}))),
      StatusIs(absl::StatusCode::kInvalidArgument, "no publication is given"));
}

TEST(OptionBinding, RefusesConnectionStringsThatLibpqCannotRead) {
  FlagTexts flags = BothSides();
  flags[OptionId::kSource] = {"hots=old password=s3cret"};
  EXPECT_THAT(BindMigrate(Values(Command::kMigrate, flags)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--source: connection string: invalid connection "
                       "option \"...\""));
}

TEST(OptionBinding, SaysWhatDoesNotGoTogether) {
  EXPECT_THAT(
      BindMigrate(
          Values(Command::kMigrate,
                 With(BothSides(), {{OptionId::kPublication, {"p,q"}}}))),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "--publication must name one publication; only follow and "
               "capture take several"));
}

TEST(OptionBinding, RefusesToPlanComparisonsThatAreNotMade) {
  const auto bind = [](const char* verify) {
    return BindMigrate(Values(
        Command::kMigrate, With(BothSides(), {{OptionId::kVerifyEvery, {"1h"}},
                                              {OptionId::kVerify, {verify}}})));
  };
  EXPECT_THAT(bind("off"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--verify-every does not go with --verify off"));
  ASSERT_OK_AND_ASSIGN(const MigrateOptions options, bind("counts"));
  EXPECT_EQ(options.verify_every, absl::Hours(1));
}

TEST(OptionBinding, RefusesOfAnOfflineMigrationWhatOnlyAStreamHas) {
  const auto bind = [](FlagTexts flags) {
    flags.emplace(OptionId::kMode, std::vector<std::string>{"offline"});
    return BindMigrate(
        Values(Command::kMigrate, With(BothSides(), std::move(flags))));
  };
  ASSERT_OK_AND_ASSIGN(const MigrateOptions options, bind({}));
  EXPECT_EQ(options.mode, MigrateMode::kOffline);
  const absl::Status status = bind({{OptionId::kSlot, {"s"}}}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "--slot goes with --mode online only"));
  EXPECT_EQ(HintOf(status),
            "an offline migration copies one state of the source and ends");
  EXPECT_THAT(bind({{OptionId::kVerifyEvery, {"1h"}}}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--verify-every goes with --mode online only"));
}

TEST(OptionBinding, RefusesToAcceptWhatNoCheckFinds) {
  const auto bind = [](const char* accept) {
    return BindMigrate(Values(
        Command::kMigrate, With(BothSides(), {{OptionId::kAccept, {accept}}})));
  };
  EXPECT_OK(bind("replica-identity:public.log,schema-change"));
  EXPECT_THAT(bind("replica-identiy:public.log").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--accept: no finding has the id \"replica-identiy\""));
  EXPECT_EQ(HintOf(bind("wal-level,replica-identiy").status()),
            "did you mean replica-identity?");
  EXPECT_EQ(HintOf(bind("nonsense").status()),
            "walferry check --json tells the id of each finding");
}

}  // namespace
}  // namespace walferry
