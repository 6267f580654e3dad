#ifndef ENGINE_SCHEMA_SCHEMA_SESSION_H_
#define ENGINE_SCHEMA_SCHEMA_SESSION_H_

// A target session that runs a dump's SQL, and what running it takes.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/ledger/ledger.h"
#include "engine/schema/dump_script.h"
#include "protocol/pg_connection.h"

namespace walferry {

class SchemaSession {
 public:
  // Runs the preamble, but for settings that the target's version does not
  // have.
  static absl::StatusOr<SchemaSession> Open(
      const PgConnectOptions& target, const LedgerKey& ledger,
      const std::vector<std::string>& preamble);

  // The ids in the ledger, in this session's encoding, which is the script's.
  absl::StatusOr<std::vector<std::string>> StepsDone();

  // One transaction: `work` and the ledger's record of the step. The record
  // comes first, so that another session that still works on the same step
  // (the server has not noticed yet that its client died) is waited for.
  // Deadlocks and lock timeouts are tried again. OK if it was done already.
  absl::Status RunStep(const std::string& id,
                       const std::function<absl::Status()>& work);

  // Nothing to do for "".
  absl::Status Exec(const std::string& sql) {
    return sql.empty() ? absl::OkStatus() : connection_.Exec(sql).status();
  }

 private:
  SchemaSession(PgConnection connection, LedgerKey ledger)
      : connection_(std::move(connection)), ledger_(std::move(ledger)) {}

  absl::Status TryStep(const std::string& id,
                       const std::function<absl::Status()>& work);

  PgConnection connection_;
  LedgerKey ledger_;
};

// A dump's preamble, but for settings that the server does not know.
absl::Status RunPreamble(PgConnection& connection,
                         const std::vector<std::string>& preamble);

// The comment that CREATE EXTENSION has set already, in most cases. Services
// install extensions under their own role, and nobody else may comment on them:
// such a comment is no error.
bool IsExtensionComment(const DumpEntry& entry);

// The error of an entry's SQL: named after the entry, with a hint where the
// server has none. `sql` is what failed.
absl::Status EntryError(const absl::Status& status, absl::string_view display,
                        absl::string_view sql);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SCHEMA_SESSION_H_
