#include "tools/counts_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

TableCounts Agreed(const ChangeCounts& counts) {
  return {.decoded = counts, .applied = counts};
}

TEST(CountsText, SaysNothingOfNothing) { EXPECT_EQ(CountsText({}), ""); }

TEST(CountsText, HasTheMostChangedTablesAndALineForTheRest) {
  CountsByTable counts;
  for (int table = 10; table < 22; ++table) {
    counts[{"public", absl::StrCat("t", table)}] =
        Agreed({.inserts = 100 * table, .deletes = 7});
  }
  counts[{"public", "t10"}].decoded.updates = 5000;
  counts[{"public", "t10"}].applied.updates = 5000;
  EXPECT_EQ(CountsText(counts),
            "\n"
            "changes of            inserts         updates         deletes  "
            "truncates\n"
            "public.t10              1,000           5,000               7  "
            "        0\n"
            "public.t21              2,100               0               7  "
            "        0\n"
            "public.t20              2,000               0               7  "
            "        0\n"
            "public.t19              1,900               0               7  "
            "        0\n"
            "public.t18              1,800               0               7  "
            "        0\n"
            "public.t17              1,700               0               7  "
            "        0\n"
            "public.t16              1,600               0               7  "
            "        0\n"
            "public.t15              1,500               0               7  "
            "        0\n"
            "public.t14              1,400               0               7  "
            "        0\n"
            "public.t13              1,300               0               7  "
            "        0\n"
            "2 more tables           2,300               0              14  "
            "        0\n");
}

TEST(CountsText, BeginsWithWhatDoesNotAgree) {
  const CountsByTable counts = {
      {{"public", "a"}, Agreed({.inserts = 100})},
      {{"public", "b"},
       {.decoded = {.inserts = 3, .truncates = 1}, .applied = {.inserts = 2}}}};
  EXPECT_EQ(CountsText(counts),
            "\n"
            "changes of         inserts         updates         deletes  "
            "truncates\n"
            "public.b                 2               0               0  "
            "        0  applied\n"
            "                         3               0               0  "
            "        1  decoded\n"
            "public.a               100               0               0  "
            "        0\n");
  EXPECT_EQ(AgreementText(counts, Lsn(0x10)),
            "not as many applied as decoded of 1 table since 0/10");
  EXPECT_EQ(AgreementText({}, Lsn(0x10)),
            "as many applied as decoded since 0/10");
}

}  // namespace
}  // namespace walferry
