#include "engine/server/membership_plan.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

constexpr int kOptionsOfGrants = 160000;

// The target knows as much of the membership already.
bool Holds(const Globals& target, const RoleMembership& wanted) {
  return absl::c_any_of(target.memberships, [&](const RoleMembership& present) {
    return present.role == wanted.role && present.member == wanted.member &&
           (present.admin || !wanted.admin) &&
           (!present.inherit || !wanted.inherit ||
            *present.inherit == *wanted.inherit) &&
           (!present.set || !wanted.set || *present.set == *wanted.set);
  });
}

class MembershipPlanner {
 public:
  MembershipPlanner(const GlobalsPlanInputs& inputs, const RoleFates& fates,
                    FindingList& findings, GlobalsPlan& plan)
      : inputs_(inputs), fates_(fates), findings_(findings), plan_(plan) {}

  void Plan() {
    std::vector<RoleMembership> waiting;
    for (const RoleMembership& membership : inputs_.source.memberships) {
      if (!IsForUs(membership)) continue;
      Merge(WithGrantorOf(membership), waiting);
    }
    Emit(std::move(waiting));
  }

 private:
  bool new_target() const {
    return inputs_.target.server_version >= kOptionsOfGrants;
  }

  bool IsForUs(const RoleMembership& membership) {
    if (!fates_.Exists(membership.role)) {
      findings_.Acceptable({"role-membership", Subject(membership),
                            absl::StrCat("is a member of ", membership.role,
                                         ", which the target does not have"),
                            ""});
      return false;
    }
    if (!fates_.Exists(membership.member) ||
        Holds(inputs_.target, membership)) {
      return false;
    }
    const RoleFate member = fates_.Of(membership.member);
    if (member == RoleFate::kKept) {
      findings_.Info({"role-kept", Subject(membership),
                      absl::StrCat("is a member of ", membership.role,
                                   " on the source and does not become one"),
                      ""});
      return false;
    }
    const RoleFate role = fates_.Of(membership.role);
    if (member == RoleFate::kLeft && role != RoleFate::kCreated) {
      findings_.Warning(
          {"role-exists", Subject(membership),
           absl::StrCat("exists on the target and is left as it is; on the "
                        "source it is a member of ",
                        membership.role, Described(membership)),
           "--update-existing makes it as it is on the source"});
      return false;
    }
    if (role != RoleFate::kCreated && role != RoleFate::kAltered &&
        IsStrongerOnTarget(membership.role)) {
      findings_.Acceptable(
          {"role-membership", Subject(membership),
           absl::StrCat("is a member of ", membership.role,
                        ", which may do more on the target than on the "
                        "source, and does not become one"),
           absl::StrCat("if it is meant to: GRANT ",
                        QuoteIdentifier(membership.role), " TO ",
                        QuoteIdentifier(membership.member))});
      return false;
    }
    if (!fates_.MayAdminister(membership.role)) {
      findings_.Acceptable(
          {"role-membership", Subject(membership),
           absl::StrCat("is a member of ", membership.role, ", which role ",
                        inputs_.rights.role, " may not grant on the target"),
           absl::StrCat("let a superuser of the target run: GRANT ",
                        QuoteIdentifier(membership.role), " TO ",
                        QuoteIdentifier(inputs_.rights.role),
                        " WITH ADMIN OPTION")});
      return false;
    }
    TellOptions(membership);
    return true;
  }

  // Roles of the server's own are the same on both.
  bool IsStrongerOnTarget(const std::string& role) const {
    const ServerRole* const theirs = inputs_.target.FindRole(role);
    if (theirs == nullptr) return false;
    const ServerRole* const ours = inputs_.source.FindRole(role);
    const ServerRole nobody;
    const ServerRole& weaker = ours == nullptr ? nobody : *ours;
    return (theirs->superuser && !weaker.superuser) ||
           (theirs->create_role && !weaker.create_role) ||
           (theirs->create_db && !weaker.create_db) ||
           (theirs->replication && !weaker.replication) ||
           (theirs->bypass_rls && !weaker.bypass_rls);
  }

