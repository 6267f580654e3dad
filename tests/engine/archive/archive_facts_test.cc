#include "engine/archive/archive_facts.h"

#include <string>

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
          .time = absl::FromUnixSeconds(1767225600)};
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
  "time": "2026-01-01T00:00:00Z"
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
  EXPECT_OK(FactsFromJson(FactsToJson(facts)));
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
                        Case{"2026-01-01T", "yesterday", "time"}}) {
    EXPECT_THAT(FactsFromJson(absl::StrReplaceAll(kJson, {{c.from, c.to}})),
                StatusIs(absl::StatusCode::kDataLoss,
                         "walferry.json: malformed " + c.field));
  }
}

}  // namespace
}  // namespace walferry
