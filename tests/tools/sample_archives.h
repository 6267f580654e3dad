#ifndef TESTS_TOOLS_SAMPLE_ARCHIVES_H_
#define TESTS_TOOLS_SAMPLE_ARCHIVES_H_

// Results of dump, restore and drill with something in every field.

#include "engine/archive/archives.h"

namespace walferry {

inline ArchiveFacts SampleFacts() {
  return {.format = ArchiveFormat::kDirectory,
          .database = "shop",
          .server_version = "15.18",
          .client_version = "18.1",
          .system_identifier = "7710944659745179464",
          .encoding = "UTF8",
          .compression = "zstd:1",
          .database_bytes = int64_t{3} << 30,
          .archive_bytes = int64_t{400} << 20,
          .time = absl::FromUnixSeconds(1767225600),
          .omissions = std::vector<std::string>{"--no-acl"}};
}

inline DumpReport SampleDump() {
  return {.path = "/backup/shop-20260101T000000Z",
          .facts = SampleFacts(),
          .elapsed = absl::Seconds(12)};
}

inline RestoreReport SampleRestore() {
  return {.database = "shop_new",
          .facts = SampleFacts(),
          .checked = true,
          .errors = {},
          .bytes = int64_t{3} << 30,
          .elapsed = absl::Seconds(75)};
}

// One of whose checks has failed.
inline DrillReport SampleDrill() {
  return {
      .subject = "/backup/shop-20260101T000000Z",
      .facts = SampleFacts(),
      .target_version = "18.1",
      .scratch = "walferry_drill_20260102_030405",
      .kept = true,
      .restored_bytes = int64_t{3} << 30,
      .started_at = absl::FromUnixSeconds(1767323045),
      .elapsed = absl::Seconds(90),
      .steps = {{"check", absl::Seconds(2)}, {"restore", absl::Seconds(80)}},
      .checks = {{.name = "archive",
                  .outcome = DrillCheck::Outcome::kPassed,
                  .detail = "every file is as its manifest says",
                  .elapsed = absl::Seconds(2)},
                 {.name = "objects",
                  .outcome = DrillCheck::Outcome::kSkipped,
                  .detail = "a plain script has no list of its objects",
                  .elapsed = absl::ZeroDuration()},
                 {.name = "orders < 5",
                  .outcome = DrillCheck::Outcome::kFailed,
                  .detail = "7 instead of at most 5",
                  .elapsed = absl::Milliseconds(12)}}};
}

}  // namespace walferry

#endif  // TESTS_TOOLS_SAMPLE_ARCHIVES_H_
