#include "engine/archive/script_start.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kBefore[] =
    "--\n"
    "-- PostgreSQL database dump\n"
    "--\n"
    "\n"
    "\\restrict key\n"
    "\n"
    "SET statement_timeout = 0;\n";
constexpr char kAfter[] = "SET client_encoding = 'UTF8';\n";

TEST(StartOfScript, IsBehindWhatAnOlderServerDoesNotKnow) {
  const std::string skipped =
      absl::StrCat(kBefore, "SET transaction_timeout = 0;\n");
  const ScriptStart start = StartOfScript(skipped + kAfter, 160004);
  EXPECT_THAT(start.commands,
              ElementsAre("\\restrict key", "SET statement_timeout = 0;"));
  EXPECT_EQ(start.offset, static_cast<int64_t>(skipped.size()));
  EXPECT_EQ(start.lines, 8);
}

TEST(StartOfScript, IsTheBeginningForAllOthers) {
  const std::string of_newer =
      absl::StrCat(kBefore, "SET transaction_timeout = 0;\n", kAfter);
  EXPECT_EQ(StartOfScript(of_newer, 170000).offset, 0);
  const std::string of_older = absl::StrCat(kBefore, kAfter);
  EXPECT_EQ(StartOfScript(of_older, 160004).offset, 0);
  EXPECT_THAT(StartOfScript(of_older, 160004).commands, IsEmpty());
  // A row may look like it.
  const std::string row = absl::StrCat(
      kBefore, "COPY t FROM stdin;\nSET transaction_timeout = 0;\n");
  EXPECT_EQ(StartOfScript(row, 160004).offset, 0);
}

}  // namespace
}  // namespace walferry
