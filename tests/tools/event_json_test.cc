#include "tools/event_json.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/tools/documented_fields.h"
#include "tests/tools/sample_events.h"
#include "tests/tools/sample_verification.h"
#include "tools/server_status_json.h"
#include "tools/status_json.h"

namespace walferry {
namespace {

using testing::ElementsAre;

const absl::Time kNow = absl::FromUnixMillis(1767225600123);

std::string Line(const Event& event, Phase phase = Phase::kFollow) {
  return EventToJson(event, phase, kNow, Redactor());
}

TEST(EventJson, WritesTheseLines) {
  std::vector<std::string> lines;
  for (const Event& event : SampleEvents()) {
    const std::string line = Line(event);
    const std::string common = R"({"time":"2026-01-01T00:00:00.123Z","phase":)";
    EXPECT_EQ(line.substr(0, common.size()), common);
    lines.push_back(line.substr(common.size()));
  }
  EXPECT_THAT(
      lines,
      ElementsAre(
          R"("copy","event":"phase_started","resumed":true})",
          R"("copy","event":"phase_finished","duration_seconds":12.345})",
          R"("copy","event":"progress","items_done":12,"items_total":40,)"
          R"("bytes":1288490189,"bytes_total":3650722202,"rows":2100000,)"
          R"("elapsed_seconds":20.0,"active":[{"name":"public.orders",)"
          R"("bytes":536870912,"bytes_total":1073741824,"rows":2100000,)"
          R"("elapsed_seconds":12.0},{"name":"public.events",)"
          R"("bytes":3145728,"bytes_total":2147483648,"rows":900,)"
          R"("elapsed_seconds":1.0}]})",
          R"("follow","event":"lag","lag_bytes":1258291,"lag_seconds":0.8,)"
          R"("source_lsn":"1/133333","received_lsn":"1/10",)"
          R"("applied_lsn":"1/0","transactions":12345,"changes":88000,)"
          R"("waiting_for":""})",
          R"("cutover","event":"lag","lag_bytes":1258291,"lag_seconds":0.8,)"
          R"("source_lsn":"1/133333","received_lsn":"1/10",)"
          R"("applied_lsn":"1/0","transactions":12345,"changes":88000,)"
          R"("waiting_for":"writes on the source to stop: 2 sessions"})",
          R"("follow","event":"caught_up","applied_lsn":"0/16B3748",)"
          R"("lag_bytes":100})",
          R"("follow","event":"usable","delayed_tables":2})",
          R"("follow","event":"conflict","slot":"walferry_shop",)"
          R"("schema":"public","table":"Orders","kind":"update",)"
          R"("type":"update_missing","key":"id=7","xid":735,)"
          R"("commit_lsn":"0/16B3748","end_lsn":"0/16B3778",)"
          R"("commit_time":"2026-01-01T00:00:00.000Z","sqlstate":"P0002",)"
          R"("message":"no row with this key"})",
          R"("follow","event":"notice","level":"warning",)"
          R"("text":"source is away"})",
          R"("follow","event":"error","code":"CANCELLED",)"
          R"("message":"stopped","hint":"","sqlstate":"","resumable":true})",
          R"("done","event":"done","name":"shop",)"
          R"("offline":false,"tables":40,)"
          R"("rows_copied":12345678,"bytes_copied":3650722202,)"
          R"("transactions_applied":12345,"inserts":50000,"updates":30000,)"
          R"("deletes":8000,"truncates":1,"sequences_set":12,)"
          R"("materialized_views_refreshed":3,"applied_lsn":"0/16B3778",)"
          R"("freeze_to_done_seconds":0.85,"elapsed_seconds":750.0,)"
          R"("compared":"equal","compared_by":"checksum","compared_found":"",)"
          R"("compared_at":"2025-12-31T23:59:00Z",)"
          R"("remarks":["table public.log has no key"]})"));
}

TEST(EventJson, TellsHowAComparisonEnded) {
  EXPECT_EQ(
      ComparisonToJson({.report = SampleVerification()}, kNow, Redactor()),
      R"({"time":"2026-01-01T00:00:00.123Z","phase":"done",)"
      R"("event":"compared","verdict":"different","method":"checksum",)"
      R"("tables":4,"tables_different":2,"tables_unknown":1,)"
      R"("rows_different":5,"objects_different":1,"checks_different":1,)"
      R"("warnings":1,"rows_compared":12354,"bytes_compared":3221225472,)"
      R"("elapsed_seconds":90.0,"remarks":["table public.far is foreign and )"
      R"(was not compared"]})");
}

