#include "engine/server/check_databases.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Finding Of(Severity severity, std::string id, std::string text) {
  return {.id = std::move(id),
          .severity = severity,
          .subject = "source",
          .text = std::move(text)};
}

std::vector<std::string> Merged(std::vector<DatabaseFindings> databases) {
  std::vector<std::string> lines;
  for (const Finding& finding : MergeFindings(std::move(databases))) {
    lines.push_back(absl::StrCat(SeverityName(finding.severity), " ",
                                 finding.database, "|", finding.id, ": ",
                                 finding.text));
  }
  return lines;
}

TEST(MergeFindings, TellsOnceWhatAllHaveAndTheRestByDatabase) {
  const Finding ok = Of(Severity::kOk, "locks", "fine");
  const Finding warning = Of(Severity::kWarning, "sequence", "two");
  EXPECT_THAT(
      Merged({{"a", {Of(Severity::kBlocking, "oids", "t"), warning, ok}},
              {"b", {ok, warning, Of(Severity::kWarning, "oids", "t")}},
              {"c", {warning, ok, Of(Severity::kInfo, "scope", "none")}}}),
      ElementsAre("warning |sequence: two", "ok |locks: fine",
                  "blocking a|oids: t", "warning b|oids: t",
                  "info c|scope: none"));
}

TEST(MergeFindings, TellsWhatIsInOrderOnlyIfItIsSoInAll) {
  EXPECT_THAT(Merged({{"a", {Of(Severity::kOk, "scope", "1 table")}},
                      {"b", {Of(Severity::kOk, "scope", "2 tables")}}}),
              IsEmpty());
}

TEST(MergeFindings, NamesTheOnlyOne) {
  EXPECT_THAT(Merged({{"a",
                       {Of(Severity::kOk, "locks", "fine"),
                        Of(Severity::kInfo, "scope", "none")}}}),
              ElementsAre("ok |locks: fine", "info a|scope: none"));
  EXPECT_THAT(Merged({}), IsEmpty());
}

// Once in every list, and each time.
TEST(MergeFindings, KeepsWhatADatabaseHasTwice) {
  const Finding twice = Of(Severity::kWarning, "sequence", "two");
  EXPECT_THAT(
      Merged({{"a", {twice, twice}}, {"b", {}}}),
      ElementsAre("warning a|sequence: two", "warning a|sequence: two"));
}

}  // namespace
}  // namespace walferry
