#ifndef PROTOCOL_PG_CANCEL_H_
#define PROTOCOL_PG_CANCEL_H_

// Asks a server to end what it is doing for a connection.

struct pg_conn;

namespace walferry {

// Waits a second at most for the request to be delivered: the server may be
// the very thing that does not answer. Whether it came in time to end anything
// is not known.
void SendCancelRequest(const pg_conn* conn);

}  // namespace walferry

#endif  // PROTOCOL_PG_CANCEL_H_
