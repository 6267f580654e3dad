#ifndef ENGINE_COPY_COPY_FORMAT_H_
#define ENGINE_COPY_COPY_FORMAT_H_

// In which form the rows of a table travel. Binary values need neither be
// printed nor read: both servers need about half as long for them.

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

enum class CopyFormat { kText, kBinary };

// kBinary if that is exact: each stored column is of a portable type
// (apply/portable_types.h) and, as the target's catalog has it now, of the same
// one there. The source's types are the catalog's as long as a snapshot guards
// the table; those of the target are sure only while its table is locked.
absl::StatusOr<CopyFormat> FormatFor(const CatalogTable& table,
                                     const PgConnection& source,
                                     PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_COPY_COPY_FORMAT_H_