  void TellOptions(const RoleMembership& membership) {
    if (new_target() || !membership.set || *membership.set) return;
    findings_.Warning(
        {"role-membership", Subject(membership),
         absl::StrCat("may not SET ROLE ", membership.role,
                      " on the source; before PostgreSQL 16 every member may"),
         ""});
  }

  // Who is to stand as grantor; "" is whoever the server takes.
  RoleMembership WithGrantorOf(RoleMembership membership) const {
    const bool told =
        !new_target() || inputs_.source.server_version >= kOptionsOfGrants;
    if (!inputs_.rights.superuser || !told ||
        membership.grantor == inputs_.source.bootstrap_superuser ||
        !fates_.Exists(membership.grantor)) {
      membership.grantor.clear();
    }
    return membership;
  }

  // One grantor's second word would undo his first.
  static void Merge(RoleMembership membership,
                    std::vector<RoleMembership>& waiting) {
    for (RoleMembership& other : waiting) {
      if (other.role != membership.role || other.member != membership.member ||
          other.grantor != membership.grantor) {
        continue;
      }
      other.admin |= membership.admin;
      if (other.inherit) *other.inherit |= membership.inherit.value_or(false);
      if (other.set) *other.set |= membership.set.value_or(false);
      return;
    }
    waiting.push_back(std::move(membership));
  }

  void Emit(std::vector<RoleMembership> waiting) {
    for (const RoleMembership& present : inputs_.target.memberships) {
      if (present.admin) holders_.insert({present.role, present.member});
    }
    while (!waiting.empty()) {
      std::vector<RoleMembership> later;
      for (RoleMembership& membership : waiting) {
        if (MayGrantNow(membership)) {
          EmitOne(membership);
        } else {
          later.push_back(std::move(membership));
        }
      }
      if (later.size() == waiting.size()) {
        TellGrantor(later.front());
        later.front().grantor.clear();
      }
      waiting = std::move(later);
    }
  }

  bool MayGrantNow(const RoleMembership& membership) const {
    return !new_target() || membership.grantor.empty() ||
           holders_.contains({membership.role, membership.grantor});
  }

  void TellGrantor(const RoleMembership& membership) {
    findings_.Info(
        {"role-membership", Subject(membership),
         absl::StrCat("was made a member of ", membership.role, " by ",
                      membership.grantor,
                      ", who may not do so on the target; there it is the "
                      "server's first superuser"),
         ""});
  }

  void EmitOne(const RoleMembership& membership) {
    if (membership.admin) {
      holders_.insert({membership.role, membership.member});
    }
    std::vector<std::string> options;
    if (membership.admin) options.emplace_back("ADMIN OPTION");
    if (new_target() && membership.inherit) {
      options.push_back(
          absl::StrCat("INHERIT ", *membership.inherit ? "TRUE" : "FALSE"));
    }
    if (new_target() && membership.set) {
      options.push_back(
          absl::StrCat("SET ", *membership.set ? "TRUE" : "FALSE"));
    }
    const std::string sql = absl::StrCat(
        "GRANT ", QuoteIdentifier(membership.role), " TO ",
        QuoteIdentifier(membership.member), options.empty() ? "" : " WITH ",
        absl::StrJoin(options, ", "),
        membership.grantor.empty()
            ? ""
            : absl::StrCat(" GRANTED BY ",
                           QuoteIdentifier(membership.grantor)));
    plan_.statements.push_back(
        {.subject = Subject(membership), .sql = sql, .shown = sql});
  }

  static absl::string_view Described(const RoleMembership& membership) {
    return membership.admin ? " with ADMIN OPTION" : "";
  }

  static std::string Subject(const RoleMembership& membership) {
    return absl::StrCat("role ", membership.member);
  }

  const GlobalsPlanInputs& inputs_;
  const RoleFates& fates_;
  FindingList& findings_;
  GlobalsPlan& plan_;
  // Role, and who may grant it.
  absl::flat_hash_set<std::pair<std::string, std::string>> holders_;
};

}  // namespace

void PlanMemberships(const GlobalsPlanInputs& inputs, const RoleFates& fates,
                     FindingList& findings, GlobalsPlan& plan) {
  MembershipPlanner(inputs, fates, findings, plan).Plan();
}

}  // namespace walferry
