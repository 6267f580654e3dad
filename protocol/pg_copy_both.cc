#include "protocol/pg_copy_both.h"

#include <libpq-fe.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

bool IsEncrypted(PGconn* conn) {
  return PQsslInUse(conn) != 0 || PQgssEncInUse(conn) != 0;
}

// Whether the server's answer begins with a CopyBothResponse. It is left where
// it is.
absl::StatusOr<bool> CopyBothIsNext(PgConnection& connection,
                                    absl::Time deadline) {
  if (PQflush(connection.raw()) != 0) return false;
  const absl::Status waited = connection.WaitReadable(deadline);
  if (!waited.ok()) return GiveUp(connection, waited);
  char type = 0;
  return recv(PQsocket(connection.raw()), &type, 1, MSG_PEEK) == 1 &&
         type == 'W';
}

}  // namespace

absl::StatusOr<std::unique_ptr<CopyBoth>> StartCopyBoth(
    PgConnection& connection, const std::string& command) {
  const absl::Time deadline = DeadlineAfter(connection.statement_timeout());
  RETURN_IF_ERROR(SendQuery(connection, command));
  if (!IsEncrypted(connection.raw())) {
    ASSIGN_OR_RETURN(const bool next, CopyBothIsNext(connection, deadline));
    if (next) return MakeSocketCopyBoth(connection);
  }
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
