#ifndef TOOLS_ENDPOINT_OPTIONS_H_
#define TOOLS_ENDPOINT_OPTIONS_H_

// Which two databases, and what of them: options that several commands have.

#include "absl/status/statusor.h"
#include "engine/options.h"
#include "engine/scope.h"
#include "tools/option_values.h"

namespace walferry {

// kInvalidArgument: one of both is not given, or libpq cannot read it.
absl::StatusOr<Endpoints> BindEndpoints(const OptionValues& values);

// All but the part, which BindPart knows.
ScopeOptions BindScope(const OptionValues& values);

}  // namespace walferry

#endif  // TOOLS_ENDPOINT_OPTIONS_H_
