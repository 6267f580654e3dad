#ifndef ENGINE_CONNECT_CONNECT_H_
#define ENGINE_CONNECT_CONNECT_H_

// How the engine opens its sessions: one place for application names, pinned
// settings and the words "source" and "target" in errors.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/options.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// Whether this run has been on the server before.
enum class Contact { kFirst, kAgain };

// Copied freely; what it points to outlives every copy and every connection.
struct Connector {
  Endpoints endpoints;
  const Interrupt* interrupt = nullptr;

  // `role` says what the session is for and ends its application_name:
  // "walferry orders: copy". Values are printed and read the same way on both
  // sides, whatever the roles' and databases' own settings are.
  //
  // A server that nobody has reached yet is rather named wrongly than away: if
  // nothing answers at the first contact, that is kFailedPrecondition, for a
  // person, and not kUnavailable. A server that answers, if only that it is
  // starting, is waited for as later ones are.
  absl::StatusOr<PgConnection> OpenSource(
      absl::string_view role, Contact contact = Contact::kAgain) const;
  absl::StatusOr<PgConnection> OpenTarget(
      absl::string_view role, Contact contact = Contact::kAgain) const;
  // A walsender connection. `client_encoding` is what the target session uses.
  absl::StatusOr<PgConnection> OpenWalsender(
      absl::string_view client_encoding) const;

  // For sessions that another part opens itself.
  PgConnectOptions SourceOptions(absl::string_view role) const;
  PgConnectOptions TargetOptions(absl::string_view role) const;
};

}  // namespace walferry

#endif  // ENGINE_CONNECT_CONNECT_H_
