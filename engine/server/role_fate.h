#ifndef ENGINE_SERVER_ROLE_FATE_H_
#define ENGINE_SERVER_ROLE_FATE_H_

// What becomes of a role on the target, and what may be done to it there.

#include "absl/strings/string_view.h"
#include "engine/server/globals_plan.h"

namespace walferry {

enum class RoleFate {
  kCreated,
  kAltered,  // It exists, and is made as on the source.
  kLeft,     // It exists, or is one of the server's own.
  kKept,     // It migrates, or is the superuser that initdb made.
  kAbsent,   // Neither server's business: the target does not have it.
};

// Views its inputs.
class RoleFates {
 public:
  RoleFates(const GlobalsPlanInputs& inputs ABSL_ATTRIBUTE_LIFETIME_BOUND,
            bool update_existing)
      : inputs_(inputs), update_existing_(update_existing) {}

  RoleFate Of(absl::string_view role) const;
  // Once the plan is carried out.
  bool Exists(absl::string_view role) const;
  // The role that migrates may alter it, and make others its members.
  bool MayAdminister(absl::string_view role) const;

 private:
  const GlobalsPlanInputs& inputs_;
  const bool update_existing_;
};

}  // namespace walferry

#endif  // ENGINE_SERVER_ROLE_FATE_H_
