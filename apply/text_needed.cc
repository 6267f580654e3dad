#include "apply/text_needed.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"

namespace walferry {
namespace {

constexpr absl::string_view kUrl = "walferry/text_needed";

}  // namespace

absl::Status TextNeededError(absl::string_view message) {
  absl::Status status = absl::InternalError(message);
  status.SetPayload(kUrl, absl::Cord());
  return status;
}

bool IsTextNeeded(const absl::Status& status) {
  return status.GetPayload(kUrl).has_value();
}

}  // namespace walferry
