#ifndef APPLY_TABLE_CHECK_H_
#define APPLY_TABLE_CHECK_H_

// That tables of the target still are what their catalog said when it was read.

#include <string>

#include "absl/status/status.h"
#include "apply/apply_session.h"
#include "apply/change_batch.h"
#include "apply/table_cache.h"
#include "apply/table_mapping.h"
#include "apply/target_transaction.h"

namespace walferry {

// Asked behind the statements that change a table, in their transaction: they
// have locked it, so that it cannot change any more, and none of them is
// committed before the answer is there.
class TableCheck {
 public:
  // All outlive this.
  TableCheck(ApplySession& session, TargetTransaction& transaction,
             const TableCache& tables);

  // The pipeline fails with kFailedPrecondition if the table was altered; it
  // must have been entered. `table` lives until the results are there.
  absl::Status Send(const TableMapping& table);

  // If the batch has binary values: of all tables whose rows it changes, which
  // are loaded. COPY takes the bytes of one type for another without a word,
  // and a parameter that is an int8 is rounded or cut for a column that is not
  // one any more. The pipeline fails with IsTextNeeded() if a table was
  // altered.
  absl::Status SendForBinary(const ChangeBatch& batch);

  // The session has dropped all its prepared statements.
  void Forget() { statement_.clear(); }

 private:
  absl::Status Ask(const TableMapping& table, bool binary);

  ApplySession& session_;
  TargetTransaction& transaction_;
  const TableCache& tables_;
  std::string statement_;  // "" before it is prepared.
};

}  // namespace walferry

#endif  // APPLY_TABLE_CHECK_H_
