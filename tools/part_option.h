#ifndef TOOLS_PART_OPTION_H_
#define TOOLS_PART_OPTION_H_

// --schema-only and --data-only, which several commands have.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/scope.h"
#include "tools/option_values.h"

namespace walferry {

// kInvalidArgument: both are given.
absl::StatusOr<ScopePart> BindPart(const OptionValues& values);

// kInvalidArgument: --drop-target-first is given with --data-only.
absl::Status CheckDropAndPart(const OptionValues& values);

}  // namespace walferry

#endif  // TOOLS_PART_OPTION_H_
