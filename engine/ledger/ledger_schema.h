#ifndef ENGINE_LEDGER_LEDGER_SCHEMA_H_
#define ENGINE_LEDGER_LEDGER_SCHEMA_H_

// The tables that the ledger consists of.

#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// Raised whenever the tables change; a ledger of another version is refused,
// unless LedgerUpgradeSql() takes it.
inline constexpr int kLedgerVersion = 5;

// Creates schema and tables where they are missing.
std::string LedgerSchemaSql(absl::string_view schema);

// Makes a ledger of that version one of kLedgerVersion; "" if that is not
// possible. Waits for transactions of an older walferry that still writes a
// stream there, which it does not disturb.
std::string LedgerUpgradeSql(absl::string_view schema,
                             absl::string_view version);

}  // namespace walferry

#endif  // ENGINE_LEDGER_LEDGER_SCHEMA_H_
