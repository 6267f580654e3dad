#ifndef ENGINE_SERVER_ROLE_PLAN_H_
#define ENGINE_SERVER_ROLE_PLAN_H_

// The part of the plan that is about roles themselves: attributes, passwords,
// comments.

#include "engine/check/check_findings.h"
#include "engine/server/globals_plan.h"
#include "engine/server/role_fate.h"

namespace walferry {

// Appends to the plan's statements and lists of roles.
void PlanRoles(const GlobalsPlanInputs& inputs,
               const GlobalsPlanOptions& options, const RoleFates& fates,
               FindingList& findings, GlobalsPlan& plan);

}  // namespace walferry

#endif  // ENGINE_SERVER_ROLE_PLAN_H_
