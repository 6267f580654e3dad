#include "engine/verify/verification.h"

#include "absl/algorithm/container.h"

namespace walferry {

bool VerifyReport::found_differences() const {
  return absl::c_any_of(tables,
                        [](const TableVerdict& table) {
                          return table.outcome ==
                                 TableVerdict::Outcome::kDifferent;
                        }) ||
         absl::c_any_of(objects,
                        [](const ObjectDifference& object) {
                          return object.weight ==
                                 ObjectDifference::Weight::kDifference;
                        }) ||
         absl::c_any_of(checks, [](const CheckVerdict& check) {
           return !check.equal && !check.unknown;
         });
}

bool VerifyReport::uncertain() const {
  return absl::c_any_of(tables,
                        [](const TableVerdict& table) {
                          return table.outcome ==
                                 TableVerdict::Outcome::kUnknown;
                        }) ||
         absl::c_any_of(objects,
                        [](const ObjectDifference& object) {
                          return object.weight ==
                                 ObjectDifference::Weight::kUnknown;
                        }) ||
         absl::c_any_of(
             checks, [](const CheckVerdict& check) { return check.unknown; });
}

}  // namespace walferry
