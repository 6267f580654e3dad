// Small pure parts of a migration: names, filters, reports, positions.

#include <gtest/gtest.h>

#include <string>

#include "engine/connect/retry_policy.h"
#include "engine/connect/source_position.h"
#include "engine/migration_name.h"
#include "engine/report_json.h"
#include "engine/scope_json.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

TEST(MigrationName, IsWhatASlotNameAllows) {
  EXPECT_OK(CheckMigrationName("orders_2"));
  EXPECT_OK(CheckMigrationName(std::string(40, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("Orders"), std::string("a-b"),
        std::string("a b"), std::string(41, 'a')}) {
    const absl::Status status = CheckMigrationName(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "the name \"" + bad + "\" cannot be used");
    EXPECT_EQ(HintOf(status),
              "a name has 1 to 40 lower-case letters, digits and underscores");
  }
}

TEST(MigrationName, NamesItsSlotAndPublication) {
  EXPECT_EQ(DefaultObjectName("walferry"), "walferry");
  EXPECT_EQ(DefaultObjectName("orders"), "walferry_orders");
}

TEST(MigrationName, StandsInCommandsUnlessTheyTakeItByThemselves) {
  const absl::string_view text =
      "run `walferry cleanup`, and not `walferry cutover`";
  EXPECT_EQ(NameCommands(text, "walferry"), text);
  EXPECT_EQ(NameCommands(text, "orders"),
            "run `walferry cleanup --name orders`, and not `walferry cutover "
            "--name orders`");
}

TEST(ScopeJson, LetsExclusionsGrowAndNothingElse) {
  const ScopeOptions begun{.schemas = {"app"}, .exclude_tables = {"log"}};
  const std::string json = ScopeToJson(begun);
  EXPECT_OK(CheckScopeUnchanged(json, begun));
  ScopeOptions grown = begun;
  grown.exclude_tables.push_back("new_table");
  EXPECT_OK(CheckScopeUnchanged(json, grown));
  ScopeOptions shrunk = begun;
  shrunk.exclude_tables.clear();
  EXPECT_EQ(CheckScopeUnchanged(json, shrunk).message(),
            "this migration was begun with --exclude-table [\"log\"], not []");
  ScopeOptions other = begun;
  other.schemas = {"app", "more"};
  EXPECT_EQ(CheckScopeUnchanged(json, other).message(),
            "this migration was begun with --schema [\"app\"], not "
            "[\"app\",\"more\"]");
}

TEST(ScopeJson, KeepsToThePartThatIsCarried) {
  const std::string all = ScopeToJson({});
  const std::string schema = ScopeToJson({.part = ScopePart::kSchema});
  EXPECT_OK(CheckScopeUnchanged(schema, {.part = ScopePart::kSchema}));
  // As ledgers were before there was a choice.
  EXPECT_EQ(all.find("part"), std::string::npos);
  EXPECT_OK(CheckScopeUnchanged(all, {}));
  const absl::Status rows =
      CheckScopeUnchanged(schema, {.part = ScopePart::kRows});
  EXPECT_EQ(rows.message(),
            "this migration was begun with --schema-only, not with "
            "--data-only");
  const absl::Status more =
      CheckScopeUnchanged(all, {.part = ScopePart::kRows});
  EXPECT_EQ(more.message(),
            "this migration was begun with everything, not with --data-only");
  EXPECT_EQ(HintOf(more),
            "go on without it, choose another --name, or run `walferry "
            "cleanup` and begin again");
}

TEST(ReportJson, ComesBackAsItWas) {
  Report report;
  report.name = "orders";
  report.tables = 3;
  report.rows_copied = 1'000'000'000'000;
  report.bytes_copied = 4;
  report.transactions_applied = 5;
  report.inserts = 6;
  report.updates = 7;
  report.deletes = 8;
  report.truncates = 9;
  report.sequences_set = 10;
  report.materialized_views_refreshed = 11;
  report.applied_lsn = Lsn(0x1'0000'0002);
  report.freeze_to_done = absl::Milliseconds(250);
  report.elapsed = absl::Seconds(12);
  report.comparison = {.state = ComparisonResult::State::kDifferent,
                       .method = VerifyMethod::kCounts,
                       .found = "1 of 4 tables",
                       .at = absl::FromUnixSeconds(1767225540)};
  report.remarks = {"a \"quoted\" remark"};
  ASSERT_OK_AND_ASSIGN(const Report back, ReportFromJson(ReportToJson(report)));
  EXPECT_EQ(ReportToJson(back), ReportToJson(report));
  EXPECT_EQ(back.freeze_to_done, report.freeze_to_done);
  EXPECT_EQ(back.applied_lsn, report.applied_lsn);
  EXPECT_EQ(back.comparison.state, report.comparison.state);
  EXPECT_EQ(back.comparison.method, report.comparison.method);
  EXPECT_EQ(back.comparison.found, report.comparison.found);
  EXPECT_EQ(back.comparison.at, report.comparison.at);
  report.freeze_to_done = absl::InfiniteDuration();
  ASSERT_OK_AND_ASSIGN(const Report without,
                       ReportFromJson(ReportToJson(report)));
  EXPECT_EQ(without.freeze_to_done, absl::InfiniteDuration());
}

TEST(ReportJson, RefusesWhatIsNoReport) {
  EXPECT_EQ(ReportFromJson("nonsense").status().message(),
            "report: malformed JSON");
  EXPECT_EQ(ReportFromJson("{}").status().message(),
            "report: malformed tables");
}

TEST(ComparisonJson, TellsNoneFromOneOfWhichTheTimeIsNotKnown) {
  EXPECT_EQ(ComparisonToJson({}),
            R"({"compared":"","compared_by":"","compared_found":"",)"
            R"("compared_at":null})");
  ASSERT_OK_AND_ASSIGN(const ComparisonResult none,
                       ComparisonFromJson(ComparisonToJson({})));
  EXPECT_EQ(none.state, ComparisonResult::State::kNone);
  ASSERT_OK_AND_ASSIGN(const ComparisonResult equal,
                       ComparisonFromJson(ComparisonToJson(
                           {.state = ComparisonResult::State::kEqual,
                            .method = VerifyMethod::kChecksum})));
  EXPECT_EQ(equal.state, ComparisonResult::State::kEqual);
  EXPECT_EQ(equal.method, VerifyMethod::kChecksum);
  EXPECT_EQ(equal.at, absl::InfinitePast());
}

// It is kept in databases of any encoding.
TEST(ComparisonJson, IsAscii) {
  const std::string json =
      ComparisonToJson({.state = ComparisonResult::State::kDifferent,
                        .method = VerifyMethod::kCounts,
                        .found = "pr\u00fcfung, \xa4"});
  EXPECT_THAT(json, testing::HasSubstr("\"pr\\u00fcfung, \\ufffd\""));
  ASSERT_OK_AND_ASSIGN(const ComparisonResult back, ComparisonFromJson(json));
  EXPECT_EQ(back.found, "pr\u00fcfung, \ufffd");
}

TEST(ComparisonJson, RefusesWhatNobodyKnows) {
  EXPECT_EQ(ComparisonFromJson("1").status().message(),
            "report: malformed JSON");
  EXPECT_EQ(
      ComparisonFromJson(R"({"compared":"perhaps","compared_by":"counts"})")
          .status()
          .message(),
      "report: malformed compared");
  EXPECT_EQ(ComparisonFromJson(R"({"compared":"equal","compared_by":"eye"})")
                .status()
                .message(),
            "report: malformed compared_by");
}

// XLogPageHeader: 24 bytes on a page, 40 on the first page of a segment.
TEST(SourcePosition, IsTakenBackFromAPageHeaderThatNothingFollows) {
  constexpr uint64_t kSegment = 16 << 20;
  EXPECT_EQ(WithoutPageHeader(Lsn(kSegment + 40), kSegment), Lsn(kSegment));
  EXPECT_EQ(WithoutPageHeader(Lsn(kSegment + 24), kSegment),
            Lsn(kSegment + 24));
  EXPECT_EQ(WithoutPageHeader(Lsn(kSegment + 8192 + 24), kSegment),
            Lsn(kSegment + 8192));
  EXPECT_EQ(WithoutPageHeader(Lsn(kSegment + 8192 + 40), kSegment),
            Lsn(kSegment + 8192 + 40));
}

class Recorder : public EventSink {
 public:
  void OnEvent(const Event& event) override {
    if (const auto* notice = std::get_if<Notice>(&event)) {
      notices.push_back(notice->text);
    }
  }
  std::vector<std::string> notices;
};

TEST(RetryPolicy, TriesAgainOnlyWhatWaitingCanMend) {
  Interrupt interrupt;
  Recorder events;
  RetryPolicy policy(absl::Minutes(1), interrupt, events);
  EXPECT_OK(policy.WaitAfter(absl::UnavailableError("server gone")));
  EXPECT_EQ(events.notices,
            std::vector<std::string>{"server gone; trying again in 200ms"});
  const absl::Status conflict = absl::FailedPreconditionError("conflict");
  EXPECT_EQ(policy.WaitAfter(conflict), conflict);
}

TEST(RetryPolicy, GivesUpAndSaysForHowLongItTried) {
  Interrupt interrupt;
  Recorder events;
  RetryPolicy policy(absl::ZeroDuration(), interrupt, events);
  EXPECT_EQ(policy.WaitAfter(absl::UnavailableError("server gone")),
            absl::UnavailableError("given up after 0: server gone"));
}

TEST(RetryPolicy, IsStoppedByTheInterrupt) {
  Interrupt interrupt;
  interrupt.Raise();
  Recorder events;
  RetryPolicy policy(absl::Minutes(1), interrupt, events);
  EXPECT_TRUE(
      absl::IsCancelled(policy.WaitAfter(absl::UnavailableError("gone"))));
  EXPECT_TRUE(events.notices.empty());
}

}  // namespace
}  // namespace walferry
