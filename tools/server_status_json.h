#ifndef TOOLS_SERVER_STATUS_JSON_H_
#define TOOLS_SERVER_STATUS_JSON_H_

// `walferry status --json` of a move of all databases. docs/status.md documents
// every field.

#include <string>

#include "engine/server/server_status.h"
#include "tools/redaction.h"

namespace walferry {

std::string ServerStatusToJson(const ServerStatus& status,
                               const Redactor& redactor);

}  // namespace walferry

#endif  // TOOLS_SERVER_STATUS_JSON_H_
