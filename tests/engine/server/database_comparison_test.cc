#include "engine/server/database_comparison.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace walferry {
namespace {

using State = ComparisonResult::State;

const std::string& ThisOne() {
  static const auto* const compared =
      new std::string(ComparedDatabase("16400", absl::FromUnixSeconds(1000)));
  return *compared;
}

TEST(DatabaseComparison, IsReadAsItWasNoted) {
  for (const State state : {State::kComparing, State::kEqual, State::kDifferent,
                            State::kUnknown, State::kNone}) {
    const ComparisonResult noted = {.state = state,
                                    .method = VerifyMethod::kChecksum,
                                    .found = "a is not as  b: 1 row"};
    const LedgerObject note =
        ComparisonNoteOf(VerifyShare::kAll, "s h\"op", ThisOne(), noted);
    const auto read = [&](const std::string& database,
                          const std::string& compared) {
      return NotedComparison(
          VerifyShare::kBehindClients,
          {{.kind = "database", .identity = "s h\"op"}, note}, database,
          compared);
    };
    EXPECT_EQ(read("s h\"op", ThisOne()).state, state);
    EXPECT_EQ(read("s h\"op", ThisOne()).method, VerifyMethod::kChecksum);
    EXPECT_EQ(read("s h\"op", ThisOne()).found, noted.found);
    // Made anew, begun anew, or of another name.
    const absl::Time begun = absl::FromUnixSeconds(1000);
    EXPECT_EQ(read("s h\"op", ComparedDatabase("16401", begun)).state,
              State::kNone);
    EXPECT_EQ(
        read("s h\"op", ComparedDatabase("16400", begun + absl::Seconds(1)))
            .state,
        State::kNone);
    EXPECT_EQ(read("shop", ThisOne()).state, State::kNone);
  }
}

TEST(DatabaseComparison, KeepsApartWhatIsComparedBeforeClients) {
  const auto note = [](VerifyShare share, State state, std::string found) {
    return ComparisonNoteOf(share, "shop", ThisOne(),
                            {.state = state,
                             .method = VerifyMethod::kCounts,
                             .found = std::move(found)});
  };
  const auto known = [](const std::vector<LedgerObject>& notes) {
    return KnownComparison(notes, "shop", ThisOne());
  };
  const LedgerObject before =
      note(VerifyShare::kBeforeClients, State::kDifferent, "a row");
  EXPECT_EQ(
      NotedComparison(VerifyShare::kAll, {before}, "shop", ThisOne()).state,
      State::kNone);
  EXPECT_EQ(known({before}).found, "a row");
  EXPECT_EQ(
      known({before, note(VerifyShare::kBehindClients, State::kComparing, "")})
          .state,
      State::kComparing);
  // It does not stand for all of the database.
  EXPECT_EQ(known({note(VerifyShare::kBeforeClients, State::kEqual, "")}).state,
            State::kNone);
}

TEST(DatabaseComparison, DoubtsWhatWasNotFoundEqualBeforeClientsCame) {
  const ComparisonResult counted = {.state = State::kEqual,
                                    .method = VerifyMethod::kCounts};
  EXPECT_EQ(DoubtOf(counted, VerifyMethod::kCounts), "");
  EXPECT_EQ(DoubtOf(counted, VerifyMethod::kChecksum),
            "but for its delayed tables it was not compared by checksum before "
            "clients came");
  EXPECT_EQ(DoubtOf({}, VerifyMethod::kCounts),
            "but for its delayed tables it was not compared before clients "
            "came");
  EXPECT_EQ(DoubtOf({.state = State::kDifferent,
                     .method = VerifyMethod::kCounts,
                     .found = "1 row"},
                    VerifyMethod::kCounts),
            "1 row; clients were let in as it was");
}

TEST(DatabaseComparison, SaysNothingIfItHasNotComeToItsEnd) {
  const auto says_nothing = [](VerifyShare share, State state) {
    return SaysNothing(
        ComparisonNoteOf(share, "shop", ThisOne(), {.state = state}), "shop");
  };
  for (const State state : {State::kComparing, State::kUnknown}) {
    EXPECT_TRUE(says_nothing(VerifyShare::kAll, state));
  }
  for (const State state : {State::kEqual, State::kDifferent}) {
    EXPECT_FALSE(says_nothing(VerifyShare::kBehindClients, state));
  }
  EXPECT_TRUE(says_nothing(VerifyShare::kBeforeClients, State::kEqual));
  EXPECT_FALSE(says_nothing(VerifyShare::kBeforeClients, State::kDifferent));
  EXPECT_FALSE(SaysNothing(ComparisonNoteOf(VerifyShare::kAll, "crm", ThisOne(),
                                            {.state = State::kUnknown}),
                           "shop"));
}

TEST(DatabaseComparison, SettlesWhatProvesNoMore) {
  const ComparisonResult counted = {.state = State::kEqual,
                                    .method = VerifyMethod::kCounts};
  const ComparisonResult hashed = {.state = State::kEqual,
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
