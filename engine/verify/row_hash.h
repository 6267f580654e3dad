#ifndef ENGINE_VERIFY_ROW_HASH_H_
#define ENGINE_VERIFY_ROW_HASH_H_

// How a server makes 64 bits of a text, so that two servers make the same.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/verify/snapshot_pair.h"

namespace walferry {

enum class RowHash {
  // hashtextextended(): the fastest by far. Its bits depend on the encoding,
  // on the byte order and perhaps, one day, on the version.
  kHashText,
  // Its first 64 bits, of the text as UTF-8: the same everywhere, since
  // PostgreSQL 11.
  kSha256,
  kMd5,  // The same, of old servers.
};

absl::string_view RowHashName(RowHash hash);  // "hashtextextended"

// The fastest that is the same on both sides: which, is asked and not assumed.
absl::StatusOr<RowHash> ChooseRowHash(SessionPair& sessions);

// The bigint of a text, an expression in SQL, as one. `seed` is another bigint,
// for kHashText.
std::string HashSql(RowHash hash, absl::string_view text,
                    absl::string_view seed = "0");

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_HASH_H_
