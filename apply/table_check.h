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
#include "protocol/pg_pipeline.h"

namespace walferry {

// Asked behind the statements that change a table, in their transaction: they
// have locked it, so that it cannot change any more, and none of them is
// committed before the answer is there. The tables asked about live until then.
class TableCheck {
 public:
  // All outlive this.
  TableCheck(ApplySession& session, TargetTransaction& transaction,
             const TableCache& tables);

  // The pipeline, which must have been entered, fails with kFailedPrecondition
  // if the table was altered: its columns have other places, or do other
  // things.
  absl::Status SendForPlaces(const TableMapping& table);

  // If the batch has binary values: of all tables whose rows it changes, which
  // are loaded. COPY takes the bytes of one type for another without a word,
  // and a numeric is rounded for a column that has become an integer. The
  // pipeline fails with IsTextNeeded() if a column has another type.
  absl::Status SendForBinary(const ChangeBatch& batch);

 private:
  struct PreparedQuery {
    const std::string sql;
    std::string name;  // "" before it is prepared.
    int64_t era = 0;   // Of the session, when it was.
  };
  absl::Status Send(PreparedQuery& query, const TableMapping& table,
                    PgPipeline::OnResult on_result);

  ApplySession& session_;
  TargetTransaction& transaction_;
  const TableCache& tables_;
  PreparedQuery places_;
  PreparedQuery types_;
};

}  // namespace walferry

#endif  // APPLY_TABLE_CHECK_H_
