#ifndef TESTS_DIFFERENTIAL_RANDOM_WORKLOAD_H_
#define TESTS_DIFFERENTIAL_RANDOM_WORKLOAD_H_

// What an application might do to a random schema, drawn from a seed. The text
// does not depend on what the tables hold: statements that fail are part of it.

#include <string>
#include <vector>

#include "tests/differential/dice.h"
#include "tests/differential/random_schema.h"

namespace walferry {

struct RandomTransaction {
  std::string begin;  // BEGIN, and how.
  std::vector<std::string> statements;
  // A statement that fails is undone by itself. Otherwise it is the last one,
  // and all is undone.
  bool guarded = false;
  bool commit = true;
};

// Of one session.
using RandomSession = std::vector<RandomTransaction>;

// `late_columns`: the source has them.
RandomSession DrawSession(const RandomSchema& schema, bool late_columns,
                          int transactions, Dice& dice);

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_RANDOM_WORKLOAD_H_
