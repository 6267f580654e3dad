#ifndef ENGINE_CONNECT_NAME_ENCODING_H_
#define ENGINE_CONNECT_NAME_ENCODING_H_

// The encoding that sessions of both sides speak, so that the name of an object
// can be read from one and sent to the other.

#include <string>

#include "absl/status/status.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The source's server_encoding, but for SQL_ASCII: its bytes are taken for the
// target's own encoding.
std::string NameEncoding(const PgConnection& source,
                         const PgConnection& target);

absl::Status SpeakNameEncoding(PgConnection& source, PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_CONNECT_NAME_ENCODING_H_
