#ifndef ENGINE_SERVER_MEMBERSHIP_PLAN_H_
#define ENGINE_SERVER_MEMBERSHIP_PLAN_H_

// The part of the plan that is about roles' memberships in roles.

#include "engine/check/check_findings.h"
#include "engine/server/globals_plan.h"
#include "engine/server/role_fate.h"

namespace walferry {

// Appends to the plan's statements. From PostgreSQL 16 on a grantor has to hold
// the role with ADMIN OPTION already, so grants come in an order in which he
// does.
void PlanMemberships(const GlobalsPlanInputs& inputs, const RoleFates& fates,
                     FindingList& findings, GlobalsPlan& plan);

}  // namespace walferry

#endif  // ENGINE_SERVER_MEMBERSHIP_PLAN_H_
