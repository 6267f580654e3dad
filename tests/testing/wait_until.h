#ifndef TESTS_TESTING_WAIT_UNTIL_H_
#define TESTS_TESTING_WAIT_UNTIL_H_

// Waits for a state of something that cannot wake us: a file, a process, a
// server. Tests use it instead of sleeping for a time that is hoped to do.

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace walferry {

// Long enough for a busy two-core machine, short enough for ctest's timeout.
inline constexpr absl::Duration kTestPatience = absl::Seconds(60);

// Looks every few milliseconds until `state_reached` says true, for at most
// `patience`. False: it never did.
bool WaitUntil(absl::FunctionRef<bool()> state_reached,
               absl::Duration patience = kTestPatience);

}  // namespace walferry

#endif  // TESTS_TESTING_WAIT_UNTIL_H_
