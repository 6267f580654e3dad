#include "protocol/pg_time.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(PgTime, StartsInTheYear2000) {
  EXPECT_EQ(absl::FormatTime(FromPgTime(0), absl::UTCTimeZone()),
            "2000-01-01T00:00:00+00:00");
  EXPECT_EQ(ToPgTime(absl::UnixEpoch()), -946684800000000);
}

TEST(PgTime, KeepsMicroseconds) {
  // The commit time of a Begin; date -u -d @1795230158 says the same.
  EXPECT_EQ(absl::FormatTime(FromPgTime(848545358165149), absl::UTCTimeZone()),
            "2026-11-21T03:02:38.165149+00:00");
  for (const int64_t time : {int64_t{-1}, int64_t{1}, int64_t{848545358165149},
                             int64_t{-211813488000000000}}) {
    EXPECT_EQ(ToPgTime(FromPgTime(time)), time);
  }
}

}  // namespace
}  // namespace walferry
