#ifndef ENGINE_SERVER_TABLESPACE_PLAN_H_
#define ENGINE_SERVER_TABLESPACE_PLAN_H_

// The part of the plan that is about tablespaces: made where their directory
// exists on the target, otherwise skipped with a warning, as their tables can
// live elsewhere.

#include "engine/check_findings.h"
#include "engine/server/globals_plan.h"

namespace walferry {

// Appends to the plan's tablespaces.
void PlanTablespaces(const GlobalsPlanInputs& inputs,
                     const GlobalsPlanOptions& options, FindingList& findings,
                     GlobalsPlan& plan);

}  // namespace walferry

#endif  // ENGINE_SERVER_TABLESPACE_PLAN_H_
