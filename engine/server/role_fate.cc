#include "engine/server/role_fate.h"

#include "absl/algorithm/container.h"

namespace walferry {

RoleFate RoleFates::Of(absl::string_view role) const {
  const Globals& target = inputs_.target;
  if (role == inputs_.rights.role || role == target.bootstrap_superuser) {
    return RoleFate::kKept;
  }
  if (target.FindRole(role) != nullptr) {
    return update_existing_ && inputs_.source.FindRole(role) != nullptr
               ? RoleFate::kAltered
               : RoleFate::kLeft;
  }
  if (target.HasRole(role)) return RoleFate::kLeft;
  return inputs_.source.FindRole(role) != nullptr ? RoleFate::kCreated
                                                  : RoleFate::kAbsent;
}

bool RoleFates::Exists(absl::string_view role) const {
  return Of(role) != RoleFate::kAbsent;
}

bool RoleFates::MayAdminister(absl::string_view role) const {
  const TargetRights& rights = inputs_.rights;
  if (rights.superuser) return true;
  if (Of(role) == RoleFate::kCreated) return rights.create_role;
  const ServerRole* existing = inputs_.target.FindRole(role);
  if (existing != nullptr && existing->superuser) return false;
  // Before PostgreSQL 16 CREATEROLE was a right over every other role.
  if (inputs_.target.server_version < 160000 && rights.create_role) return true;
  return absl::c_any_of(
      inputs_.target.memberships, [&](const RoleMembership& membership) {
        return membership.role == role && membership.member == rights.role &&
               membership.admin;
      });
}

}  // namespace walferry