TEST(EventJson, SaysNullForWhatIsUnknown) {
  Report report;
  EXPECT_THAT(Line(Done{report}),
              testing::HasSubstr(R"("freeze_to_done_seconds":null)"));
  EXPECT_THAT(
      Line(Progress{.active = {{.name = "x"}}}),
      testing::ContainsRegex(
          R"("bytes_total":null.*"name":"x","bytes":0,"bytes_total":null)"));
}

TEST(EventJson, CarriesWhatAnErrorKnows) {
  absl::Status status = WithHint(
      WithSqlState(absl::FailedPreconditionError("no"), "55000"), "do it");
  EXPECT_THAT(Line(Failed{.phase = Phase::kCopy, .status = status}),
              testing::EndsWith(
                  R"("phase":"copy","event":"error",)"
                  R"("code":"FAILED_PRECONDITION","message":"no",)"
                  R"("hint":"do it","sqlstate":"55000","resumable":false})"));
}

TEST(EventJson, KeepsPasswordsOutOfEveryText) {
  Redactor redactor;
  redactor.AddConnInfo("host=x password=s3\"cret");
  const std::string secret = "a s3\"cret";
  ConflictFound conflict = SampleConflict();
  conflict.conflict.message = secret;
  Lag lag = SampleLag();
  lag.waiting_for = secret;
  Report report = SampleReport();
  report.remarks = {secret};
  for (const Event& event : std::vector<Event>{
           conflict, lag, Done{report}, Notice{.text = secret},
           Progress{.active = {{.name = secret}}},
           Failed{.status = WithHint(absl::UnknownError(secret), secret)}}) {
    EXPECT_THAT(EventToJson(event, Phase::kCheck, kNow, redactor),
                testing::AllOf(testing::HasSubstr("a ***"),
                               testing::Not(testing::HasSubstr("cret"))));
  }
}

TEST(EventJson, TakesBytesOfAnyEncoding) {
  EXPECT_THAT(Line(Notice{.text = "caf\xe9\n"}),
              testing::HasSubstr("\"text\":\"caf\xef\xbf\xbd\\n\""));
}

TEST(EventWriter, KnowsTheCurrentPhase) {
  std::ostringstream out;
  const Redactor redactor;
  EventWriter writer(out, redactor, [] { return kNow; });
  writer.OnEvent(PhaseStarted{.phase = Phase::kIndexes});
  writer.OnEvent(Notice{.text = "x"});
  EXPECT_EQ(out.str(),
            "{\"time\":\"2026-01-01T00:00:00.123Z\",\"phase\":\"indexes\","
            "\"event\":\"phase_started\",\"resumed\":false}\n"
            "{\"time\":\"2026-01-01T00:00:00.123Z\",\"phase\":\"indexes\","
            "\"event\":\"notice\",\"level\":\"info\",\"text\":\"x\"}\n");
  EXPECT_TRUE(writer.status().ok());
}

TEST(EventWriter, KeepsItsFirstFailure) {
  std::ofstream full("/dev/full");
  const Redactor redactor;
  EventWriter writer(full, redactor, [] { return kNow; });
  writer.OnEvent(Notice{.text = "x"});
  EXPECT_EQ(writer.status(),
            absl::UnknownError("cannot write events: No space left on device"));
  writer.OnEvent(Notice{.text = "y"});
  EXPECT_EQ(writer.status().message(),
            "cannot write events: No space left on device");
}

