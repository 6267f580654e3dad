#include "protocol/pg_copy_both.h"

#include <libpq-fe.h>

#include "absl/strings/str_cat.h"
#include "protocol/pg_socket_messages.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
absl::StatusOr<std::unique_ptr<CopyBoth>> StartCopyBoth(
    PgConnection& connection, const std::string& command) {
  const absl::Time deadline = DeadlineAfter(connection.statement_timeout());
  RETURN_IF_ERROR(SendQuery(connection, command));
  ASSIGN_OR_RETURN(const bool direct, SocketAnswers(connection, 'W', deadline));
  if (direct) return MakeSocketCopyBoth(connection);
  ASSIGN_OR_RETURN(const PgResult result, AwaitResult(connection, deadline));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_FATAL_ERROR) return FailureOf(connection, result);
  if (status != PGRES_COPY_BOTH) {
    return absl::DataLossError(
        absl::StrCat("START_REPLICATION: answered by ", PQresStatus(status)));
  }
  return MakeLibpqCopyBoth(connection);
}

}  // namespace walferry
