#ifndef ENGINE_STREAM_BINARY_STREAM_H_
#define ENGINE_STREAM_BINARY_STREAM_H_

// Whether a stream's values may come in binary form.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "engine/event.h"
#include "engine/stream/batch_builder.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

// The type OIDs of the target's columns, by table and name.
using TargetTypes =
    absl::flat_hash_map<QualifiedName,
                        absl::flat_hash_map<std::string, uint32_t>>;

// The target's tables that the publications may bring changes for, if each of
// their published columns is of a portable type, and of the same on both sides
// where the target has the column; nullopt: the values must come as text.
// `source` is no session that decodes the log later.
absl::StatusOr<std::optional<TargetTypes>> ReadTypesForBinary(
    PgConnection& source, PgConnection& target,
    const std::vector<std::string>& publications);

// The catalog says what is now, and the log may be older: so each relation of a
// binary stream is looked at when it comes, after `gate`. Those that are
// applied and hold another type than `types`, or one that is not portable, are
// IsTextNeeded(). What the target got later is left to the applier, which
// compares the same.
RelationGate GateOfBinary(RelationGate gate, TargetTypes types);

// What there is to say of a stream that ended with IsTextNeeded(), and of the
// one that goes on in its place.
Notice TurnedToText(const absl::Status& status);

}  // namespace walferry

#endif  // ENGINE_STREAM_BINARY_STREAM_H_
