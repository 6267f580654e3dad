#ifndef TESTS_GOLDEN_SCENARIO_H_
#define TESTS_GOLDEN_SCENARIO_H_

// What a capture does, read from a file in tests/golden/scenarios/: SQL
// statements, each ending with a semicolon at the end of a line, and lines that
// begin with @:
//
//   @server 15          older servers cannot do this at all
//   @slot two_phase     how the slot is made
//   @options ...        START_REPLICATION's, besides publication_names
//   @setting a=b        a setting of the walsender
//   @include FILE       the lines of another file
//   @start              what stands before it comes before the slot
//   @since 15           the next statement needs that server
//   @a, @b, @c          the statements that follow are this session's
//   @sync               waits until all changes so far have arrived

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace walferry {

struct Step {
  char session = 'a';
  std::string sql;  // "" waits for all changes so far.
  int min_server = 0;
};

struct Scenario {
  std::string name;
  int min_server = 14;
  bool two_phase = false;
  std::string options;
  std::vector<std::string> settings;
  std::vector<Step> before_slot;
  std::vector<Step> steps;
};

// The scenario in `directory`/`name`.sql.
absl::StatusOr<Scenario> ReadScenario(const std::string& directory,
                                      const std::string& name);

}  // namespace walferry

#endif  // TESTS_GOLDEN_SCENARIO_H_
