#ifndef ENGINE_ARCHIVE_COMPRESSION_H_
#define ENGINE_ARCHIVE_COMPRESSION_H_

// How an archive is compressed, and what of it a pg_dump can do.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/archive/archive_facts.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct Compression {
  std::string method;        // "zstd", "lz4", "gzip" or "none".
  std::optional<int> level;  // nullopt: the method's own default.

  std::string Text() const;  // "zstd:1".
  // As pg_dump's option of that major version.
  std::string Argument(int client_major) const;

  friend bool operator==(const Compression&, const Compression&) = default;
};

// "METHOD" or "METHOD:LEVEL". kInvalidArgument: none of these.
absl::StatusOr<Compression> ParseCompression(absl::string_view text);

// What `wanted` means for this client. "": zstd:1 where it can, else gzip:1,
// which costs less time than the disk does; none for a plain script, which is
// for people to read. kFailedPrecondition: it cannot do what is wanted: it is
// older than 16, or was built without it. kInvalidArgument: a compressed
// script.
absl::StatusOr<Compression> ChooseCompression(const std::string& wanted,
                                              ArchiveFormat format,
                                              const PgTools& tools,
                                              const Interrupt* interrupt);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_COMPRESSION_H_
