#ifndef ENGINE_CHECK_CHECK_TARGET_ACTIONS_H_
#define ENGINE_CHECK_CHECK_TARGET_ACTIONS_H_

// What the checks of rows alone share: check_target_tables.cc looks at the
// tables, check_target_actions.cc at what happens when rows come.

#include <string>
#include <vector>

#include "engine/check/check_context.h"

namespace walferry {

// Those that run when the tables were looked at.
std::vector<CheckStep> TargetActionChecks();

// SQL arrays of OIDs, of the tables whose rows are carried: on the target, as
// far as they are there, and on the source.
std::string TargetOids(const CheckContext& check);
std::string CarriedOids(const CheckContext& check);

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_TARGET_ACTIONS_H_
