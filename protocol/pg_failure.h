#ifndef PROTOCOL_PG_FAILURE_H_
#define PROTOCOL_PG_FAILURE_H_

// libpq's error texts as statuses. For the files of protocol_pg alone.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace walferry {

// An error that libpq itself reports, without SQLSTATE: kDataLoss if the
// server broke the protocol, else kUnavailable.
absl::Status LinkFailure(absl::string_view libpq_message);

// Why no connection came about. `verbose_message` is PQerrorMessage under
// PQERRORS_VERBOSE: libpq tells the SQLSTATE of a refused connection in no
// other way.
absl::Status ConnectFailure(absl::string_view verbose_message);

}  // namespace walferry

#endif  // PROTOCOL_PG_FAILURE_H_
