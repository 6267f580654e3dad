#ifndef ENGINE_SCHEMA_CHANGE_H_
#define ENGINE_SCHEMA_CHANGE_H_

// The stop that a schema change on the source makes: never a silent skip.

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace walferry {

// kFailedPrecondition that lists the differences and says what to do.
absl::Status SchemaChanged(const std::vector<std::string>& differences);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_CHANGE_H_
