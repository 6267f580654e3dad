#ifndef PROTOCOL_PG_CONNECT_H_
#define PROTOCOL_PG_CONNECT_H_

// How a connection comes about. For the files of protocol_pg alone.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"

struct pg_conn;
struct pg_result;

namespace walferry {

struct ClosePgConn {
  void operator()(pg_conn* conn) const;
};
using PgConnPtr = std::unique_ptr<pg_conn, ClosePgConn>;

// Receives notices, from the first one on; `argument` outlives the connection.
struct NoticeReceiver {
  void (*call)(void* argument, const pg_result* notice);
  void* argument;
};

// As PgConnection::Open. The result is idle and non-blocking. Of several hosts
// each has connect_timeout of its own, as in libpq.
absl::StatusOr<PgConnPtr> Connect(const PgConnectOptions& options,
                                  NoticeReceiver on_notice);

// "host:port", "[::1]:port" or the socket's path.
std::string PeerOf(const pg_conn* conn);

}  // namespace walferry

#endif  // PROTOCOL_PG_CONNECT_H_