TEST(EventsPage, DocumentsExactlyTheFieldsThatAreWritten) {
  const auto documented = DocumentedFields("events.md");
  std::map<std::string, std::vector<std::string>> written;
  for (const Event& event : SampleEvents()) {
    const auto json = nlohmann::ordered_json::parse(Line(event));
    std::vector<std::string> keys = KeysOf(json);
    const std::vector<std::string> common(keys.begin(), keys.begin() + 3);
    written[""] = common;
    keys.erase(keys.begin(), keys.begin() + 3);
    written[json["event"].get<std::string>()] = keys;
    if (json.contains("active")) written["active"] = KeysOf(json["active"][0]);
  }
  EXPECT_EQ(written[""], (std::vector<std::string>{"time", "phase", "event"}));
  const auto compared = nlohmann::ordered_json::parse(
      ComparisonToJson({.report = SampleVerification()}, kNow, Redactor()));
  std::vector<std::string> of_comparison = KeysOf(compared);
  EXPECT_EQ(std::vector<std::string>(of_comparison.begin(),
                                     of_comparison.begin() + 3),
            written[""]);
  of_comparison.erase(of_comparison.begin(), of_comparison.begin() + 3);
  written[compared["event"].get<std::string>()] = of_comparison;
  // Of all databases of a server.
  const auto of_database = nlohmann::ordered_json::parse(
      EventToJson(CaughtUp(), Phase::kFollow, kNow, Redactor(), "shop"));
  const std::vector<std::string> keys = KeysOf(of_database);
  written[""].assign(keys.begin(), keys.begin() + 4);
  EXPECT_EQ(documented, written);
}

TEST(StatusPage, DocumentsExactlyTheFieldsThatAreWritten) {
  MigrationStatus status;
  status.tables.push_back({.table = {"public", "orders"}, .state = "copied"});
  status.counts[{"public", "orders"}] = {};
  const auto json =
      nlohmann::ordered_json::parse(StatusToJson(status, Redactor()));
  ServerStatus server;
  server.databases.push_back({.database = "shop", .phase = "copy"});
  const auto whole =
      nlohmann::ordered_json::parse(ServerStatusToJson(server, Redactor()));
  const std::map<std::string, std::vector<std::string>> written = {
      {"", KeysOf(json)},
      {"tables", KeysOf(json["tables"][0])},
      {"table_counts", KeysOf(json["table_counts"][0])},
      {"--all-databases", KeysOf(whole)},
      {"databases", KeysOf(whole["databases"][0])}};
  EXPECT_EQ(DocumentedFields("status.md"), written);
}

TEST(StatusJson, HoldsTheCountsOfEveryTable) {
  MigrationStatus status;
  EXPECT_TRUE(nlohmann::json::parse(
                  StatusToJson(status, Redactor()))["counted_since_lsn"]
                  .is_null());
  status.counted_since = Lsn(0x16B3748);
  const ChangeCounts counts = {
      .inserts = 1, .updates = 2, .deletes = 3, .truncates = 4};
  status.counts[{"public", "orders"}] = {.decoded = counts, .applied = counts};
  auto json = nlohmann::json::parse(StatusToJson(status, Redactor()));
  EXPECT_EQ(json["counted_since_lsn"], "0/16B3748");
  EXPECT_EQ(json["counts_agree"], true);
  EXPECT_EQ(json["table_counts"].dump(),
            "[{\"applied_deletes\":3,\"applied_inserts\":1,"
            "\"applied_truncates\":4,\"applied_updates\":2,"
            "\"decoded_deletes\":3,\"decoded_inserts\":1,"
            "\"decoded_truncates\":4,\"decoded_updates\":2,"
            "\"schema\":\"public\",\"table\":\"orders\"}]");
  status.counts[{"public", "orders"}].applied.updates = 1;
  json = nlohmann::json::parse(StatusToJson(status, Redactor()));
  EXPECT_EQ(json["counts_agree"], false);
}

TEST(StatusJson, HoldsTheReportOnceDone) {
  MigrationStatus status;
  EXPECT_TRUE(nlohmann::json::parse(StatusToJson(status, Redactor()))["report"]
                  .is_null());
  status.report = SampleReport();
  status.heartbeat_at = kNow;
  const auto json = nlohmann::json::parse(StatusToJson(status, Redactor()));
  EXPECT_EQ(json["report"]["name"], "shop");
  EXPECT_EQ(json["heartbeat_at"], "2026-01-01T00:00:00.123Z");
}

}  // namespace
}  // namespace walferry
