#ifndef APPLY_TEXT_NEEDED_H_
#define APPLY_TEXT_NEEDED_H_

// An error that a stream of text would not have.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Values came in binary form that cannot be taken so. Nothing of their batch is
// on the target; the same changes as text may be applied. kInternal: whoever
// asked for binary values has to ask for text, and no operator has to act.
absl::Status TextNeededError(absl::string_view message);

// Such an error, also after Annotate().
bool IsTextNeeded(const absl::Status& status);

}  // namespace walferry

#endif  // APPLY_TEXT_NEEDED_H_
