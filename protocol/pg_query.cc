#include "protocol/pg_query.h"

#include <utility>

#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<PgQuery> PgQuery::Start(PgConnection& connection,
                                       const std::string& sql) {
  RETURN_IF_ERROR(SendQuery(connection, sql));
  RETURN_IF_ERROR(
      FlushOutput(connection, DeadlineAfter(connection.statement_timeout())));
  return PgQuery(&connection);
}

PgQuery::~PgQuery() {
  if (connection_ == nullptr) return;
  GiveUp(*connection_, absl::CancelledError("its answer is not wanted"))
      .IgnoreError();
}

absl::StatusOr<PgResult> PgQuery::Await() {
  PgConnection& connection = *std::exchange(connection_, nullptr);
  PgResult result;
  RETURN_IF_ERROR(AwaitEnd(
      connection, DeadlineAfter(connection.statement_timeout()), &result));
  return result;
}

}  // namespace walferry
