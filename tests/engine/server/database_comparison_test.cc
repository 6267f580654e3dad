#include "engine/server/database_comparison.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

using State = DatabaseComparison::State;

TEST(DatabaseComparison, IsReadAsItWasNoted) {
  for (const State state : {State::kComparing, State::kEqual, State::kDifferent,
                            State::kUnknown, State::kNone}) {
    const DatabaseComparison noted = {.state = state,
                                      .method = VerifyMethod::kChecksum,
                                      .found = "a is not as  b: 1 row"};
    const LedgerObject note = ComparisonNoteOf("s h\"op", "16400", noted);
    const DatabaseComparison read =
        NotedComparison({{.kind = "database", .identity = "s h\"op"}, note},
                        "s h\"op", "16400");
    EXPECT_EQ(read.state, state);
    EXPECT_EQ(read.method, VerifyMethod::kChecksum);
    EXPECT_EQ(read.found, noted.found);
    // Made anew, or of another name.
    EXPECT_EQ(NotedComparison({note}, "s h\"op", "16401").state, State::kNone);
    EXPECT_EQ(NotedComparison({note}, "shop", "16400").state, State::kNone);
  }
}

TEST(DatabaseComparison, SettlesWhatProvesNoMore) {
  const DatabaseComparison counted = {.state = State::kEqual,
                                      .method = VerifyMethod::kCounts};
  const DatabaseComparison hashed = {.state = State::kEqual,
                                     .method = VerifyMethod::kChecksum};
  EXPECT_TRUE(Settles(counted, VerifyMethod::kCounts));
  EXPECT_FALSE(Settles(counted, VerifyMethod::kChecksum));
  EXPECT_TRUE(Settles(hashed, VerifyMethod::kCounts));
  EXPECT_FALSE(Settles({.state = State::kDifferent,
                        .method = VerifyMethod::kChecksum,
                        .found = "rows"},
                       VerifyMethod::kCounts));
}

}  // namespace
}  // namespace walferry
