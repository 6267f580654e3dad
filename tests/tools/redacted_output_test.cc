// Whatever a password is: what programs read keeps its form, and does not tell
// the password.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/tools/program_fixture.h"
#include "tests/tools/sample_events.h"

namespace walferry {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> KeysOf(const Json& json) {
  std::vector<std::string> keys;
  for (const auto& field : json.items()) keys.push_back(field.key());
  return keys;
}

class RedactedOutputTest : public ProgramTest,
                           public testing::WithParamInterface<std::string> {
 protected:
  RedactedOutputTest() {
    environment_["WALFERRY_SOURCE"] =
        absl::StrCat("host=old password=",
                     absl::StrReplaceAll(password(), {{"\\", "\\\\"}}));
  }

  static const std::string& password() { return GetParam(); }

  // What the engine says, and how it may be shown.
  static std::string Leak() {
    return absl::StrCat("it said <", password(), ">");
  }
  static std::string Masked() {
    // Shorter ones are not told from ordinary words.
    return password().size() < 4 ? Leak() : "it said <***>";
  }

  // The same without passwords: what it should look like.
  Json ReferenceOf(const std::vector<std::string>& arguments) {
    const auto environment = std::exchange(
        environment_,
        {{"WALFERRY_SOURCE", "host=old"}, {"WALFERRY_TARGET", "host=new"}});
    Run(arguments);
    environment_ = environment;
    return Json::parse(out());
  }

  Json ResultOf(const std::vector<std::string>& arguments) {
    Run(arguments);
    Json json = Json::parse(out(), nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(json.is_object()) << out();
    return json;
  }
};

TEST_P(RedactedOutputTest, StatusAsJson) {
  engine_.status = [](const StatusOptions&,
                      Control&) -> absl::StatusOr<MigrationStatus> {
    MigrationStatus status;
    status.name = "shop";
    status.kind = "migrate";
    status.phase = "copy";
    status.applied_lsn = Lsn(0x12341234);
    status.last_error = Leak();
    status.tables = {{.table = {"public", "t"}, .state = "copied"}};
    status.report = SampleReport();
    status.report->remarks = {Leak()};
    return status;
  };
  Json expected = ReferenceOf({"status", "--json"});
  expected["last_error"] = Masked();
  expected["report"]["remarks"] = {Masked()};
  EXPECT_EQ(ResultOf({"status", "--json"}), expected);
}

TEST_P(RedactedOutputTest, CheckAndCutoverAsJson) {
  CheckReport report;
  report.findings = {{.id = "copy",
                      .severity = Severity::kWarning,
                      .subject = "source",
                      .text = Leak(),
                      .hint = Leak()}};
  engine_.check = [&](const CheckOptions&, Control&) { return report; };
  Json expected = ReferenceOf({"check", "--json"});
  expected["findings"][0]["text"] = Masked();
  expected["findings"][0]["hint"] = Masked();
  EXPECT_EQ(ResultOf({"check", "--json"}), expected);

  Report cutover = SampleReport();
  cutover.remarks = {Leak()};
  engine_.cutover = [&](const CutoverOptions&, Control&, EventSink&) {
    return absl::StatusOr<Report>(cutover);
  };
  expected = ReferenceOf({"cutover", "--json"});
  expected["remarks"] = {Masked()};
  EXPECT_EQ(ResultOf({"cutover", "--json"}), expected);
}

TEST_P(RedactedOutputTest, EventsAndLogAsJson) {
  engine_.migrate = [](const MigrateOptions&, Control&,
                       EventSink& events) -> absl::StatusOr<Report> {
    events.OnEvent(PhaseStarted{.phase = Phase::kCopy});
    events.OnEvent(SampleLag());
    events.OnEvent(Notice{.text = Leak()});
    return absl::FailedPreconditionError(Leak());
  };
  EXPECT_EQ(Run({"migrate", "--events", "-", "--log-format", "json"}),
            ExitCode::kFailed);
  std::vector<Json> events, log;
  for (absl::string_view line :
       absl::StrSplit(out(), '\n', absl::SkipEmpty())) {
    events.push_back(Json::parse(line.begin(), line.end()));
  }
  for (absl::string_view line :
       absl::StrSplit(err(), '\n', absl::SkipEmpty())) {
    log.push_back(Json::parse(line.begin(), line.end()));
  }
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0]["phase"], "copy");
  EXPECT_EQ(events[0]["time"], "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(events[1]["applied_lsn"], SampleLag().applied_lsn.ToString());
  EXPECT_EQ(events[2]["text"], Masked());
  EXPECT_EQ(events[3]["event"], "error");
  EXPECT_EQ(events[3]["code"], "FAILED_PRECONDITION");
  EXPECT_EQ(events[3]["message"], Masked());
  ASSERT_GE(log.size(), 2u);
  for (const Json& line : log) {
    EXPECT_THAT(KeysOf(line),
                testing::IsSupersetOf({"time", "level", "message"}));
  }
  EXPECT_EQ(log.back()["level"], "error");
  EXPECT_EQ(log.back()["message"], Masked());
}

TEST_P(RedactedOutputTest, ConfigurationAsAFile) {
  Run({"config", "--show"});
  ASSERT_OK_AND_ASSIGN(const std::vector<ConfigEntry> entries,
                       ParseConfig(out(), "shown"));
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(
          Command::kMigrate, {},
          [](const std::string&) { return std::nullopt; }, entries));
  EXPECT_EQ(values.Text(OptionId::kSource), "host=old password=***");
  EXPECT_EQ(values.Text(OptionId::kMode), "online");
  EXPECT_EQ(values.Integer(OptionId::kJobs), 4);
}

TEST_P(RedactedOutputTest, WhatHoldsNoValuesIsLeftAlone) {
  EXPECT_EQ(Run({"completion", "bash"}), ExitCode::kDone);
  const std::string with_password = out();
  environment_ = {};
  EXPECT_EQ(Run({"completion", "bash"}), ExitCode::kDone);
  EXPECT_EQ(with_password, out());
}

INSTANTIATE_TEST_SUITE_P(Passwords, RedactedOutputTest,
                         testing::Values("1234", "null", "name", "a\"b",
                                         "a\"bc", "b\\c", "b\\cd", "\\\"\\\"",
                                         "copy", "2026", "error", "phase",
                                         "online", "compgen", "secret"),
                         [](const auto& test) {
                           return absl::StrCat("Case", test.index);
                         });

}  // namespace
}  // namespace walferry
