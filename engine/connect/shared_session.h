#ifndef ENGINE_CONNECT_SHARED_SESSION_H_
#define ENGINE_CONNECT_SHARED_SESSION_H_

// Servers that serve one session, which all of their clients share: PGlite
// behind its socket server.
//
// There a client keeps the others out, or their statements come in between
// where it has no transaction open; a snapshot cannot be exported to anybody;
// settings of the startup packet are not heard; and what a client has SET or
// prepared is there when it has gone, for whoever comes next. COPY FROM STDIN
// does not work, and ends the server.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The backend says itself that no postmaster has started it ("standalone
// backend"), or that it was built as WebAssembly.
absl::StatusOr<bool> ServesOneSession(PgConnection& connection);

// kFailedPrecondition: the server that `connection` leads to serves one, and
// pg_dump or pg_restore would need another. `side`: "source" or "target".
absl::Status RefuseOneSession(PgConnection& connection, absl::string_view side);

// ROLLBACK of what is open, RESET ALL and DEALLOCATE ALL, for such a session:
// before pg_dump, which prepares statements by fixed names, and behind whoever
// has set anything.
absl::Status CleanSharedSession(PgConnection& connection);

// SETs what the startup packet asks for elsewhere (PgConnectOptions::settings),
// but for what concerns the link.
absl::Status PinSettings(
    PgConnection& connection,
    const std::vector<std::pair<std::string, std::string>>& settings);

}  // namespace walferry

#endif  // ENGINE_CONNECT_SHARED_SESSION_H_
