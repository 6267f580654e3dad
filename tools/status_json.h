#ifndef TOOLS_STATUS_JSON_H_
#define TOOLS_STATUS_JSON_H_

// `walferry status --json`. docs/status.md documents every field.

#include <string>

#include "engine/status.h"
#include "tools/redaction.h"

namespace walferry {

std::string StatusToJson(const MigrationStatus& status,
                         const Redactor& redactor);

}  // namespace walferry

#endif  // TOOLS_STATUS_JSON_H_
