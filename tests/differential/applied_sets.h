#ifndef TESTS_DIFFERENTIAL_APPLIED_SETS_H_
#define TESTS_DIFFERENTIAL_APPLIED_SETS_H_

// How changes were applied, told by the server that they were applied to.

#include <cstdint>
#include <string>

namespace walferry {

struct AppliedSets {
  int64_t deletes = 0;
  int64_t updates = 0;
  int64_t inserts = 0;
  int64_t copies = 0;
  int64_t replaced = 0;  // Updates that collided became deletes and inserts.
  int64_t halved = 0;    // Sets were undone.
  int64_t single = 0;    // Changes that were applied by themselves.
};

// Of a server whose log_statement is all. Counts statements, not rows.
AppliedSets ReadAppliedSets(const std::string& log);

std::string ToText(const AppliedSets& sets);

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_APPLIED_SETS_H_
