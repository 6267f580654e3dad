#include "engine/stream/write_rhythm.h"

#include <gtest/gtest.h>

namespace walferry {
namespace {

const absl::Time kStart = absl::UnixEpoch();

// Looks every 20 ms for `length`, while a transaction comes every `gap`; from
// `rhythm`'s time `begin` on.
void Write(WriteRhythm& rhythm, absl::Time begin, absl::Duration length,
           absl::Duration gap, int64_t done = 0) {
  for (absl::Duration at; at < length; at += absl::Milliseconds(20)) {
    rhythm.Note(begin + at, done + 1 + at / gap);
  }
}

TEST(WriteRhythm, NothingSeenNeedsTheLeast) {
  WriteRhythm rhythm;
  EXPECT_EQ(rhythm.SilenceNeeded(kStart), absl::Milliseconds(100));
  rhythm.Note(kStart, 1000);
  EXPECT_EQ(rhythm.SilenceNeeded(kStart + absl::Seconds(1)),
            absl::Milliseconds(100));
}

TEST(WriteRhythm, ManyWritesNeedTheLeast) {
  WriteRhythm rhythm;
  Write(rhythm, kStart, absl::Seconds(10), absl::Milliseconds(20));
  EXPECT_EQ(rhythm.SilenceNeeded(kStart + absl::Seconds(10)),
            absl::Milliseconds(100));
}

TEST(WriteRhythm, FewWritesNeedThreeGaps) {
  WriteRhythm rhythm;
  Write(rhythm, kStart, absl::Seconds(60), absl::Milliseconds(400));
  // The last one came 0.4 s before.
  const absl::Duration needed =
      rhythm.SilenceNeeded(kStart + absl::Seconds(60));
  EXPECT_GT(needed, absl::Milliseconds(700));
  EXPECT_LT(needed, absl::Milliseconds(900));
  // What has passed already counts.
  EXPECT_EQ(rhythm.SilenceNeeded(kStart + absl::Seconds(61)),
            absl::Milliseconds(100));
}

TEST(WriteRhythm, RareWritesNeedTheMost) {
  WriteRhythm rhythm;
  Write(rhythm, kStart, absl::Seconds(30), absl::Seconds(5));
  const absl::Duration needed =
      rhythm.SilenceNeeded(kStart + absl::Seconds(26));
  EXPECT_GT(needed, absl::Milliseconds(1900));
  EXPECT_LE(needed, absl::Seconds(3));
}

TEST(WriteRhythm, ForgetsWhatIsLongAgo) {
  WriteRhythm rhythm;
  Write(rhythm, kStart, absl::Seconds(10), absl::Milliseconds(20));
  Write(rhythm, kStart + absl::Seconds(10), absl::Seconds(30),
        absl::Milliseconds(500), 1000);
  EXPECT_GT(rhythm.SilenceNeeded(kStart + absl::Seconds(40)),
            absl::Milliseconds(900));
}

}  // namespace
}  // namespace walferry
