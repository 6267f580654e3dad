#ifndef APPLY_TAKEN_VALUES_H_
#define APPLY_TAKEN_VALUES_H_

// Which new rows want a value of a secondary unique key that another row of the
// target has.

#include <string>
#include <vector>

#include "apply/apply_session.h"
#include "apply/change_batch.h"
#include "apply/statement.h"
#include "apply/statement_cache.h"
#include "apply/table_cache.h"
#include "apply/table_mapping.h"
#include "apply/target_transaction.h"

namespace walferry {

// There is one statement for a table.
struct TakenValuesShape {
  friend bool operator==(TakenValuesShape, TakenValuesShape) = default;
  template <typename H>
  friend H AbslHashValue(H h, TakenValuesShape) {
    return h;
  }
};

// Its parameter is an array of rows; it returns the ordinals, from 1, of those
// that want what another row has.
std::vector<Statement> BuildStatements(const TableMapping& table,
                                       TakenValuesShape);

// Asks the target. What is answered was so when it was asked: a value may be
// free a moment later, or taken.
class TakenValues {
 public:
  // All outlive this. The tables of every change are loaded.
  TakenValues(ApplySession& session, TargetTransaction& transaction,
              const TableCache& tables);

  // Marks the changes of the batch that want a taken value; those that are
  // marked are not asked about. Suspends the transaction.
  absl::Status Find(const ChangeBatch& batch, std::vector<bool>& marked);

 private:
  struct Rows;
  absl::Status Ask(Rows& rows, std::vector<bool>& marked);

  TargetTransaction& transaction_;
  const TableCache& tables_;
  StatementCache<TakenValuesShape> statements_;
};

}  // namespace walferry

#endif  // APPLY_TAKEN_VALUES_H_
