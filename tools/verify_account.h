#ifndef TOOLS_VERIFY_ACCOUNT_H_
#define TOOLS_VERIFY_ACCOUNT_H_

// What there is to tell of a comparison of two databases, in the words that
// all forms of it share.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/comparison.h"
#include "engine/verify/verification.h"

namespace walferry {

struct VerifyAccount {
  VerifyReport report;  // As far as there is one.
  std::string trouble;  // Why there is not all of it; "": there is.
};

enum class Verdict {
  kEqual,
  kDifferent,
  kUnknown,  // Of all of it, or of a part where nothing else differs.
};
Verdict VerdictOf(const VerifyAccount& account);
absl::string_view VerdictName(Verdict verdict);  // "equal"

// For who has no account; `found` as VerdictText() unless it is equal.
ComparisonResult ComparisonOf(const VerifyAccount& account, absl::Time at);

// How many of each.
struct VerifyTally {
  int64_t tables_different = 0;
  int64_t tables_unknown = 0;
  int64_t rows_different = 0;  // Missing, too many or different.
  bool rows_at_least = false;  // There may be more of them.
  int64_t objects_different = 0;
  int64_t objects_unknown = 0;
  int64_t checks_different = 0;
  int64_t checks_unknown = 0;
  int64_t warnings = 0;  // Of tables and objects.
  int64_t ranges = 0;
  int64_t ranges_total = 0;
  int64_t ranges_kept = 0;
};
VerifyTally TallyOf(const VerifyReport& report);

// "4 rows in 2 of 40 tables, 1 object, 1 check": what differs.
std::string FoundText(const VerifyReport& report);

// One sentence without its full stop: what is known now.
std::string VerdictText(const VerifyAccount& account);

// What the method proves: "every column of every row".
absl::string_view ProofText(VerifyMethod method);

// What a person does now, a sentence without its full stop; "": nothing.
std::string NextStep(const VerifyAccount& account);

// "2 rows missing on the target, 1 too many; 12 rows on the source, 11 on the
// target".
std::string FoundText(const TableVerdict& table);

// "3 rows inserted, 1 row deleted": of a dry run, what would be.
std::string DoneText(const TableRepair& table);
// "repaired", "would be repaired", "repaired; no changes were applied for 1.2
// s".
std::string RepairedText(const RepairReport& repair);

// "2 on the source, 1 on the target" of rows of a table without a key; ""
// where the row is there once on a side, or not.
std::string TimesText(const RowDifference& row);

// "index public.orders_idx is invalid on the target".
std::string ObjectText(const ObjectDifference& object);

// As JSON has them: "equal", "different", "unknown", "warning".
absl::string_view OutcomeName(TableVerdict::Outcome outcome);
// "missing", "extra", "different": on the target.
absl::string_view RowKindName(RowDifference::Kind kind);
// "difference", "warning", "unknown".
absl::string_view WeightName(ObjectDifference::Weight weight);
// "equal", "different", "unknown".
absl::string_view CheckOutcomeName(const CheckVerdict& check);

}  // namespace walferry

#endif  // TOOLS_VERIFY_ACCOUNT_H_
