#ifndef TESTS_TOOLS_SAMPLE_VERIFICATION_H_
#define TESTS_TOOLS_SAMPLE_VERIFICATION_H_

// A comparison of two databases with something in every field.

#include "tools/verify_account.h"

namespace walferry {

inline TableVerdict SampleDifferentTable() {
  using Kind = RowDifference::Kind;
  return {.table = {"public", "orders"},
          .outcome = TableVerdict::Outcome::kDifferent,
          .source_rows = 12345,
          .target_rows = 12345,
          .ranges = 12,
          .ranges_total = 12,
          .ranges_kept = 1,
          .missing = 1,
          .extra = 1,
          .different = 2,
          .rows = {{.kind = Kind::kMissing, .key = "id=17"},
                   {.kind = Kind::kExtra, .key = "id=18"},
                   {.kind = Kind::kDifferent,
                    .key = "id=19",
                    .columns = {{"total", "1.10", "1.1"},
                                {"note", std::nullopt, ""}}}},
          .rows_left_out = true,
          .method = "hashtextextended",
          .elapsed = absl::Seconds(2)};
}

inline RepairReport SampleRepair() {
  return {.dry_run = false,
          .tables = {{.table = {"public", "log"},
                      .ranges = 1,
                      .inserted = 1,
                      .deleted = 2},
                     {.table = {"public", "orders"},
                      .failures = {"public.orders: has changed on the target "
                                   "since it was compared"}}},
          .elapsed = absl::Seconds(3)};
}

inline VerifyReport SampleVerification() {
  using Outcome = TableVerdict::Outcome;
  using Weight = ObjectDifference::Weight;
  return {.source = "old:5432/shop",
          .target = "new:5433/shop",
          .source_version = "15.18",
          .target_version = "18.1",
          .method = VerifyMethod::kChecksum,
          .position = Lsn(0x16B3778),
          .applier_pause = absl::Milliseconds(850),
          .schema_compared = true,
          .objects_compared = 412,
          .tables = {{.table = {"public", "items"},
                      .outcome = Outcome::kEqual,
                      .source_rows = 7,
                      .target_rows = 7,
                      .ranges = 1,
                      .ranges_total = 1,
                      .method = "hashtextextended",
                      .elapsed = absl::Milliseconds(12)},
                     {.table = {"public", "log"},
                      .outcome = Outcome::kDifferent,
                      .source_rows = 2,
                      .target_rows = 1,
                      .ranges = 1,
                      .ranges_total = 1,
                      .missing = 1,
                      .rows = {{.kind = RowDifference::Kind::kMissing,
                                .key = "(1,started)",
                                .source_count = 2,
                                .target_count = 1}},
                      .method = "md5",
                      .elapsed = absl::Milliseconds(3)},
                     SampleDifferentTable(),
                     {.table = {"public", "secret"},
                      .outcome = Outcome::kUnknown,
                      .detail = "source: permission denied for table secret"}},
          .objects = {{.weight = Weight::kWarning,
                       .kind = "statistics",
                       .object = "public.orders_stat",
                       .what = "is not on the target",
                       .source = "CREATE STATISTICS public.orders_stat"},
                      {.weight = Weight::kDifference,
                       .kind = "sequence",
                       .object = "public.orders_id_seq",
                       .what = "is behind",
                       .source = "12345",
                       .target = "1"}},
          .checks = {{.name = "turnover",
                      .equal = true,
                      .source = "12.50",
                      .target = "12.50"},
                     {.name = "orders < 5",
                      .equal = false,
                      .source = "4",
                      .target = "7",
                      .detail = "the answers differ"}},
          .remarks = {"table public.far is foreign and was not compared"},
          .rows_compared = 12354,
          .bytes_compared = int64_t{3} << 30,
          .started_at = absl::FromUnixSeconds(1767323045),
          .elapsed = absl::Seconds(90)};
}

}  // namespace walferry

#endif  // TESTS_TOOLS_SAMPLE_VERIFICATION_H_
