#include "engine/copy/copy_rate.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<double> RecentCopyRate(PgConnection& target,
                                      const LedgerKey& key) {
  // The first one's bytes came before its time.
  ASSIGN_OR_RETURN(
      const std::string text,
      target.QueryValue(absl::StrCat(
          "SELECT coalesce((sum(bytes) - (array_agg(bytes ORDER BY "
          "done_at))[1]) / nullif(extract(epoch FROM clock_timestamp() - "
          "min(done_at)), 0), 0)::float8 FROM ",
          QuoteIdentifier(key.schema),
          ".copy_range WHERE migration = ", QuoteLiteral(key.migration),
          " AND done_at > clock_timestamp() - interval '5 minutes'")));
  double rate = 0;
  if (absl::SimpleAtod(text, &rate)) return rate;
  return absl::InternalError(
      absl::StrCat("ledger: ", text, " is not a number"));
}

}  // namespace walferry
