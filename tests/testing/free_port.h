#ifndef TESTS_TESTING_FREE_PORT_H_
#define TESTS_TESTING_FREE_PORT_H_

// Ports of 127.0.0.1 for servers that cannot ask the kernel for one.

#include "absl/status/statusor.h"

namespace walferry {

// A port that nobody listens on now. Somebody else may still be faster: be
// ready to try another. Outside of the range from which the kernel takes ports
// by itself, so that a server which restarts finds its port again.
absl::StatusOr<int> FreePort();

}  // namespace walferry

#endif  // TESTS_TESTING_FREE_PORT_H_
