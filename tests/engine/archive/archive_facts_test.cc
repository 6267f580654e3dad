#include "engine/archive/archive_facts.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

ArchiveFacts Sample() {
  return {.format = ArchiveFormat::kCustom,
          .database = "shop",
          .server_version = "15.18",
          .client_version = "18.1",
          .system_identifier = "7710944659745179464",
          .encoding = "UTF8",
          .compression = "zstd:1",
          .database_bytes = 12345678901,
          .archive_bytes = 4096,
          .time = absl::FromUnixSeconds(1767225600),
          .omissions =
              std::vector<std::string>{"--schema-only", "--exclude-table a.*"}};
}

constexpr char kJson[] = R"({
  "format": "custom",
  "database": "shop",
  "server_version": "15.18",
  "client_version": "18.1",
  "system_identifier": "7710944659745179464",
  "encoding": "UTF8",
  "compression": "zstd:1",
  "database_bytes": 12345678901,
  "archive_bytes": 4096,
  "time": "2026-01-01T00:00:00Z",
  "omissions": [
    "--schema-only",
    "--exclude-table a.*"
  ]
}
)";

TEST(ArchiveFacts, AreWrittenForPeopleToo) {
  EXPECT_EQ(FactsToJson(Sample()), kJson);
}

TEST(ArchiveFacts, AreReadAsTheyWereWritten) {
  EXPECT_THAT(FactsFromJson(kJson), IsOkAndHolds(Sample()));
}

TEST(ArchiveFacts, TakeADatabaseOfAnyEncoding) {
  ArchiveFacts facts = Sample();
  facts.database = "caf\xe9";
  EXPECT_THAT(FactsFromJson(FactsToJson(facts)), IsOkAndHolds(facts));
  EXPECT_FALSE(facts.MayBeOf("caf\xe8"));
}

// What earlier versions have written.
TEST(ArchiveFacts, MayBeOfADatabaseWhoseNameCouldNotBeWritten) {
  ArchiveFacts facts = Sample();
  EXPECT_TRUE(facts.MayBeOf("shop"));
  EXPECT_FALSE(facts.MayBeOf("shops"));
  facts.database = "caf\xef\xbf\xbd";
  EXPECT_TRUE(facts.MayBeOf("caf\xe9"));
  EXPECT_TRUE(facts.MayBeOf("caf\xe8"));
  EXPECT_FALSE(facts.MayBeOf("bar\xe9"));
}

TEST(ArchiveFacts, TakeNoNameThatIsNoHex) {
  for (const char* hex : {"x", "636", "636166c3a9"}) {
    const std::string json = absl::StrReplaceAll(
        kJson,
        {{"\"database\": \"shop\"", absl::StrCat("\"database\": \"shop\", "
                                                 "\"database_name_hex\": \"",
                                                 hex, "\"")}});
    EXPECT_THAT(FactsFromJson(json),
                StatusIs(absl::StatusCode::kDataLoss,
                         "walferry.json: malformed database_name_hex"));
  }
}

// An archive of before that was written down is perhaps not whole.
TEST(ArchiveFacts, DoNotSayWhatTheyDoNotKnow) {
  const std::string old = absl::StrReplaceAll(
      kJson, {{",\n  \"omissions\": [\n    \"--schema-only\",\n    "
               "\"--exclude-table a.*\"\n  ]",
               ""}});
  ASSERT_OK_AND_ASSIGN(ArchiveFacts facts, FactsFromJson(old));
  EXPECT_EQ(facts.omissions, std::nullopt);
  EXPECT_EQ(FactsToJson(facts), old);
  EXPECT_EQ(OmissionsText(facts), "");
  facts.omissions.emplace();
  EXPECT_THAT(FactsFromJson(FactsToJson(facts)), IsOkAndHolds(facts));
  EXPECT_EQ(OmissionsText(facts), "");
  EXPECT_EQ(OmissionsText(Sample()),
            "made with --schema-only, --exclude-table a.*: not of the whole "
            "database");
}

TEST(ArchiveFacts, SayWhatIsMalformed) {
  EXPECT_THAT(FactsFromJson("{"), StatusIs(absl::StatusCode::kDataLoss,
                                           "walferry.json: malformed JSON"));
  struct Case {
    std::string from, to, field;
  };
  for (const Case& c : {Case{"\"custom\"", "\"tar\"", "format"},
                        Case{"\"database\":", "\"base\":", "database"},
                        Case{"4096", "\"4096\"", "archive_bytes"},
                        Case{"2026-01-01T", "yesterday", "time"},
                        Case{"\"--schema-only\"", "7", "omissions"}}) {
    EXPECT_THAT(FactsFromJson(absl::StrReplaceAll(kJson, {{c.from, c.to}})),
                StatusIs(absl::StatusCode::kDataLoss,
                         "walferry.json: malformed " + c.field));
  }
}

}  // namespace
}  // namespace walferry
