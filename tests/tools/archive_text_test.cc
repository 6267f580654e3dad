#include "tools/archive_text.h"

#include "gtest/gtest.h"
#include "tests/tools/sample_archives.h"

namespace walferry {
namespace {

TEST(DumpText, SaysWhatIsWhere) {
  EXPECT_EQ(DumpText(SampleDump()),
            "/backup/shop-20260101T000000Z: dumped in 12 s\n"
            "  database           shop\n"
            "  as of              2026-01-01 00:00:00 UTC\n"
            "  format             directory, zstd:1\n"
            "  contents           made with --no-acl: not of the whole "
            "database\n"
            "  size               400 MiB, of a database of 3.0 GiB\n"
            "  server             15.18\n"
            "  pg_dump            18.1\n");
}

TEST(RestoreText, SaysWhatIsWhere) {
  RestoreOptions options;
  options.input = "/backup/a";
  EXPECT_EQ(RestoreText(options, SampleRestore()),
            "/backup/a: restored in 1 min 15 s\n"
            "  database           shop_new\n"
            "  as of              2026-01-01 00:00:00 UTC\n"
            "  contents           made with --no-acl: not of the whole "
            "database\n"
            "  archive            is what its manifest says\n"
            "  size               3.0 GiB\n");
}

TEST(RestoreText, CountsErrorsByKind) {
  RestoreOptions options;
  options.input = "/backup/a";
  RestoreReport report = SampleRestore();
  report.facts.reset();
  report.checked = false;
  report.errors = {{"role \"...\" does not exist",
                    1234,
                    {"TABLE t bob", "role \"bob\" does not exist"}},
                   {"type \"...\" does not exist",
                    1,
                    {"TABLE u bob", "type \"x\" does not exist"}}};
  EXPECT_EQ(
      RestoreText(options, report),
      "/backup/a: restored in 1 min 15 s, with 1,235 errors\n"
      "  database           shop_new\n"
      "  archive            has no manifest and was not checked\n"
      "  size               3.0 GiB\n"
      "  1,234 errors       role \"...\" does not exist, first of TABLE t "
      "bob\n"
      "  1 error            TABLE u bob: type \"x\" does not exist\n");
}

}  // namespace
}  // namespace walferry
