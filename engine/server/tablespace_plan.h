#ifndef ENGINE_SERVER_TABLESPACE_PLAN_H_
#define ENGINE_SERVER_TABLESPACE_PLAN_H_

// The part of the plan that is about tablespaces: made where their directory
// exists on the target, otherwise skipped with a warning, as their tables can
// live elsewhere.

#include <string>

#include "absl/types/span.h"
#include "engine/check/check_findings.h"
#include "engine/server/globals_plan.h"

namespace walferry {

// The location of a source's tablespace on the target: as mapped, or the same.
std::string TargetLocation(const ServerTablespace& tablespace,
                           absl::Span<const TablespaceMapping> mappings);

// Appends to the plan's tablespaces.
void PlanTablespaces(const GlobalsPlanInputs& inputs,
                     const GlobalsPlanOptions& options, FindingList& findings,
                     GlobalsPlan& plan);

}  // namespace walferry

#endif  // ENGINE_SERVER_TABLESPACE_PLAN_H_
