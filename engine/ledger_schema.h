#ifndef ENGINE_LEDGER_SCHEMA_H_
#define ENGINE_LEDGER_SCHEMA_H_

// The tables that the ledger consists of.

#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// Raised whenever the tables change; a ledger of another version is refused.
inline constexpr int kLedgerVersion = 3;

// Creates schema and tables where they are missing.
std::string LedgerSchemaSql(absl::string_view schema);

}  // namespace walferry

#endif  // ENGINE_LEDGER_SCHEMA_H_
