#include "engine/archive/archive_list.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

constexpr char kList[] = R"(;
; Archive created at 2026-11-22 10:43:34 UTC
;     dbname: my shop
;     TOC Entries: 19
;     Compression: 1
;     Dump Version: 1.14-0
;     Format: DIRECTORY
;     Integer: 4 bytes
;     Offset: 8 bytes
;     Dumped from database version: 15.18 (Debian 15.18-0+deb12u1)
;     Dumped by pg_dump version: 18.1
;
;
; Selected TOC Entries:
;
2; 3079 16389 EXTENSION - hstore 
3480; 0 0 COMMENT - EXTENSION hstore 
3; 3079 16390 EXTENSION - uuid-ossp 
217; 1259 16518 TABLE public odd Name postgres
3471; 0 16518 TABLE DATA public odd Name postgres
)";

TEST(ParseArchiveList, ReadsHeadingAndEntries) {
  ASSERT_OK_AND_ASSIGN(const ArchiveList list, ParseArchiveList(kList));
  EXPECT_EQ(list.database, "my shop");
  EXPECT_EQ(list.format, "DIRECTORY");
  EXPECT_EQ(list.server_version, "15.18");
  EXPECT_EQ(list.client_version, "18.1");
  ASSERT_EQ(list.entries.size(), 5u);
  EXPECT_EQ(
      list.entries[3],
      (ArchiveListEntry{217, 1259, 16518, "TABLE public odd Name postgres"}));
  EXPECT_THAT(list.Extensions(), ElementsAre("hstore", "uuid-ossp"));
}

TEST(ParseArchiveList, SaysWhatIsNoList) {
  EXPECT_THAT(ParseArchiveList(""), StatusIs(absl::StatusCode::kDataLoss,
                                             "pg_restore's list: no format"));
  for (const char* line :
       {"x", "217; 1259 TABLE", "217 1259 16518 TABLE t", "217; a 1 TABLE t"}) {
    EXPECT_THAT(
        ParseArchiveList(absl::StrCat("; Format: CUSTOM\n", line, "\n")),
        StatusIs(absl::StatusCode::kDataLoss,
                 "pg_restore's list, line 2: malformed"))
        << line;
  }
}

}  // namespace
}  // namespace walferry
