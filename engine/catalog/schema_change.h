#ifndef ENGINE_CATALOG_SCHEMA_CHANGE_H_
#define ENGINE_CATALOG_SCHEMA_CHANGE_H_

// The stops that changes on the source make which the target cannot take: never
// a silent skip.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "protocol/quoting.h"

namespace walferry {

// kFailedPrecondition that lists the differences and says what to do.
absl::Status SchemaChanged(const std::vector<std::string>& differences);

// The same for a table whose rows have come in another shape already: that
// cannot be taken back.
absl::Status ShapeChanged(const QualifiedName& table,
                          absl::string_view difference);

// kFailedPrecondition: rows of the table were written when triggers and foreign
// keys that nothing keeps quiet had begun to come to the target.
absl::Status WrittenTooLate(const QualifiedName& table);

}  // namespace walferry

#endif  // ENGINE_CATALOG_SCHEMA_CHANGE_H_
