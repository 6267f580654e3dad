#ifndef ENGINE_SCHEMA_SCHEMA_RESTORE_H_
#define ENGINE_SCHEMA_SCHEMA_RESTORE_H_

// Creates the schema on the target, step by step, each step in one transaction
// with its record in the ledger: after a kill it is done or not, never half.

#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/schema/schema_dump.h"
#include "engine/schema/schema_plan.h"
#include "engine/schema/schema_session.h"
#include "engine/schema/step_pool.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct SchemaRestoreOptions {
  // Every call opens connections of its own from it (the script changes their
  // settings) and closes them. Its interrupt ends the call with kCancelled.
  PgConnectOptions target;
  LedgerKey ledger;  // The ledger exists already.
  int jobs = 2;      // Steps at once.
  absl::Duration progress_interval = absl::Seconds(1);
};

//   SchemaRestore restore(options, std::move(dump), catalog);
//   restore.on_progress = ...;
//   RETURN_IF_ERROR(restore.RestorePreData());
//   ... copy the rows ...
//   RETURN_IF_ERROR(restore.Restore(SchemaStage::kIndexes));
//   RETURN_IF_ERROR(restore.Restore(SchemaStage::kObjects)); ...
//
// Steps that the ledger has are skipped, so any call may be repeated, also by
// another process after another dump, and after kUnavailable. Calls must not
// overlap.
class SchemaRestore {
 public:
  SchemaRestore(SchemaRestoreOptions options, SchemaDump dump,
                const Catalog& catalog);

  // Called by the thread that called Restore..., at changes and every
  // progress_interval; may be empty. Counts all steps, pre-data being one,
  // earlier runs included.
  std::function<void(const SchemaProgress&)> on_progress;
  // Receives what a person should read although nothing failed; may be empty.
  // Called by the thread that called Restore....
  std::function<void(absl::string_view)> on_warning;

  // Types, functions, tables, views: all or nothing, in one transaction.
  absl::Status RestorePreData();

  // The stage's steps, options.jobs at once. Stages are restored in their
  // order. After an error no step begins, those that run are waited for and
  // kept; it names the entry ("INDEX public.orders_idx: <server's message>").
  absl::Status Restore(SchemaStage stage);

  // Of all stages and pre-data: for Ledger::SetPlannedSteps.
  int64_t total_steps() const;

 private:
  absl::StatusOr<SchemaSession> OpenSession() const;
  // Also fills done_.
  absl::StatusOr<SchemaSession> OpenFirstSession();
  absl::Status RunPreData(SchemaSession& session, bool one_by_one);
  absl::Status RunExtensionComment(SchemaSession& session,
                                   const DumpEntry& entry);
  void ReportProgress(std::vector<ActiveItem> active) const;

  SchemaRestoreOptions options_;
  std::vector<std::string> preamble_;
  SchemaPlan plan_;
  absl::flat_hash_set<std::string> done_;  // Ids of steps of this plan.
};

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SCHEMA_RESTORE_H_
