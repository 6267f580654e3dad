#include "engine/archive/drill_archive.h"

#include <utility>

#include "gtest/gtest.h"

namespace walferry {
namespace {

constexpr absl::Time kTime = absl::FromUnixSeconds(1767225600);

ArchiveInput Made(std::optional<std::vector<std::string>> omissions) {
  ArchiveInput input{.path = {}, .folder = {}, .facts = {}};
  input.facts = ArchiveFacts{.time = kTime, .omissions = std::move(omissions)};
  return input;
}

ArchiveInput Foreign() { return {.path = {}, .folder = {}, .facts = {}}; }

void Expect(const DrillFinding& found, DrillCheck::Outcome outcome,
            const std::string& detail) {
  EXPECT_EQ(found.outcome, outcome);
  EXPECT_EQ(found.detail, detail);
}

TEST(CheckWhole, FailsAPartUnlessItIsAccepted) {
  using Names = std::vector<std::string>;
  Expect(CheckWhole(Made(Names{}), false), DrillCheck::Outcome::kPassed,
         "of the whole database");
  Expect(CheckWhole(Made(Names{"--schema-only"}), false),
         DrillCheck::Outcome::kFailed,
         "made with --schema-only: not of the whole database; --allow-partial "
         "drills what is in it");
  Expect(CheckWhole(Made(Names{"--schema-only"}), true),
         DrillCheck::Outcome::kSkipped,
         "made with --schema-only: not of the whole database, so nothing is "
         "proved of the rest");
  for (const ArchiveInput& silent : {Made(std::nullopt), Foreign()}) {
    Expect(CheckWhole(silent, false), DrillCheck::Outcome::kSkipped,
           "the archive does not say whether it is of the whole database");
  }
}

TEST(CheckAge, FailsWhatIsOlderOrDoesNotSay) {
  const absl::Time now = kTime + absl::Hours(36) + absl::Milliseconds(20);
  Expect(CheckAge(Made({}), now, absl::Hours(37)), DrillCheck::Outcome::kPassed,
         "36h old");
  Expect(CheckAge(Made({}), now, absl::Hours(36)), DrillCheck::Outcome::kFailed,
         "36h old, and --max-age is 36h");
  Expect(CheckAge(Foreign(), now, absl::Hours(36)),
         DrillCheck::Outcome::kFailed,
         "the archive does not say when it is of");
}

}  // namespace
}  // namespace walferry
