#include "engine/archive/archive_parts.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

ArchiveInput Input(ArchiveFormat format, std::vector<std::string> omissions) {
  ArchiveInput input{.path = "/a", .folder = {}, .format = format, .facts = {}};
  input.facts.emplace();
  input.facts->omissions = std::move(omissions);
  return input;
}

TEST(ArchiveParts, AScriptIsRestoredAsItWasMade) {
  const AskedParts asked = {.schema_only = true, .no_owner = true};
  const absl::Status status =
      CheckParts(Input(ArchiveFormat::kPlain, {"--no-owner"}), asked);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "/a is a plain script, restored as it is, and "
                               "was not made with --schema-only"));
  EXPECT_EQ(HintOf(status),
            "leave that out, or name an archive in the directory or custom "
            "format");
  EXPECT_OK(CheckParts(
      Input(ArchiveFormat::kPlain, {"--no-owner", "--schema-only"}), asked));
  EXPECT_OK(CheckParts(Input(ArchiveFormat::kCustom, {}), asked));
}

TEST(ArchiveParts, AScriptEndsAtItsFirstError) {
  const AskedParts asked = {.allow_errors = true};
  const absl::Status status =
      CheckParts(Input(ArchiveFormat::kPlain, {}), asked);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "/a is a plain script, which ends at its first error"));
  EXPECT_EQ(HintOf(status),
            "leave --allow-restore-errors out: rows behind a COPY that failed "
            "would be run as SQL; or name an archive in the directory or "
            "custom format");
  EXPECT_OK(CheckParts(Input(ArchiveFormat::kDirectory, {}), asked));
}

TEST(ArchiveParts, RowsAloneWantTables) {
  for (const ArchiveFormat format :
       {ArchiveFormat::kPlain, ArchiveFormat::kCustom}) {
    const ArchiveInput rows = Input(format, {"--data-only"});
    const absl::Status status = CheckParts(rows, {});
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         "/a was made with --data-only: it makes no tables"));
    EXPECT_EQ(HintOf(status),
              "restore it with --data-only, into tables that are there");
    EXPECT_OK(CheckParts(rows, {.data_only = true}));
  }
}

}  // namespace
}  // namespace walferry
