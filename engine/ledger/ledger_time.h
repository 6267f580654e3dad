#ifndef ENGINE_LEDGER_LEDGER_TIME_H_
#define ENGINE_LEDGER_LEDGER_TIME_H_

// Times of the ledger, as text in LedgerMigration.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace walferry {

// nullopt for "".
absl::StatusOr<std::optional<absl::Time>> LedgerTime(const std::string& text);

}  // namespace walferry

#endif  // ENGINE_LEDGER_LEDGER_TIME_H_
