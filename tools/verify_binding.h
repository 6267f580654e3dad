#ifndef TOOLS_VERIFY_BINDING_H_
#define TOOLS_VERIFY_BINDING_H_

// As option_binding.h, for the comparison of two databases.

#include "absl/status/statusor.h"
#include "engine/verify/verification.h"
#include "tools/option_values.h"

namespace walferry {

// Without the checks, which stand in a file.
absl::StatusOr<VerifyOptions> BindVerify(const OptionValues& values);

}  // namespace walferry

#endif  // TOOLS_VERIFY_BINDING_H_
