#ifndef ENGINE_LEDGER_LEDGER_SQL_H_
#define ENGINE_LEDGER_LEDGER_SQL_H_

// The statements that record progress in the ledger (engine/ledger/ledger.h),
// for whoever makes that progress to run inside his own transaction.

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"

namespace walferry {

struct LedgerKey {
  std::string schema = "walferry";
  std::string migration = "walferry";
};

// Blocks [first, end) of a table's heap; end -1: to the end of the table.
struct LedgerRange {
  int64_t first_block = 0;
  int64_t end_block = -1;
};

// SQL that marks progress from inside the transaction that makes it, on
// whatever target connection that runs: after COMMIT both hold, or neither.
// Each statement must touch exactly one row.
class LedgerSql {
 public:
  explicit LedgerSql(LedgerKey key) : key_(std::move(key)) {}

  // INSERT of a step; fails with 23505 when it is already done.
  std::string StepDone(absl::string_view step) const;
  std::string ForgetStep(absl::string_view step) const;  // Also of none.
  std::string RangeDone(const QualifiedName& table, const LedgerRange& range,
                        int64_t rows, int64_t bytes) const;
  std::string TableCopied(const QualifiedName& table) const;
  // What its rows on the source were (engine/cutover/unlogged_tables.h).
  std::string TableFingerprint(const QualifiedName& table,
                               absl::string_view fingerprint) const;
  // New position of a table's rows (all its ranges), which are not all; or 0/0
  // and "" together with ForgetRanges to start it anew.
  std::string TablePosition(const QualifiedName& table, Lsn lsn,
                            absl::string_view snapshot, uint32_t relfilenode,
                            int64_t blocks) const;
  std::string ForgetRanges(const QualifiedName& table) const;  // Any rows.

  const LedgerKey& key() const { return key_; }

 private:
  std::string Table(absl::string_view name) const;
  LedgerKey key_;
};

}  // namespace walferry

#endif  // ENGINE_LEDGER_LEDGER_SQL_H_
