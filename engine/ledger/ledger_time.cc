#include "engine/ledger/ledger_time.h"

#include "absl/strings/str_cat.h"

namespace walferry {

absl::StatusOr<std::optional<absl::Time>> LedgerTime(const std::string& text) {
  if (text.empty()) return std::optional<absl::Time>();
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InternalError(
        absl::StrCat("ledger: ", text, " is not a time: ", error));
  }
  return std::optional<absl::Time>(time);
}

}  // namespace walferry
