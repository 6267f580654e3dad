#include "engine/verify/table_work.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using Outcome = TableVerdict::Outcome;

constexpr DigestPair kEqual = {.source = {.rows = 2, .sum = 7},
                               .target = {.rows = 2, .sum = 7}};
constexpr DigestPair kDifferent = {.source = {.rows = 2, .sum = 7},
                                   .target = {.rows = 2, .sum = 8}};

// Of two pieces, of which the second one cannot be read.
TableVerdict VerdictAfter(const TablePair& pair, bool by_key,
                          const DigestPair& first) {
  TableWork work(pair);
  work.Begin({.by_key = by_key, .pieces = {{}, {}}}, {0, 1}, 0, 0);
  work.AddDigests(first);
  EXPECT_FALSE(work.PieceDone());
  work.Fail(absl::PermissionDeniedError("source: no"));
  EXPECT_TRUE(work.PieceDone());
  work.End(RowLook{}, 100);
  return work.verdict();
}

TEST(TableWork, IsUnknownIfAPartCannotBeRead) {
  const TableVerdict verdict = VerdictAfter({}, true, kEqual);
  EXPECT_EQ(verdict.outcome, Outcome::kUnknown);
  EXPECT_EQ(verdict.detail, "source: no");
}

TEST(TableWork, IsDifferentIfAPartDiffersAndAnotherCannotBeRead) {
  const TableVerdict verdict = VerdictAfter({}, true, kDifferent);
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_EQ(verdict.detail, "not all of it could be compared: source: no");
}

TEST(TableWork, IsDifferentIfItsColumnsAreAndItCannotBeRead) {
  TablePair pair;
  pair.difference = "columns that only the source has: a";
  const TableVerdict verdict = VerdictAfter(pair, true, kEqual);
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_EQ(verdict.detail,
            "columns that only the source has: a; not all of it could be "
            "compared: source: no");
}

// Blocks say something only together.
TEST(TableWork, IsUnknownIfBlocksDifferAndOthersCannotBeRead) {
  EXPECT_EQ(VerdictAfter({}, false, kDifferent).outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace walferry
