#ifndef PROTOCOL_PG_QUERY_H_
#define PROTOCOL_PG_QUERY_H_

// A statement whose answer is fetched later, so that two servers can work at
// the same time.

#include <string>

#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"

namespace walferry {

//   ASSIGN_OR_RETURN(PgQuery query, PgQuery::Start(source, sql));
//   ... what goes on meanwhile ...
//   ASSIGN_OR_RETURN(const PgResult result, query.Await());
class PgQuery {
 public:
  // Sends it by the simple query protocol. The connection outlives this and
  // takes nothing else until the answer is there.
  static absl::StatusOr<PgQuery> Start(PgConnection& connection,
                                       const std::string& sql);
  PgQuery(PgQuery&& other) noexcept : connection_(other.connection_) {
    other.connection_ = nullptr;
  }
  PgQuery& operator=(PgQuery&&) = delete;
  // One that was not awaited is cancelled, and its connection is broken.
  ~PgQuery();

  // As PgConnection::Exec. Once.
  absl::StatusOr<PgResult> Await();

 private:
  explicit PgQuery(PgConnection* connection) : connection_(connection) {}

  PgConnection* connection_;  // Null: nothing is awaited.
};

}  // namespace walferry

#endif  // PROTOCOL_PG_QUERY_H_
