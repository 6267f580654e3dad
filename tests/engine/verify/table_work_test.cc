#include "engine/verify/table_work.h"

#include <utility>

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
                          const DigestPair& first, const RowLook& look = {}) {
  TableWork work(pair);
  work.Begin({.by_key = by_key, .pieces = {{}, {}}}, {0, 1}, 0, 0);
  work.AddDigests(first);
  EXPECT_FALSE(work.PieceDone());
  work.Fail(absl::PermissionDeniedError("source: no"));
  EXPECT_TRUE(work.PieceDone());
  work.End(look, 100);
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

// A range that differs may hold rows of clients.
TEST(TableWork, IsUnknownWhereClientsWriteIfAPartCannotBeRead) {
  EXPECT_EQ(VerdictAfter({}, true, kDifferent, {.clients_write = true}).outcome,
            Outcome::kUnknown);
}

// Of one piece that was read, where clients write.
TableVerdict VerdictOf(const DigestPair& digests, RowFindings findings,
                       bool count_only = false) {
  const TablePair pair;
  TableWork work(pair);
  work.Begin({.by_key = true, .pieces = {{}}}, {0}, 0, 0);
  EXPECT_TRUE(work.AddDigests(digests));
  work.AddFindings(0, std::move(findings));
  EXPECT_TRUE(work.PieceDone());
  work.End({.count_only = count_only, .clients_write = true}, 100);
  return work.verdict();
}

TEST(TableWork, CountsWhatClientsHaveAddedAndNamesWhatTheyHaveTaken) {
  const DigestPair more = {.source = {.rows = 2, .sum = 7},
                           .target = {.rows = 5, .sum = 9}};
  TableVerdict verdict = VerdictOf(more, {.extra = 3});
  EXPECT_EQ(verdict.outcome, Outcome::kEqual);
  EXPECT_EQ(verdict.of_clients, 3);
  EXPECT_EQ(verdict.extra, 0);
  verdict = VerdictOf(more, {.missing = 1, .extra = 4});
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_EQ(verdict.of_clients, 4);
  EXPECT_EQ(VerdictOf(more, {.extra = 3, .different = 1}).outcome,
            Outcome::kDifferent);
  // Rows may be missing among those that nobody has looked at.
  EXPECT_EQ(VerdictOf(more, {.extra = 3, .at_least = true}).outcome,
            Outcome::kUnknown);
  EXPECT_EQ(VerdictOf(more, {.missing = 1, .at_least = true}).outcome,
            Outcome::kDifferent);
  // By numbers alone.
  verdict = VerdictOf(more, {}, /*count_only=*/true);
  EXPECT_EQ(verdict.outcome, Outcome::kEqual);
  EXPECT_EQ(verdict.of_clients, 3);
  verdict = VerdictOf({.source = more.target, .target = more.source}, {},
                      /*count_only=*/true);
  EXPECT_EQ(verdict.outcome, Outcome::kDifferent);
  EXPECT_EQ(verdict.detail, "");  // The numbers say it.
  EXPECT_EQ(verdict.source_rows, 5);
  EXPECT_EQ(verdict.target_rows, 2);
}

}  // namespace
}  // namespace walferry
